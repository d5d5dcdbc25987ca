// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
)

// file is an open regular file. It follows the node to its upper copy.
type file struct {
	n     *node
	flags int
	cur   atomic.Pointer[opened]
}

// opened is the file in one of the trees. One that was replaced stays open until
// Release: somebody may be reading it.
type opened struct {
	real *realInode
	ops  fs.FileOps
	prev *opened
}

// Open makes the file behind a node; one for writing is copied up first.
func (n *node) Open(ctx *fs.Context, _ fs.Path, flags int) (fs.FileOps, error) {
	if n.kind == abi.S_IFDIR {
		return &dirFile{n: n}, nil
	}
	if n.kind != abi.S_IFREG {
		return nil, abi.ENXIO
	}
	if flags&abi.O_ACCMODE != abi.O_RDONLY {
		limit := int64(-1)
		if flags&abi.O_TRUNC != 0 {
			limit = 0
		}
		if _, err := n.copyUp(ctx, limit); err != nil {
			return nil, err
		}
	}
	f := &file{n: n, flags: flags &^ (abi.O_TRUNC | abi.O_CREAT | abi.O_EXCL)}
	if _, err := f.get(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// get gives the file in the tree where it is now.
func (f *file) get(ctx *fs.Context) (fs.FileOps, error) {
	real := f.n.real.Load()
	for {
		o := f.cur.Load()
		if o != nil && o.real == real {
			return o.ops, nil
		}
		ops, err := openReal(ctx, real.inode, f.flags)
		if err != nil {
			return nil, err
		}
		if f.cur.CompareAndSwap(o, &opened{real, ops, o}) {
			return ops, nil
		}
		release(ops)
	}
}

// ReadAt reads.
func (f *file) ReadAt(ctx *fs.Context, p []byte, off int64) (int, error) {
	ops, err := f.get(ctx)
	if err != nil {
		return 0, err
	}
	return ops.(fs.ReaderAt).ReadAt(ctx, p, off)
}

// WriteAt writes.
func (f *file) WriteAt(ctx *fs.Context, p []byte, off int64) (int, error) {
	ops, err := f.get(ctx)
	if err != nil {
		return 0, err
	}
	return ops.(fs.WriterAt).WriteAt(ctx, p, off)
}

// Append writes at the end.
func (f *file) Append(ctx *fs.Context, p []byte) (int, int64, error) {
	ops, err := f.get(ctx)
	if err != nil {
		return 0, 0, err
	}
	return ops.(fs.Appender).Append(ctx, p)
}

// MapFD maps the file where it is now.
func (f *file) MapFD(offset, length int64, write, shared, exec bool) (int, int64, error) {
	ops, err := f.get(nil)
	if err != nil {
		return -1, 0, err
	}
	m, ok := ops.(fs.Mapper)
	if !ok {
		return -1, 0, abi.ENODEV
	}
	return m.MapFD(offset, length, write, shared, exec)
}

// MapOps gives the file that is mapped.
func (f *file) MapOps() fs.FileOps {
	ops, _ := f.get(nil)
	return ops
}

// MapInode gives the inode below whose bytes are mapped.
func (f *file) MapInode() fs.Inode { return f.n.real.Load().inode }

// SeekData finds data or a hole.
func (f *file) SeekData(off int64, hole bool) (int64, error) {
	ops, err := f.get(nil)
	if err != nil {
		return 0, err
	}
	s, ok := ops.(fs.DataSeeker)
	if !ok {
		return 0, abi.EINVAL
	}
	return s.SeekData(off, hole)
}

// Fallocate allocates in the upper copy.
func (f *file) Fallocate(ctx *fs.Context, mode int, off, length int64) error {
	ops, err := f.get(ctx)
	if err != nil {
		return err
	}
	a, ok := ops.(fs.Fallocater)
	if !ok {
		return abi.EOPNOTSUPP
	}
	return a.Fallocate(ctx, mode, off, length)
}

// Fsync writes back.
func (f *file) Fsync(ctx *fs.Context, dataOnly bool) error {
	ops, err := f.get(ctx)
	if err != nil {
		return err
	}
	if s, ok := ops.(fs.Syncer); ok {
		return s.Fsync(ctx, dataOnly)
	}
	return nil
}

// BorrowFD lends the host descriptor of the file where it is now.
func (f *file) BorrowFD(write bool) (int, func(), error) {
	ops, err := f.get(nil)
	if err != nil {
		return -1, nil, err
	}
	h, ok := ops.(fs.HostFile)
	if !ok {
		return -1, nil, abi.EINVAL
	}
	return h.BorrowFD(write)
}

// Release closes the files below.
func (f *file) Release() {
	for o := f.cur.Load(); o != nil; o = o.prev {
		release(o.ops)
	}
}
