// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"encoding/binary"
	"math"

	"lodger/abi"
)

// Flags of a device (LO_FLAGS_*).
const (
	flagReadOnly  = 1
	flagAutoclear = 4
	flagPartScan  = 8
	flagDirectIO  = 16

	configureFlags = flagReadOnly | flagAutoclear | flagPartScan | flagDirectIO
	settableFlags  = flagAutoclear | flagPartScan
	clearableFlags = flagAutoclear
)

const (
	nameSize   = 64  // LO_NAME_SIZE
	keySize    = 32  // LO_KEY_SIZE
	infoSize   = 232 // struct loop_info64
	configSize = 8 + infoSize + 64
)

// status is what of struct loop_info64 means anything.
type status struct {
	offset, limit int64
	flags         uint32
	name          [nameSize]byte // NUL-terminated
}

// parseStatus is loop_set_status_from_info.
func parseStatus(b []byte) (s status, err error) {
	le := binary.LittleEndian
	offset, limit := le.Uint64(b[24:]), le.Uint64(b[32:])
	crypt, key := le.Uint32(b[44:]), le.Uint32(b[48:])
	switch {
	case key > keySize || crypt != 0:
		return s, abi.EINVAL
	case offset > math.MaxInt64 || limit > math.MaxInt64:
		return s, abi.EOVERFLOW
	}
	s = status{offset: int64(offset), limit: int64(limit), flags: le.Uint32(b[52:])}
	copy(s.name[:nameSize-1], b[56:])
	return s, nil
}

// encode makes a struct loop_info64 of the status of device n, bound to a file with
// attributes dev, ino and rdev.
func (s status) encode(n int, dev, ino, rdev uint64) []byte {
	b := make([]byte, infoSize)
	le := binary.LittleEndian
	for i, v := range []uint64{encodeDev(dev), ino, encodeDev(rdev), uint64(s.offset), uint64(s.limit)} {
		le.PutUint64(b[8*i:], v)
	}
	le.PutUint32(b[40:], uint32(n))
	le.PutUint32(b[52:], s.flags)
	copy(b[56:], s.name[:])
	return b
}

// encodeDev is huge_encode_dev.
func encodeDev(d uint64) uint64 {
	major, minor := uint64(abi.Major(d)), uint64(abi.Minor(d))
	return minor&0xff | major<<8 | minor&^0xff<<12
}
