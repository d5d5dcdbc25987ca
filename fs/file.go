// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/lib/wait"
)

// File is an open file description (struct file). It starts with one
// reference; every descriptor and every other holder (a mapping, a message in
// flight) has one of its own.
type File struct {
	// Path is where the file was opened. Never changes.
	Path Path

	ops   FileOps
	inode Inode
	refs  atomic.Int32
	flags atomic.Uint32 // O_* as F_GETFL shows them, without creation flags
	read  bool          // FMODE_READ
	write bool          // FMODE_WRITE
	kind  uint32        // S_IFMT bits

	counted  bool // has a write count in VFS.writers
	denied   bool // denies writing (OpenExec)
	pinned   bool // Pinner.Pin was called
	opened   bool // whoever watches was told (FMODE_OPENED)
	atime    bool // reads may have to set the access time
	relatime bool

	// Abilities of ops, looked up once.
	readerAt readerAt
	writerAt writerAt
	sreader  StreamReader
	swriter  StreamWriter
	poller   Poller

	posMu sync.Mutex
	pos   atomic.Int64 // changed with posMu held

	noCaps  atomic.Uint64 // VFS.fileCaps + 1 when it had no capabilities
	flocked atomic.Bool   // has or had a flock or OFD lock
	watchMu sync.Mutex
	watches map[*epollItem]struct{} // epoll items on this file; guarded by watchMu

	ownerMu sync.Mutex
	owner   any // F_SETOWN, guarded by ownerMu; the kernel's
	sig     int // F_SETSIG, guarded by ownerMu
}

type (
	readerAt = ReaderAt
	writerAt = WriterAt
)

// NewFile makes a File of ops at path, with flags O_*. The VFS does this in
// Open; sockets and other files outside any tree use NewAnonFile.
func NewFile(path Path, ops FileOps, flags int) *File {
	f := &File{Path: path, ops: ops}
	if path.Dentry != nil {
		f.inode = path.Dentry.inode
		f.kind = path.Dentry.kind
	}
	if path.Mnt != nil {
		path.hold()
	}
	f.refs.Store(1)
	f.flags.Store(uint32(flags) &^ openOnlyFlags)
	if flags&abi.O_PATH == 0 {
		acc := flags & abi.O_ACCMODE
		f.read = acc == abi.O_RDONLY || acc == abi.O_RDWR
		f.write = acc == abi.O_WRONLY || acc == abi.O_RDWR
	}
	f.readerAt, _ = ops.(ReaderAt)
	f.writerAt, _ = ops.(WriterAt)
	f.sreader, _ = ops.(StreamReader)
	f.swriter, _ = ops.(StreamWriter)
	f.poller, _ = ops.(Poller)
	return f
}

// openOnlyFlags are not remembered in a File (F_GETFL does not show them).
const openOnlyFlags = abi.O_CREAT | abi.O_EXCL | abi.O_NOCTTY | abi.O_TRUNC | abi.O_CLOEXEC

// setFlags are the flags that F_SETFL can change.
const setFlags = abi.O_APPEND | abi.O_NONBLOCK | abi.O_ASYNC | abi.O_DIRECT | abi.O_NOATIME

// Ops gives what the file system or device put behind the file.
func (f *File) Ops() FileOps { return f.ops }

// Inode gives the file's inode; never nil.
func (f *File) Inode() Inode { return f.inode }

// Kind gives the S_IFMT bits.
func (f *File) Kind() uint32 { return f.kind }

// Flags gives the O_* flags of F_GETFL.
func (f *File) Flags() int { return int(f.flags.Load()) }

// Nonblock reports whether O_NONBLOCK is set.
func (f *File) Nonblock() bool { return f.flags.Load()&abi.O_NONBLOCK != 0 }

// Readable reports whether the file is open for reading.
func (f *File) Readable() bool { return f.read }

// Writable reports whether the file is open for writing.
func (f *File) Writable() bool { return f.write }

// IsPath reports whether the file was opened with O_PATH.
func (f *File) IsPath() bool { return f.flags.Load()&abi.O_PATH != 0 }

// IncRef adds a reference and returns f.
func (f *File) IncRef() *File {
	if f.refs.Add(1) <= 1 {
		panic("fs: reference to a released file")
	}
	return f
}

// TryIncRef adds a reference unless the file is released already.
func (f *File) TryIncRef() bool {
	for {
		n := f.refs.Load()
		if n <= 0 {
			return false
		}
		if f.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// DecRef drops a reference; the last one releases the file: its flock and OFD
// locks, its epoll items, and what is behind it.
func (f *File) DecRef() {
	switch n := f.refs.Add(-1); {
	case n < 0:
		panic("fs: file released twice")
	case n == 0:
		f.release()
	}
}

// Poll gives the events that hold now. Files that cannot be waited for are
// always readable and writable.
func (f *File) Poll() wait.Mask {
	if f.poller == nil {
		return abi.POLLIN | abi.POLLOUT | abi.POLLRDNORM | abi.POLLWRNORM
	}
	return f.poller.Poll()
}

// Queue gives the queue that announces changes of Poll; nil when the file
// cannot be waited for.
func (f *File) Queue() *wait.Queue {
	if f.poller == nil {
		return nil
	}
	return f.poller.WaitQueue()
}

// Pollable reports whether epoll accepts the file.
func (f *File) Pollable() bool { return f.poller != nil }

// Owner gives what SetOwner stored (F_SETOWN) and the F_SETSIG signal.
func (f *File) Owner() (owner any, sig int) {
	f.ownerMu.Lock()
	defer f.ownerMu.Unlock()
	return f.owner, f.sig
}

// SetOwner stores the kernel's idea of who gets SIGIO.
func (f *File) SetOwner(owner any) {
	f.ownerMu.Lock()
	defer f.ownerMu.Unlock()
	f.owner = owner
}

// SetSig stores the signal of F_SETSIG.
func (f *File) SetSig(sig int) {
	f.ownerMu.Lock()
	defer f.ownerMu.Unlock()
	f.sig = sig
}
