// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"encoding/binary"
	"math"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
)

// Device controls, include/uapi/linux/{fs,blkpg,hdreg,blkzoned}.h.
const (
	hdioGetgeo         = 0x301
	blkROSet           = 0x125d
	blkROGet           = 0x125e
	blkRRPart          = 0x125f
	blkGetSize         = 0x1260
	blkFlsBuf          = 0x1261
	blkRASet           = 0x1262
	blkRAGet           = 0x1263
	blkFRASet          = 0x1264
	blkFRAGet          = 0x1265
	blkSectGet         = 0x1267
	blkSSZGet          = 0x1268
	blkPG              = 0x1269
	blkDiscard         = 0x1277
	blkIOMin           = 0x1278
	blkIOOpt           = 0x1279
	blkAlignOff        = 0x127a
	blkPBSZGet         = 0x127b
	blkDiscardZeroes   = 0x127c
	blkSecDiscard      = 0x127d
	blkRotational      = 0x127e
	blkZeroOut         = 0x127f
	blkBSZGet          = 0x80081270
	blkBSZSet          = 0x40081271
	blkGetSize64       = 0x80081272
	blkGetDiskSeq      = 0x80081280
	blkGetZoneSize     = 0x80041284
	blkGetZones        = 0x80041285
	maxBlockSize       = 64 << 10 // BLK_MAX_BLOCK_SIZE
	hdGeometrySize     = 16
	hdGeometryStartOff = 8
)

// DiskIoctler answers a driver's own device controls; abi.ENOTTY or abi.EINVAL for
// unknown ones, as the driver does in Linux.
type DiskIoctler interface {
	IoctlDisk(ctx *fs.Context, d *Device, cmd uint32, arg uint64, mem fs.UserMemory, write bool) (uint64, error)
}

// put writes a value as C's type of that size.
func put(mem fs.UserMemory, addr uint64, size int, v uint64) (uint64, error) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return 0, mem.CopyOut(addr, b[:size])
}

// get reads an int.
func get(mem fs.UserMemory, addr uint64) (int32, error) {
	var b [4]byte
	err := mem.CopyIn(addr, b[:])
	return int32(binary.LittleEndian.Uint32(b[:])), err
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Ioctl implements fs.Ioctler: blkdev_ioctl, in the order of its cases.
func (f *file) Ioctl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) (uint64, error) {
	d, disk := f.dev, f.dev.disk
	l := disk.Limits()
	const intSize, longSize, shortSize = 4, 8, 2
	switch cmd {
	case hdioGetgeo:
		return f.geometry(arg, mem)
	case blkPG:
		return 0, f.partitionCall(ctx, arg, mem)
	case blkRAGet, blkFRAGet:
		if arg == 0 {
			return 0, abi.EINVAL
		}
		return put(mem, arg, longSize, uint64(disk.Readahead()))
	case blkGetSize:
		return put(mem, arg, longSize, uint64(d.Size()/block.SectorSize))
	case blkGetSize64:
		return put(mem, arg, longSize, uint64(d.Size()))
	case blkBSZGet:
		return put(mem, arg, intSize, uint64(d.blockSize.Load()))
	case blkBSZSet:
		return 0, f.setBlockSize(ctx, arg, mem)
	case blkFlsBuf:
		if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
			return 0, abi.EACCES
		}
		return 0, f.Fsync(ctx, true)
	case blkROSet:
		if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
			return 0, abi.EACCES
		}
		n, err := get(mem, arg)
		if err == nil {
			d.SetReadOnly(n != 0)
		}
		return 0, err
	case blkDiscard, blkSecDiscard, blkZeroOut:
		return 0, f.clear(ctx, cmd, arg, mem)
	case blkGetDiskSeq:
		return put(mem, arg, longSize, disk.Seq())
	case blkGetZoneSize, blkGetZones, blkAlignOff, blkDiscardZeroes:
		return put(mem, arg, intSize, 0)
	case blkROGet:
		return put(mem, arg, intSize, bit(d.ReadOnly()))
	case blkSSZGet:
		return put(mem, arg, intSize, uint64(l.LogicalBlock))
	case blkPBSZGet:
		return put(mem, arg, intSize, uint64(l.PhysicalBlock))
	case blkIOMin:
		return put(mem, arg, intSize, uint64(l.IOMin))
	case blkIOOpt:
		return put(mem, arg, intSize, uint64(l.IOOpt))
	case blkSectGet:
		return put(mem, arg, shortSize, uint64(min(l.MaxSectors, math.MaxUint16)))
	case blkRotational:
		return put(mem, arg, shortSize, bit(l.Rotational))
	case blkRASet, blkFRASet:
		if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
			return 0, abi.EACCES
		}
		const pageSectors = 8
		disk.SetReadahead(int64(arg&math.MaxUint32) / pageSectors * pageSectors)
		return 0, nil
	case blkRRPart:
		return 0, f.rescan(ctx)
	}
	if i, ok := disk.cfg.Driver.(DiskIoctler); ok {
		return i.IoctlDisk(ctx, d, cmd, arg, mem, f.write)
	}
	return 0, abi.ENOTTY
}

// geometry is blkdev_getgeo.
func (f *file) geometry(arg uint64, mem fs.UserMemory) (uint64, error) {
	g, ok := f.dev.disk.cfg.Driver.(Geometer)
	switch {
	case arg == 0:
		return 0, abi.EINVAL
	case !ok:
		return 0, abi.ENOTTY
	}
	var b [hdGeometrySize]byte
	var cylinders uint16
	b[0], b[1], cylinders = g.Geometry(f.dev)
	binary.LittleEndian.PutUint16(b[2:], cylinders)
	binary.LittleEndian.PutUint64(b[hdGeometryStartOff:], uint64(f.dev.Start()/block.SectorSize))
	return 0, mem.CopyOut(arg, b[:])
}

// setBlockSize is blkdev_bszset. The block size is only remembered: there is no page
// cache here that would use it.
func (f *file) setBlockSize(ctx *fs.Context, arg uint64, mem fs.UserMemory) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EACCES
	}
	if arg == 0 {
		return abi.EINVAL
	}
	n, err := get(mem, arg)
	if err != nil {
		return err
	}
	if f.holder == nil {
		if err := f.dev.acquire(f); err != nil {
			return abi.EBUSY
		}
		defer f.dev.release(f)
	}
	if n < int32(f.dev.disk.Limits().LogicalBlock) || n > maxBlockSize || n&(n-1) != 0 {
		return abi.EINVAL
	}
	f.dev.blockSize.Store(int64(n))
	return nil
}

// clear is blk_ioctl_discard, blk_ioctl_secure_erase and blk_ioctl_zeroout.
func (f *file) clear(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) error {
	var b [16]byte
	fault := mem.CopyIn(arg, b[:])
	switch {
	case cmd == blkDiscard && fault != nil: // before all else, only here
		return fault
	case !f.write:
		return abi.EBADF
	case cmd == blkSecDiscard, cmd == blkDiscard && !f.dev.CanDiscard() && !f.dev.ReadOnly():
		return abi.EOPNOTSUPP
	case cmd == blkDiscard && f.dev.ReadOnly():
		return abi.EPERM
	case fault != nil:
		return fault
	}
	start, n := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	mask := uint64(f.dev.disk.Limits().LogicalBlock - 1)
	size := uint64(f.dev.Size())
	switch {
	case (start|n)&mask != 0 || n == 0 || start > size || n > size-start:
		return abi.EINVAL
	case f.dev.ReadOnly():
		return abi.EPERM
	case !ctx.MayWait:
		return fs.ErrMustWait
	case cmd == blkDiscard:
		return f.dev.Discard(int64(start), int64(n))
	}
	return block.WriteZeroes(f.dev, int64(start), int64(n))
}
