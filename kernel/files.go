// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
)

// Files is a descriptor table: struct files_struct.
type Files struct {
	mu    sync.Mutex
	users int
	slots []slot
	first int // no free slot is below

	// host tells which file the host process's own table holds at a number, for
	// mmap by CONTINUE; it belongs to the address space's only process.
	host map[int]any
}

type slot struct {
	file    *fs.File
	cloexec bool
}

// NewFiles returns an empty table with one user.
func NewFiles() *Files { return &Files{users: 1} }

// Share adds a user.
func (f *Files) Share() *Files { f.mu.Lock(); f.users++; f.mu.Unlock(); return f }

// Users is the number of tasks sharing the table.
func (f *Files) Users() int { f.mu.Lock(); defer f.mu.Unlock(); return f.users }

// Fork returns a copy for a child.
func (f *Files) Fork() *Files {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := &Files{users: 1, slots: make([]slot, len(f.slots)), first: f.first}
	for i, s := range f.slots {
		if s.file != nil {
			s.file.IncRef()
			n.slots[i] = s
		}
	}
	return n
}

// Drop removes a user; the last one closes everything. owner is the process for
// its record locks.
func (f *Files) Drop(ctx *fs.Context, owner any) {
	f.mu.Lock()
	f.users--
	if f.users > 0 {
		f.mu.Unlock()
		return
	}
	slots := f.slots
	f.slots = nil
	f.mu.Unlock()
	for _, s := range slots {
		if s.file != nil {
			_ = s.file.Flush(ctx, owner)
			s.file.DecRef()
		}
	}
}

// Get returns the file at fd with a reference; EBADF.
func (f *Files) Get(fd int) (*fs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd < 0 || fd >= len(f.slots) || f.slots[fd].file == nil {
		return nil, abi.EBADF
	}
	return f.slots[fd].file.IncRef(), nil
}

// Install puts file at the lowest free number not below low and takes over the
// caller's reference; EMFILE at limit, when the reference stays the caller's.
func (f *Files) Install(file *fs.File, low int, limit uint64, cloexec bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := max(low, f.first)
	for fd < len(f.slots) && f.slots[fd].file != nil {
		fd++
	}
	if uint64(fd) >= limit {
		return -1, abi.EMFILE
	}
	f.grow(fd)
	f.slots[fd] = slot{file, cloexec}
	if low <= f.first {
		f.first = fd + 1
	}
	return fd, nil
}

func (f *Files) grow(fd int) {
	for len(f.slots) <= fd {
		f.slots = append(f.slots, slot{})
	}
}

// InstallAt puts file at fd and returns what was there, whose reference is the
// caller's now.
func (f *Files) InstallAt(file *fs.File, fd int, cloexec bool) (old *fs.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.grow(fd)
	old = f.slots[fd].file
	f.slots[fd] = slot{file, cloexec}
	return old
}

// Take removes and returns the file at fd; EBADF.
func (f *Files) Take(fd int) (*fs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd < 0 || fd >= len(f.slots) || f.slots[fd].file == nil {
		return nil, abi.EBADF
	}
	file := f.slots[fd].file
	f.slots[fd] = slot{}
	f.first = min(f.first, fd)
	return file, nil
}

// Cloexec reads the close-on-exec flag; EBADF.
func (f *Files) Cloexec(fd int) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd < 0 || fd >= len(f.slots) || f.slots[fd].file == nil {
		return false, abi.EBADF
	}
	return f.slots[fd].cloexec, nil
}

// SetCloexec changes the close-on-exec flag; EBADF.
func (f *Files) SetCloexec(fd int, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd < 0 || fd >= len(f.slots) || f.slots[fd].file == nil {
		return abi.EBADF
	}
	f.slots[fd].cloexec = on
	return nil
}

// Len is one more than the highest descriptor in use may be.
func (f *Files) Len() int { f.mu.Lock(); defer f.mu.Unlock(); return len(f.slots) }

// List returns the descriptors in use, ascending.
func (f *Files) List() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int
	for i, s := range f.slots {
		if s.file != nil {
			out = append(out, i)
		}
	}
	return out
}

// closeOnExec removes and returns the files that exec closes.
func (f *Files) closeOnExec() (closed []*fs.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range f.slots {
		if s.file != nil && s.cloexec {
			closed = append(closed, s.file)
			f.slots[i] = slot{}
			f.first = min(f.first, i)
		}
	}
	return closed
}

// FileByFD gives the file of one of the task's descriptors, with a reference more,
// for devices whose controls name files.
func (t *Task) FileByFD(fd int) (*fs.File, error) { return t.Files.Get(fd) }

// FSInfo is root, working directory and umask: struct fs_struct.
type FSInfo struct {
	gen   atomic.Uint64 // counts changes of what follows; starts at 1
	mu    sync.Mutex
	users int
	root  fs.Held
	cwd   fs.Held
	umask uint32
}

// NewFSInfo returns an FSInfo with one user and Linux's usual umask.
func NewFSInfo(root, cwd fs.Path) *FSInfo {
	i := &FSInfo{users: 1, root: fs.Hold(root), cwd: fs.Hold(cwd), umask: 0o022}
	i.gen.Store(1)
	return i
}

// fill copies what changed since generation gen into c and returns the present one.
func (i *FSInfo) fill(c *fs.Context, gen uint64) uint64 {
	now := i.gen.Load()
	if now == gen {
		return now
	}
	i.mu.Lock()
	c.Root, c.Cwd, c.Umask = i.root.Path, i.cwd.Path, i.umask
	i.mu.Unlock()
	return now
}

// Share adds a user.
func (i *FSInfo) Share() *FSInfo { i.mu.Lock(); i.users++; i.mu.Unlock(); return i }

// Fork returns a copy.
func (i *FSInfo) Fork() *FSInfo {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := NewFSInfo(i.root.Path, i.cwd.Path)
	n.umask = i.umask
	return n
}

// Drop removes a user; the last one lets go of the directories.
func (i *FSInfo) Drop() {
	i.mu.Lock()
	i.users--
	last := i.users == 0
	i.mu.Unlock()
	if last {
		i.root.Put()
		i.cwd.Put()
	}
}

// Root is the root directory.
func (i *FSInfo) Root() fs.Path { i.mu.Lock(); defer i.mu.Unlock(); return i.root.Path }

// Cwd is the working directory.
func (i *FSInfo) Cwd() fs.Path { i.mu.Lock(); defer i.mu.Unlock(); return i.cwd.Path }

// SetRoot changes the root directory.
func (i *FSInfo) SetRoot(p fs.Path) { i.set(&i.root, p) }

// SetCwd changes the working directory.
func (i *FSInfo) SetCwd(p fs.Path) { i.set(&i.cwd, p) }

func (i *FSInfo) set(at *fs.Held, p fs.Path) {
	held := fs.Hold(p)
	i.mu.Lock()
	old := *at
	*at = held
	i.gen.Add(1)
	i.mu.Unlock()
	old.Put()
}

// Umask is the file creation mask.
func (i *FSInfo) Umask() uint32 { i.mu.Lock(); defer i.mu.Unlock(); return i.umask }

// SetUmask changes the mask and returns the old one.
func (i *FSInfo) SetUmask(m uint32) uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := i.umask
	i.umask = m & 0o777
	i.gen.Add(1)
	return old
}
