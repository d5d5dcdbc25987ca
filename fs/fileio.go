// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"math"

	"lodger/abi"
)

// canRead gives the error of reading f at all.
func (f *File) canRead() error {
	if !f.read {
		return abi.EBADF
	}
	if f.readerAt == nil && f.sreader == nil {
		if f.kind == abi.S_IFDIR {
			return abi.EISDIR
		}
		return abi.EINVAL
	}
	return nil
}

func (f *File) canWrite() error {
	if !f.write {
		return abi.EBADF
	}
	if f.writerAt == nil && f.swriter == nil {
		return abi.EINVAL
	}
	return nil
}

// Read reads at the file's position, or from the stream; end of file is
// (0, nil). EBADF, EISDIR, EINVAL, EAGAIN (see Queue).
func (f *File) Read(ctx *Context, p []byte) (int, error) {
	n, err := f.readHere(ctx, p)
	if n > 0 {
		f.ReadDone()
	}
	return n, err
}

func (f *File) readHere(ctx *Context, p []byte) (int, error) {
	if err := f.canRead(); err != nil {
		return 0, err
	}
	if f.sreader != nil {
		return f.sreader.Read(ctx, p)
	}
	if err := f.lockPos(ctx); err != nil {
		return 0, err
	}
	defer f.posMu.Unlock()
	if err := f.directRead(f.pos.Load(), len(p)); err != nil {
		return 0, err
	}
	n, err := f.readerAt.ReadAt(ctx, p, f.pos.Load())
	if n > 0 {
		f.pos.Add(int64(n))
	}
	f.accessed(ctx)
	return n, err
}

// Pread is pread(2): ESPIPE for streams.
func (f *File) Pread(ctx *Context, p []byte, off int64) (int, error) {
	n, err := f.pread(ctx, p, off)
	if n > 0 {
		f.ReadDone()
	}
	return n, err
}

func (f *File) pread(ctx *Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, abi.EINVAL
	}
	if f.sreader != nil && f.readerAt == nil {
		return 0, abi.ESPIPE
	}
	if err := f.canRead(); err != nil {
		return 0, err
	}
	if err := f.directRead(off, len(p)); err != nil {
		return 0, err
	}
	n, err := f.readerAt.ReadAt(ctx, p, off)
	f.accessed(ctx)
	return n, err
}

// Write writes at the position (at the end with O_APPEND), or to the stream.
func (f *File) Write(ctx *Context, p []byte) (int, error) {
	n, err := f.writeHere(ctx, p)
	if n > 0 {
		f.WriteDone()
	}
	return n, err
}

func (f *File) writeHere(ctx *Context, p []byte) (int, error) {
	if err := f.canWrite(); err != nil {
		return 0, err
	}
	if f.swriter != nil {
		return f.swriter.Write(ctx, p)
	}
	if err := f.lockPos(ctx); err != nil {
		return 0, err
	}
	defer f.posMu.Unlock()
	if f.appends() {
		n, end, err := f.append(ctx, p)
		if n > 0 {
			f.pos.Store(end)
		}
		return n, err
	}
	n, err := f.writeAt(ctx, p, f.pos.Load())
	if n > 0 {
		f.pos.Add(int64(n))
	}
	return n, err
}

// Pwrite is pwrite(2); O_APPEND wins over off, as on Linux.
func (f *File) Pwrite(ctx *Context, p []byte, off int64) (int, error) {
	n, err := f.pwrite(ctx, p, off)
	if n > 0 {
		f.WriteDone()
	}
	return n, err
}

func (f *File) pwrite(ctx *Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, abi.EINVAL
	}
	if f.swriter != nil && f.writerAt == nil {
		return 0, abi.ESPIPE
	}
	if err := f.canWrite(); err != nil {
		return 0, err
	}
	if f.appends() {
		n, _, err := f.append(ctx, p)
		return n, err
	}
	return f.writeAt(ctx, p, off)
}

// Append writes at the end of file whatever the flags (RWF_APPEND).
func (f *File) Append(ctx *Context, p []byte) (int, error) {
	if err := f.canWrite(); err != nil {
		return 0, err
	}
	if f.writerAt == nil {
		return f.swriter.Write(ctx, p)
	}
	n, _, err := f.append(ctx, p)
	if n > 0 {
		f.WriteDone()
	}
	return n, err
}

// ReadPart reads as Read does or, at *off, which it advances, as Pread: a part of a
// transfer that tells who watches with ReadDone when it is over.
func (f *File) ReadPart(ctx *Context, p []byte, off *int64) (int, error) {
	if off == nil {
		return f.readHere(ctx, p)
	}
	n, err := f.pread(ctx, p, *off)
	*off += int64(max(n, 0))
	return n, err
}

// WritePart is the counterpart of ReadPart, which ends with WriteDone.
func (f *File) WritePart(ctx *Context, p []byte, off *int64) (int, error) {
	if off == nil {
		return f.writeHere(ctx, p)
	}
	n, err := f.pwrite(ctx, p, *off)
	*off += int64(max(n, 0))
	return n, err
}

func (f *File) writeAt(ctx *Context, p []byte, off int64) (int, error) {
	if int64(len(p)) > math.MaxInt64-off {
		return 0, abi.EFBIG
	}
	if err := f.direct(off, len(p)); err != nil {
		return 0, err
	}
	if err := f.beforeWrite(ctx, len(p)); err != nil || len(p) == 0 && f.kind == abi.S_IFREG {
		return 0, err
	}
	return f.writerAt.WriteAt(ctx, p, off)
}

func (f *File) append(ctx *Context, p []byte) (n int, end int64, err error) {
	if f.flags.Load()&abi.O_DIRECT != 0 {
		a, err := f.inode.Getattr()
		if err == nil {
			err = f.direct(a.Size, len(p))
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if err := f.beforeWrite(ctx, len(p)); err != nil || len(p) == 0 && f.kind == abi.S_IFREG {
		return 0, 0, err
	}
	if a, ok := f.ops.(Appender); ok {
		return a.Append(ctx, p)
	}
	a, err := f.inode.Getattr()
	if err != nil {
		return 0, 0, err
	}
	n, err = f.writerAt.WriteAt(ctx, p, a.Size)
	return n, a.Size + int64(n), err
}

func (f *File) beforeWrite(ctx *Context, n int) error {
	if n == 0 {
		return nil
	}
	if err := f.Path.Dentry.notSwap(); err != nil {
		return err
	}
	return f.removePrivs(ctx)
}

// appends reports whether writes go to the end. Those of block devices do not,
// O_APPEND or not (blkdev_write_iter).
func (f *File) appends() bool { return f.flags.Load()&abi.O_APPEND != 0 && f.kind != abi.S_IFBLK }

// Pos gives the position.
func (f *File) Pos() int64 { return f.pos.Load() }

// lockPos takes posMu. Who holds it may be waiting for the disk, or for processes that
// give up mappings: who must not wait says so.
func (f *File) lockPos(ctx *Context) error {
	if ctx == nil || ctx.MayWait {
		f.posMu.Lock()
		return nil
	}
	if f.posMu.TryLock() {
		return nil
	}
	return ErrMustWait
}

// Seek is lseek(2), SEEK_DATA and SEEK_HOLE included.
func (f *File) Seek(ctx *Context, off int64, whence int) (int64, error) {
	if f.IsPath() {
		return 0, abi.EBADF
	}
	if whence < 0 || whence > abi.SEEK_HOLE {
		return 0, abi.EINVAL
	}
	if f.readerAt == nil && f.writerAt == nil && f.kind != abi.S_IFDIR {
		if _, ok := f.ops.(Seeker); !ok {
			return 0, abi.ESPIPE
		}
	}
	if err := f.lockPos(ctx); err != nil {
		return 0, err
	}
	defer f.posMu.Unlock()
	n, err := f.seekTo(ctx, off, whence)
	if err == nil {
		f.pos.Store(n)
	}
	return n, err
}

// seekTo computes the new position; posMu is held.
func (f *File) seekTo(ctx *Context, off int64, whence int) (int64, error) {
	if s, ok := f.ops.(Seeker); ok {
		return s.Seek(ctx, f.pos.Load(), off, whence)
	}
	base := int64(0)
	switch whence {
	case abi.SEEK_CUR:
		base = f.pos.Load()
	case abi.SEEK_END, abi.SEEK_DATA, abi.SEEK_HOLE:
		a, err := f.inode.Getattr()
		if err != nil {
			return 0, err
		}
		if whence != abi.SEEK_END {
			return f.seekData(off, a.Size, whence == abi.SEEK_HOLE)
		}
		base = a.Size
	}
	if off > 0 && base > math.MaxInt64-off {
		return 0, abi.EOVERFLOW
	}
	if base+off < 0 {
		return 0, abi.EINVAL
	}
	return base + off, nil
}

func (f *File) seekData(off, size int64, hole bool) (int64, error) {
	if off < 0 || off >= size {
		return 0, abi.ENXIO
	}
	if s, ok := f.ops.(DataSeeker); ok {
		return s.SeekData(off, hole)
	}
	if hole {
		return size, nil
	}
	return off, nil
}

// ReadDir calls emit for the entries from the position on until it returns
// false; the position then stands before the refused entry. ENOTDIR, ENOENT
// (removed directory).
func (f *File) ReadDir(ctx *Context, emit func(Dirent) bool) error {
	if f.IsPath() {
		return abi.EBADF
	}
	it, ok := f.ops.(DirIterator)
	if !ok {
		return abi.ENOTDIR
	}
	if f.Path.Dentry.gone.Load() {
		return abi.ENOENT
	}
	if err := f.lockPos(ctx); err != nil {
		return err
	}
	defer f.posMu.Unlock()
	for f.pos.Load() < 2 {
		e := Dirent{Name: "..", Off: f.pos.Load() + 1, Type: abi.DT_DIR, Ino: f.dotdotIno()}
		if f.pos.Load() == 0 {
			a, err := f.inode.Getattr()
			if err != nil {
				return err
			}
			e.Name, e.Ino = ".", a.Ino
		}
		if !emit(e) {
			f.ReadDone()
			return nil
		}
		f.pos.Add(1)
	}
	err := it.Iterate(ctx, f.pos.Load(), func(e Dirent) bool {
		if !emit(e) {
			return false
		}
		f.pos.Store(e.Off)
		return true
	})
	f.ReadDone()
	f.accessed(ctx)
	return err
}

func (f *File) dotdotIno() uint64 {
	up := f.Path.Dentry.Parent()
	if up == nil {
		up = f.Path.Dentry
	}
	a, err := up.inode.Getattr()
	if err != nil {
		return 1
	}
	return a.Ino
}

// fallocMode tells which modes of fallocate(2) there are: one operation, with
// or without keeping the size as it needs.
func fallocMode(mode int) bool {
	keep := mode&abi.FALLOC_FL_KEEP_SIZE != 0
	switch mode &^ abi.FALLOC_FL_KEEP_SIZE {
	case 0, abi.FALLOC_FL_ZERO_RANGE, abi.FALLOC_FL_UNSHARE_RANGE:
		return true
	case abi.FALLOC_FL_PUNCH_HOLE:
		return keep
	case abi.FALLOC_FL_COLLAPSE_RANGE, abi.FALLOC_FL_INSERT_RANGE, abi.FALLOC_FL_WRITE_ZEROES:
		return !keep
	}
	return false
}

// Fallocate is fallocate(2).
func (f *File) Fallocate(ctx *Context, mode int, off, length int64) error {
	fa, ok := f.ops.(Fallocater)
	appends, frozen := f.restricted()
	switch {
	case f.IsPath():
		return abi.EBADF
	case off < 0 || length <= 0:
		return abi.EINVAL
	case !fallocMode(mode):
		return abi.EOPNOTSUPP
	case !f.write:
		return abi.EBADF
	case appends && mode&^abi.FALLOC_FL_KEEP_SIZE != 0, frozen:
		return abi.EPERM
	case f.kind == abi.S_IFIFO:
		return abi.ESPIPE
	case f.kind == abi.S_IFDIR:
		return abi.EISDIR
	case f.kind != abi.S_IFREG && f.kind != abi.S_IFBLK:
		return abi.ENODEV
	case off > math.MaxInt64-length:
		return abi.EFBIG
	case !ok:
		return abi.EOPNOTSUPP
	}
	if err := f.Path.Dentry.notSwap(); err != nil {
		return err
	}
	if err := f.removePrivs(ctx); err != nil {
		return err
	}
	if err := fa.Fallocate(ctx, mode, off, length); err != nil {
		return err
	}
	f.WriteDone()
	return nil
}

// Fsync is fsync(2), or fdatasync(2).
func (f *File) Fsync(ctx *Context, dataOnly bool) error {
	if f.IsPath() {
		return abi.EBADF
	}
	if s, ok := f.ops.(Syncer); ok {
		return s.Fsync(ctx, dataOnly)
	}
	if f.kind == abi.S_IFREG || f.kind == abi.S_IFDIR {
		return nil
	}
	return abi.EINVAL
}

// Stat is fstat(2).
func (f *File) Stat() (Attr, error) { return StatAttr(f.inode) }

// Flush is what close(2) of a descriptor does before DecRef. owner is the
// descriptor table: its record locks on the file go.
func (f *File) Flush(ctx *Context, owner any) error {
	if f.IsPath() {
		return nil
	}
	f.Path.Dentry.sb.VFS.dropPosixLocks(f.inode, owner)
	if fl, ok := f.ops.(Flusher); ok {
		return fl.Flush(ctx)
	}
	return nil
}

// SetFlags is F_SETFL.
func (f *File) SetFlags(ctx *Context, flags int) error {
	if f.IsPath() {
		return abi.EBADF
	}
	old := f.Flags()
	if (flags^old)&abi.O_APPEND != 0 {
		if appends, _ := f.restricted(); appends {
			return abi.EPERM
		}
	}
	if flags&^old&abi.O_NOATIME != 0 {
		a, err := f.inode.Getattr()
		if err != nil {
			return err
		}
		if !isOwner(ctx.Creds, &a) {
			return abi.EPERM
		}
	}
	if flags&^old&abi.O_DIRECT != 0 && f.kind != abi.S_IFIFO {
		if err := canDirect(f.kind, f.inode); err != nil {
			return err
		}
	}
	n := old&^setFlags | flags&setFlags
	if s, ok := f.ops.(FlagSetter); ok {
		if err := s.SetFlags(old, n); err != nil {
			return err
		}
	}
	f.flags.Store(uint32(n))
	return nil
}

// MapFD asks for host memory to map; see Mapper. It checks the open mode
// (EACCES), noexec (EPERM), and that the file can be mapped (ENODEV).
func (f *File) MapFD(offset, length int64, write, shared, exec bool) (hostFD int, hostOffset int64, err error) {
	if err := f.MayMap(write, shared, exec); err != nil {
		return -1, 0, err
	}
	m, ok := f.ops.(Mapper)
	if !ok {
		return -1, 0, abi.ENODEV
	}
	return m.MapFD(offset, length, write, shared, exec)
}
