// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"sync"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
)

// backing is what is behind a bound device: a part of a file.
type backing struct {
	file      *fs.File
	ctx       *fs.Context
	off, size int64
	readOnly  bool

	mu     sync.RWMutex // see the package comment
	closed bool         // guarded by mu
}

// newBacking takes over the caller's reference to file. The file is used with the
// credentials of who bound it, as its open file's are in Linux, for file systems that
// ask for room that is reserved.
func newBacking(ctx *fs.Context, file *fs.File, off, limit int64, readOnly bool) (*backing, error) {
	size, err := sizeOf(file, off, limit)
	if err != nil {
		return nil, err
	}
	c := &fs.Context{Creds: ctx.Creds, Root: ctx.Root, Cwd: ctx.Root, Now: ctx.Now, MayWait: true}
	return &backing{file: file, ctx: c, off: off, size: size, readOnly: readOnly}, nil
}

// sizeOf is lo_calculate_size: whole sectors from off on, at most limit bytes if that
// is not 0.
func sizeOf(f *fs.File, off, limit int64) (int64, error) {
	a, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := a.Size
	if d := deviceOf(f); d != nil {
		size = d.Size()
	}
	size = max(size-off, 0)
	if limit > 0 {
		size = min(size, limit)
	}
	return size &^ (block.SectorSize - 1), nil
}

// part gives another part of the same file; the old one must not be used any more.
func (b *backing) part(off, limit int64) (*backing, error) {
	return newBacking(b.ctx, b.file, off, limit, b.readOnly)
}

// close waits for I/O that is on its way, and lets go of the file.
func (b *backing) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.file.DecRef()
}

// begin starts an I/O; end must be called if it succeeds.
func (b *backing) begin(off, n int64) error {
	if off < 0 || n < 0 || off > b.size || n > b.size-off {
		return abi.EIO
	}
	b.mu.RLock()
	if b.closed {
		b.mu.RUnlock()
		return abi.EIO
	}
	return nil
}

func (b *backing) end() { b.mu.RUnlock() }

// Size implements block.Device.
func (b *backing) Size() int64 { return b.size }

// ReadOnly implements block.ReadOnlyer.
func (b *backing) ReadOnly() bool { return b.readOnly }

// Waits implements block.Waiter.
func (b *backing) Waits() bool { return true }

// ReadAt implements block.Device. A file that has become shorter gives EIO.
func (b *backing) ReadAt(p []byte, off int64) (int, error) {
	if err := b.begin(off, int64(len(p))); err != nil {
		return 0, err
	}
	defer b.end()
	return all(p, b.off+off, func(p []byte, off int64) (int, error) { return b.file.Pread(b.ctx, p, off) })
}

// WriteAt implements block.Device.
func (b *backing) WriteAt(p []byte, off int64) (int, error) {
	if b.readOnly {
		return 0, abi.EROFS
	}
	if err := b.begin(off, int64(len(p))); err != nil {
		return 0, err
	}
	defer b.end()
	return all(p, b.off+off, func(p []byte, off int64) (int, error) { return b.file.Pwrite(b.ctx, p, off) })
}

// all repeats f until all of p has been moved. Whatever goes wrong is EIO above, but
// for a full file system (errno_to_blk_status).
func all(p []byte, off int64, f func(p []byte, off int64) (int, error)) (int, error) {
	for done := 0; done < len(p); {
		n, err := f(p[done:], off+int64(done))
		if err == abi.ENOSPC {
			return done, err
		}
		if err != nil || n <= 0 {
			return done, abi.EIO
		}
		done += n
	}
	return len(p), nil
}

// Flush implements block.Flusher.
func (b *backing) Flush() error {
	if err := b.begin(0, 0); err != nil {
		return err
	}
	defer b.end()
	if err := b.file.Fsync(b.ctx, false); err != nil && err != abi.EINVAL { // lo_req_flush
		return abi.EIO
	}
	return nil
}

// CanDiscard tells bdev whether the file can have holes punched (loop_config_discard).
func (b *backing) CanDiscard() bool {
	_, ok := b.file.Ops().(fs.Fallocater)
	return ok && !b.readOnly
}

// Discard implements block.Discarder: lo_fallocate.
func (b *backing) Discard(off, n int64) error {
	if !b.CanDiscard() {
		return abi.EOPNOTSUPP
	}
	if err := b.begin(off, n); err != nil {
		return err
	}
	defer b.end()
	err := b.file.Fallocate(b.ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, b.off+off, n)
	if err != nil && err != abi.EOPNOTSUPP && err != abi.ENOSPC {
		return abi.EIO
	}
	return err
}

// WriteZeroes implements block.Zeroer, by the same hole.
func (b *backing) WriteZeroes(off, n int64) error { return b.Discard(off, n) }
