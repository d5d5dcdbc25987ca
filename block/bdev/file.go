// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"lodger/abi"
	"lodger/block"
	"lodger/fs"
)

// misaligned is blkdev_dio_invalid: with O_DIRECT, place and length must be whole
// logical blocks. Where the caller's memory lies is not known here.
func (f *file) misaligned(off int64, n int) bool {
	mask := int64(f.dev.disk.Limits().LogicalBlock - 1)
	return f.has(abi.O_DIRECT) && (off|int64(n))&mask != 0
}

// ReadAt implements fs.ReaderAt: short at the end (blkdev_read_iter).
func (f *file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) {
	size := f.dev.Size()
	if off >= size || len(p) == 0 {
		return 0, nil
	}
	p = p[:min(int64(len(p)), size-off)]
	if f.misaligned(off, len(p)) {
		return 0, abi.EINVAL
	}
	n, err := f.dev.ReadAt(p, off)
	if c := f.cacher(); c != nil && n > 0 {
		c.Overlay(p[:n], off)
	}
	return n, err
}

// Cacher is the ability of who holds a device (Acquire) to have a newer state of it in
// memory: on Linux file systems keep their metadata in the device's page cache, where
// programs that open the device see it and change it.
type Cacher interface {
	// Overlay puts what is newer into p, which was read from off on.
	Overlay(p []byte, off int64)
	// Overwritten tells that p was written at off, past the holder. It may wait.
	Overwritten(p []byte, off int64)
}

// cacher gives the device's, nil where there is none or O_DIRECT asks for the disk.
func (f *file) cacher() Cacher {
	if f.has(abi.O_DIRECT) {
		return nil
	}
	c, _ := f.dev.Holder().(Cacher)
	return c
}

// WriteAt implements fs.WriterAt: short at the end, abi.ENOSPC beyond it
// (blkdev_write_iter).
func (f *file) WriteAt(ctx *fs.Context, p []byte, off int64) (int, error) {
	size := f.dev.Size()
	switch {
	case f.dev.ReadOnly():
		return 0, abi.EPERM
	case f.dev.swap.Load():
		return 0, abi.ETXTBSY
	case len(p) == 0:
		return 0, nil
	case off >= size:
		return 0, abi.ENOSPC
	}
	p = p[:min(int64(len(p)), size-off)]
	if f.misaligned(off, len(p)) {
		return 0, abi.EINVAL
	}
	// A copy-up stops whoever maps what moves, and waits for them.
	sync := f.has(abi.O_DSYNC)
	c := f.cacher()
	if (sync || c != nil || f.dev.disk.moves() || f.dev.Waits()) && !ctx.MayWait {
		return 0, fs.ErrMustWait
	}
	if err := fs.UpdateTime(ctx, f.path); err != nil {
		return 0, err
	}
	n, err := f.dev.WriteAt(p, off)
	if c != nil && n > 0 {
		c.Overwritten(p[:n], off)
	}
	if err == nil && sync {
		err = f.dev.Flush()
	}
	return n, err
}

// Seek implements fs.Seeker: blkdev_llseek, which knows no holes.
func (f *file) Seek(_ *fs.Context, pos, off int64, whence int) (int64, error) {
	size := f.dev.Size()
	switch whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		off += pos
	case abi.SEEK_END:
		off += size
	default:
		return 0, abi.EINVAL
	}
	if off < 0 || off > size { // what overflowed is negative
		return 0, abi.EINVAL
	}
	return off, nil
}

// Fsync implements fs.Syncer.
func (f *file) Fsync(ctx *fs.Context, _ bool) error {
	if !ctx.MayWait {
		return fs.ErrMustWait
	}
	return f.dev.Flush()
}

// Fallocate implements fs.Fallocater: blkdev_fallocate.
func (f *file) Fallocate(ctx *fs.Context, mode int, off, n int64) error {
	const known = abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE | abi.FALLOC_FL_ZERO_RANGE
	size := f.dev.Size()
	if mode&^known != 0 {
		return abi.EOPNOTSUPP
	}
	if off >= size {
		return abi.EINVAL
	}
	if n >= size-off {
		if n > size-off && mode&abi.FALLOC_FL_KEEP_SIZE == 0 {
			return abi.EINVAL
		}
		n = size - off
	}
	if (off|n)&int64(f.dev.disk.Limits().LogicalBlock-1) != 0 {
		return abi.EINVAL
	}
	if !ctx.MayWait {
		return fs.ErrMustWait
	}
	switch mode {
	case abi.FALLOC_FL_ZERO_RANGE, abi.FALLOC_FL_ZERO_RANGE | abi.FALLOC_FL_KEEP_SIZE,
		abi.FALLOC_FL_PUNCH_HOLE | abi.FALLOC_FL_KEEP_SIZE:
		if f.dev.ReadOnly() {
			return abi.EPERM
		}
		return block.WriteZeroes(f.dev, off, n)
	}
	return abi.EOPNOTSUPP
}
