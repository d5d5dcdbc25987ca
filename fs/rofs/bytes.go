// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"encoding/binary"
	"strings"

	"lodger/abi"
)

// LE16, LE32 and LE64 read little-endian numbers.
func LE16(b []byte, off int) uint16 { return binary.LittleEndian.Uint16(b[off:]) }

// LE32 reads 4 bytes.
func LE32(b []byte, off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }

// LE64 reads 8 bytes.
func LE64(b []byte, off int) uint64 { return binary.LittleEndian.Uint64(b[off:]) }

// DecodeDev is new_decode_dev: 12 bits of major and 20 of minor number.
func DecodeDev(d uint32) uint64 {
	return abi.Makedev(d>>8&0xfff, d&0xff|d>>12&0xfff00)
}

// Some gives what was done, or the error when nothing was.
func Some(n int, err error) (int, error) {
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// ValidName reports whether a name of the disk can be a name here; "." and ".."
// cannot, since the VFS makes them.
func ValidName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}
