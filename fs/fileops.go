// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/lib/wait"

// FileOps is what a file system or device puts behind an open file. It is any
// value; its abilities are the interfaces below. An absent ability gives the
// errno that Linux gives (EINVAL for read and write, ENOTTY for ioctl, ...).
type FileOps any

// ReaderAt is the ability to read at an offset. End of file is (0, nil).
type ReaderAt interface {
	ReadAt(ctx *Context, p []byte, off int64) (int, error)
}

// WriterAt is the ability to write at an offset.
type WriterAt interface {
	WriteAt(ctx *Context, p []byte, off int64) (int, error)
}

// Appender is the ability to write at the end of file atomically; it returns
// the offset after the written bytes. Without it the VFS asks Getattr first.
type Appender interface {
	Append(ctx *Context, p []byte) (n int, end int64, err error)
}

// StreamReader is the ability of pipes, terminals and sockets to read without
// position. It returns abi.EAGAIN when it would block, and never blocks.
type StreamReader interface {
	Read(ctx *Context, p []byte) (int, error)
}

// StreamWriter is the counterpart of StreamReader. EPIPE is returned without a
// signal: the caller sends SIGPIPE.
type StreamWriter interface {
	Write(ctx *Context, p []byte) (int, error)
}

// Poller is the ability to tell readiness. A file without it is always
// readable and writable, and epoll refuses it with EPERM.
type Poller interface {
	// Poll gives all events that hold now (POLLIN|POLLRDNORM and so on).
	Poll() wait.Mask
	// WaitQueue is where changes of Poll are announced.
	WaitQueue() *wait.Queue
}

// Dirent is one directory entry.
type Dirent struct {
	Name string
	Ino  uint64
	Off  int64 // position that continues after this entry
	Type uint8 // abi.DT_*
}

// DirIterator is the ability of open directories.
type DirIterator interface {
	// Iterate calls emit for the entries after position pos, in a stable order,
	// until it returns false. Positions up to 2 belong to "." and "..", which
	// the VFS adds: the first call has pos == 2 and each Off must be above 2.
	// An entry refused by emit is not consumed.
	Iterate(ctx *Context, pos int64, emit func(Dirent) bool) error
}

// Mapper is the ability to be mapped.
type Mapper interface {
	// MapFD gives a host descriptor and the offset in it at which the file's
	// bytes from offset on lie. The descriptor is read-only unless shared and
	// write are both set. It stays the file system's, and stays valid until the
	// File is released. offset is page-aligned.
	MapFD(offset, length int64, write, shared, exec bool) (hostFD int, hostOffset int64, err error)
}

// Ioctler is the ability to answer device controls; abi.ENOTTY for unknown ones.
// FIONBIO, FIOCLEX and the like are the caller's.
type Ioctler interface {
	Ioctl(ctx *Context, cmd uint32, arg uint64, mem UserMemory) (uint64, error)
}

// Seeker replaces the ordinary lseek. pos is the present position.
type Seeker interface {
	Seek(ctx *Context, pos, off int64, whence int) (int64, error)
}

// DataSeeker answers SEEK_DATA and SEEK_HOLE; without it a file is one extent
// of data.
type DataSeeker interface {
	SeekData(off int64, hole bool) (int64, error)
}

// Fallocater is the ability to allocate and punch. Arguments were checked.
type Fallocater interface {
	Fallocate(ctx *Context, mode int, off, length int64) error
}

// Syncer is the ability to write back.
type Syncer interface {
	Fsync(ctx *Context, dataOnly bool) error
}

// Flusher is told of each close(2) of a descriptor; its error is close's.
type Flusher interface {
	Flush(ctx *Context) error
}

// Releaser is told when the last reference to the File goes.
type Releaser interface {
	Release()
}

// FlagSetter is told when F_SETFL changed the flags and may refuse.
type FlagSetter interface {
	SetFlags(old, new int) error
}

// FDInfoer adds lines to /proc/PID/fdinfo/N.
type FDInfoer interface {
	FDInfo() string
}

// Sealer is the ability of memfds to be sealed (F_ADD_SEALS, F_GET_SEALS).
type Sealer interface {
	Seals() uint32
	AddSeals(seals uint32, writableMappings bool) error
}

// DentryNamer gives the name that /proc/PID/fd shows for files outside any
// tree ("pipe:[123]").
type DentryNamer interface {
	Dname() string
}

// OpenWaiter is the ability of files whose open must wait (FIFOs).
type OpenWaiter interface {
	// OpenReady returns nil when the open is complete, *WouldBlock before.
	OpenReady() error
}

// HostFile is the ability to lend the host descriptor that holds all the file's
// bytes at their own offsets, for copies within the host. done must be called.
type HostFile interface {
	BorrowFD(write bool) (fd int, done func(), err error)
}

// AnonMapper marks files whose mappings are anonymous memory (/dev/zero).
type AnonMapper interface {
	MapsAnonymous()
}
