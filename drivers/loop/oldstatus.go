// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"encoding/binary"
	"math"

	"lodger/abi"
)

// struct loop_info, the older loop_info64. Where its fields lie depends on the
// processor: oldNumber and those after it.

// fromOld makes a loop_info64 of a loop_info: loop_info64_from_old.
func fromOld(old []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, infoSize)
	le.PutUint64(b[24:], uint64(int64(int32(le.Uint32(old[oldOffset:])))))
	le.PutUint32(b[52:], le.Uint32(old[oldFlags:]))
	copy(b[56:56+nameSize], old[oldName:])
	return b
}

// toOld makes a loop_info of a loop_info64; EOVERFLOW if something does not fit
// (loop_info64_to_old).
func toOld(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	dev, ino, rdev, offset := le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:])
	if dev > oldDevMax || rdev > oldDevMax || offset > math.MaxInt32 {
		return nil, abi.EOVERFLOW
	}
	old := make([]byte, oldSize)
	le.PutUint32(old[oldNumber:], le.Uint32(b[40:]))
	le.PutUint32(old[oldDevice:], uint32(dev)) // its upper half, if it has one, stays 0
	le.PutUint64(old[oldInode:], ino)
	le.PutUint32(old[oldRdevice:], uint32(rdev))
	le.PutUint32(old[oldOffset:], uint32(offset))
	le.PutUint32(old[oldFlags:], le.Uint32(b[52:]))
	copy(old[oldName:oldName+nameSize], b[56:])
	return old, nil
}

// oldDevMax is more than any device's number: they have 32 bits (MKDEV_BITS).
const oldDevMax = math.MaxUint32
