// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"encoding/binary"
	"math"

	"lodger/abi"
	"lodger/fs"
)

// Operations of BLKPG, include/uapi/linux/blkpg.h.
const (
	blkpgAdd    = 1
	blkpgDelete = 2
	blkpgResize = 3
)

// partitionCall is BLKPG (blkpg_ioctl): struct blkpg_ioctl_arg {int op, flags,
// datalen; void *data} and struct blkpg_partition {long long start, length; int pno;
// ...}.
func (f *file) partitionCall(ctx *fs.Context, arg uint64, mem fs.UserMemory) error {
	var a [24]byte
	if err := mem.CopyIn(arg, a[:]); err != nil {
		return err
	}
	op := int32(binary.LittleEndian.Uint32(a[:]))
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EACCES
	}
	var p [152]byte
	if err := mem.CopyIn(binary.LittleEndian.Uint64(a[16:]), p[:]); err != nil {
		return err
	}
	start, length := int64(binary.LittleEndian.Uint64(p[:])), int64(binary.LittleEndian.Uint64(p[8:]))
	n := int(int32(binary.LittleEndian.Uint32(p[16:])))
	disk := f.dev.disk
	if f.dev.part != 0 || n <= 0 {
		return abi.EINVAL
	}
	if op != blkpgDelete {
		mask := int64(disk.Limits().LogicalBlock - 1)
		size := f.dev.Size()
		switch {
		case start < 0, length <= 0, length > math.MaxInt64-start,
			(start|length)&mask != 0, start >= size, length > size-start:
			return abi.EINVAL
		}
	}
	if op < blkpgAdd || op > blkpgResize {
		return abi.EINVAL
	}
	if !ctx.MayWait { // for a scan of another's
		return fs.ErrMustWait
	}
	switch op {
	case blkpgAdd:
		return disk.AddPartition(n, start, length)
	case blkpgDelete:
		return disk.DeletePartition(n)
	}
	return disk.ResizePartition(n, start, length)
}

// rescan is BLKRRPART.
func (f *file) rescan(ctx *fs.Context) error {
	switch {
	case !ctx.Creds.Capable(abi.CAP_SYS_ADMIN):
		return abi.EACCES
	case f.dev.part != 0:
		return abi.EINVAL
	case !ctx.MayWait:
		return fs.ErrMustWait
	}
	return f.dev.disk.Rescan(f.holder)
}
