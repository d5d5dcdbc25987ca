// SPDX-License-Identifier: Apache-2.0

package block

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"lodger/abi"
	"lodger/host"
)

// Options say how a host file is opened.
type Options struct {
	ReadOnly bool // never write
	Sync     bool // O_SYNC: each write reaches the host's disk (ubd's s)
	Shared   bool // take no locks on the host (ubd's c)
	NoTrim   bool // refuse discards (ubd's t)
}

// File is a disk in a host file or on a host's block device: the bytes lie as they
// are. Its size is that at the opening.
type File struct {
	fd       int
	readFD   int // read-only, for mappings; fd itself or -1 at times
	path     string
	size     int64
	readOnly bool
	noTrim   bool
	closed   atomic.Bool
	noZero   atomic.Bool // the host file system has no way to zero a range
	noPunch  atomic.Bool // ... to punch holes
}

// LockedError: another guest, or a tool, has the file.
type LockedError struct {
	Path   string
	Write  bool // we wanted to write
	Holder int  // process, 0 when the host does not say
}

func (e *LockedError) Error() string {
	who := "another guest or tool"
	if e.Holder > 0 {
		who = fmt.Sprintf("process %d", e.Holder)
	}
	how := "reading"
	if e.Write {
		how = "writing"
	}
	return fmt.Sprintf("%s: cannot lock it for %s: it is in use by %s; stop that first, give each guest a COW file of its own, "+
		"or use flag c if a cluster file system shares the disk", e.Path, how, who)
}

// Unwrap gives the host's error, as fcntl(2) tells it.
func (e *LockedError) Unwrap() error { return abi.EAGAIN }

// OpenFile opens a host file and locks it: whole, for writing when it is opened
// so, else for reading, like open_ubd_file in arch/um/drivers/ubd_kern.c. A file
// that may not be written is opened read-only.
func OpenFile(path string, opt Options) (*File, error) {
	flags, readOnly := abi.O_RDWR, opt.ReadOnly
	if opt.Sync {
		flags |= abi.O_SYNC
	}
	if readOnly {
		flags = abi.O_RDONLY
	}
	fd, err := host.OpenPath(path, flags, 0)
	if !readOnly && (err == abi.EROFS || err == abi.EACCES) {
		readOnly = true
		fd, err = host.OpenPath(path, abi.O_RDONLY, 0)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open disk", Path: path, Err: err}
	}
	return newFile(fd, path, readOnly, opt)
}

// CreateFile makes a new file of the given size that is one hole. An existing one
// is left alone: os.ErrExist.
func CreateFile(path string, size int64, opt Options) (*File, error) {
	if size < 0 {
		return nil, fmt.Errorf("%s: a disk of %d bytes: %w", path, size, abi.EINVAL)
	}
	flags := abi.O_RDWR | abi.O_CREAT | abi.O_EXCL
	if opt.Sync {
		flags |= abi.O_SYNC
	}
	fd, err := host.OpenPath(path, flags, 0o644)
	if err != nil {
		return nil, &os.PathError{Op: "create disk", Path: path, Err: err}
	}
	if err := host.Ftruncate(fd, size); err != nil {
		host.CloseFD(fd)
		os.Remove(path)
		return nil, &os.PathError{Op: "set the size of", Path: path, Err: err}
	}
	f, err := newFile(fd, path, false, opt)
	if err != nil {
		os.Remove(path)
	}
	return f, err
}

// MemFile makes a disk in memory: one hole of the given size that goes with its
// close. name is for the host's /proc only.
func MemFile(name string, size int64) (*File, error) {
	fd, err := host.MemfdCreate(name)
	if err != nil {
		return nil, fmt.Errorf("memory for a disk: %w", err)
	}
	if err := host.Ftruncate(fd, size); err != nil {
		host.CloseFD(fd)
		return nil, fmt.Errorf("memory for a disk of %d bytes: %w", size, err)
	}
	return newFile(fd, name, false, Options{Shared: true})
}

func newFile(fd int, path string, readOnly bool, opt Options) (*File, error) {
	f := &File{fd: fd, readFD: fd, path: path, readOnly: readOnly, noTrim: opt.NoTrim}
	if err := f.start(opt.Shared); err != nil {
		host.CloseFD(fd)
		return nil, err
	}
	if !readOnly {
		// Now: later we may be shut in.
		var err error
		if f.readFD, err = host.Reopen(fd, abi.O_RDONLY); err != nil {
			f.readFD = -1
		}
	}
	return f, nil
}

func (f *File) start(shared bool) error {
	var st host.FileStat
	if err := host.StatAt(f.fd, "", &st); err != nil {
		return &os.PathError{Op: "stat disk", Path: f.path, Err: err}
	}
	if k := st.Mode & abi.S_IFMT; k != abi.S_IFREG && k != abi.S_IFBLK {
		return fmt.Errorf("%s: a disk must be a regular file or a block device: %w", f.path, abi.EINVAL)
	}
	if !shared {
		holder, err := host.LockFile(f.fd, !f.readOnly)
		switch {
		case err == abi.EAGAIN:
			return &LockedError{f.path, !f.readOnly, holder}
		case err != nil:
			return fmt.Errorf("%s: the host's file system cannot lock it (flag c does without): %w", f.path, err)
		}
	}
	size, err := host.FileSize(f.fd)
	if err != nil {
		return fmt.Errorf("%s: couldn't determine size of device's file: %w", f.path, err)
	}
	f.size = size
	return nil
}

// Path is the name that it was opened by.
func (f *File) Path() string { return f.path }

// FD is the host's descriptor; it stays the File's.
func (f *File) FD() int { return f.fd }

// Size implements Device.
func (f *File) Size() int64 { return f.size }

// ReadOnly implements ReadOnlyer.
func (f *File) ReadOnly() bool { return f.readOnly }

// ReadAt implements Device.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if err := CheckRange(off, len(p), f.size); err != nil {
		return 0, err
	}
	n, err := host.Pread(f.fd, p, off)
	for err == nil && n < len(p) {
		// Short: the rest says whether of an error or because somebody cut the file.
		var m int
		if m, err = host.Pread(f.fd, p[n:], off+int64(n)); m == 0 && err == nil {
			err = abi.EIO
		}
		n += m
	}
	return n, err
}

// WriteAt implements Device.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if f.readOnly {
		return 0, abi.EROFS
	}
	if err := CheckRange(off, len(p), f.size); err != nil {
		return 0, err
	}
	n, err := host.Pwrite(f.fd, p, off)
	for err == nil && n < len(p) {
		var m int
		if m, err = host.Pwrite(f.fd, p[n:], off+int64(n)); m == 0 && err == nil {
			err = abi.EIO
		}
		n += m
	}
	return n, err
}

// Flush implements Flusher: fdatasync.
func (f *File) Flush() error {
	if f.readOnly {
		return nil
	}
	return host.Fsync(f.fd, true)
}

// CanDiscard reports whether Discard is worth a call.
func (f *File) CanDiscard() bool { return !f.noTrim && !f.readOnly && !f.noPunch.Load() }

// Discard implements Discarder: holes are punched into the host file.
func (f *File) Discard(off, n int64) error {
	if f.readOnly {
		return abi.EROFS
	}
	if err := checkRun(off, n, f.size); err != nil {
		return err
	}
	if f.noTrim || f.noPunch.Load() {
		return abi.EOPNOTSUPP
	}
	if n == 0 {
		return nil
	}
	err := host.PunchHole(f.fd, off, n)
	if unsupported(err) {
		f.noPunch.Store(true)
		return abi.EOPNOTSUPP
	}
	return err
}

// WriteZeroes implements Zeroer: ZERO_RANGE as UML does, a punched hole where
// the file system has only that (tmpfs), else abi.EOPNOTSUPP.
func (f *File) WriteZeroes(off, n int64) error {
	if f.readOnly {
		return abi.EROFS
	}
	if err := checkRun(off, n, f.size); err != nil || n == 0 {
		return err
	}
	if !f.noZero.Load() {
		err := host.ZeroRange(f.fd, off, n)
		if !unsupported(err) {
			return err
		}
		f.noZero.Store(true)
	}
	if !f.noPunch.Load() {
		err := host.PunchHole(f.fd, off, n)
		if !unsupported(err) {
			return err
		}
		f.noPunch.Store(true)
	}
	return abi.EOPNOTSUPP
}

func unsupported(err error) bool { return err == abi.EOPNOTSUPP || err == abi.ENOSYS }

// NextData implements Extents by SEEK_DATA and SEEK_HOLE.
func (f *File) NextData(off int64) (start, n int64, err error) {
	if off >= f.size {
		return f.size, 0, nil
	}
	start, ok, err := host.SeekData(f.fd, off)
	if err != nil || !ok || start >= f.size {
		return f.size, 0, err
	}
	end, err := host.SeekHole(f.fd, start)
	if err != nil {
		return 0, 0, err
	}
	return start, min(end, f.size) - start, nil
}

// Locate implements Locator.
func (f *File) Locate(off, n int64) (Run, error) {
	if off < 0 || n <= 0 || off >= f.size {
		return Run{}, abi.EIO
	}
	return Run{FD: f.fd, ReadFD: f.readFD, Off: off, Len: min(n, f.size-off), Writable: !f.readOnly}, nil
}

// Close implements Closer. A second call does nothing: the descriptor may be
// somebody else's by then.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return nil
	}
	err := f.Flush()
	if f.readFD >= 0 && f.readFD != f.fd {
		err = errors.Join(err, host.CloseFD(f.readFD))
	}
	return errors.Join(err, host.CloseFD(f.fd))
}
