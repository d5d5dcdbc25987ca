// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// MapRun is a piece of a file, and where guest processes can map it from: Len bytes
// from offset Off on of host descriptor FD.
type MapRun struct {
	FD       int
	Off, Len int64
}

// RunMapper is the Mapper of files whose bytes lie in pieces of a host file (a disk
// image), which other files use once they are freed.
type RunMapper interface {
	// MapRuns gives the pieces, in order, that make up [offset, offset+length), both
	// multiples of a page's size. The descriptors are read-only unless write and
	// shared are both set, stay the file system's and stay valid until the File is
	// released. The pieces stay where they are until Mappings.Relocate tells of
	// another place; whoever asks has made himself known before as one who may map
	// the file (mm.AddressSpace.AddMapping). *WouldBlock while they move; ErrMustWait
	// when the file must be prepared first.
	MapRuns(ctx *Context, offset, length int64, write, shared bool) ([]MapRun, error)
	// FindRun gives the file's offset of a byte of the host file which FD of its
	// pieces stands for.
	FindRun(same func(fd int) bool, hostOff int64) (off int64, ok bool)
}

// Moved is the new place of a piece: mapped from FD, or from WriteFD where stores
// reach the file.
type Moved struct {
	FD, WriteFD int
	Off         int64
}

// Mappings is what a file system asks of the kernel above before it changes where a
// file's bytes lie: guest processes map them as host memory, and the host does not
// tell who does.
type Mappings interface {
	// Relocate stops every process that may map inode, calls move, which must leave
	// the file's contents as they are and gives the new place of each piece of from,
	// and has them all map that. When it returns nothing maps the old places, and
	// what the processes stored there before is in the new. move is not called when
	// nobody maps any of from; with a nil move whoever does is killed (nobody should).
	//
	// It waits: the caller is on a goroutine that may (Context.MayWait) and holds no
	// lock that the kernel's receiver might want, the file system's own included.
	Relocate(inode Inode, from []MapRun, move func() ([]Moved, error)) error
	// RelocatePart is Relocate where inode may be mapped from other places too.
	RelocatePart(inode Inode, from []MapRun, move func() ([]Moved, error)) error
	// Unused reports whether it is certain that nobody maps inode, and will not until he
	// has asked for its place. It does not wait, and takes the kernel's locks.
	Unused(inode Inode) bool
	// Do runs f, then lets every task go on that f woke.
	Do(f func())
}

// Settler is the ability of Mappings to have processes let go what they have mapped
// through a mount and unmapped since: they keep it busy. It waits as Relocate does.
type Settler interface {
	Settle(m *Mount)
}

// MapInoder is the ability of files whose mappings are another inode's (overlayfs).
type MapInoder interface {
	MapInode() Inode
}

// MapInode is the inode whose bytes a mapping of f shows.
func (f *File) MapInode() Inode {
	if m, ok := f.ops.(MapInoder); ok {
		if i := m.MapInode(); i != nil {
			return i
		}
	}
	return f.inode
}

// MapRuns asks for host memory to map, in pieces; whole tells that it is one piece of
// a descriptor which never shows anything but this file. See Mapper and RunMapper; it
// checks what MapFD checks.
func (f *File) MapRuns(ctx *Context, offset, length int64, write, shared, exec bool) (runs []MapRun, whole bool, err error) {
	m, ok := f.RunMapper()
	if !ok {
		fd, off, err := f.MapFD(offset, length, write, shared, exec)
		return []MapRun{{fd, off, length}}, true, err
	}
	if err := f.MayMap(write, shared, exec); err != nil {
		return nil, false, err
	}
	runs, err = m.MapRuns(ctx, offset, length, write, shared)
	have := int64(0)
	for _, r := range runs {
		have += r.Len
	}
	if err == nil && have != length {
		return nil, false, abi.EIO
	}
	return runs, false, err
}

// RunMapper gives f's ability of that name.
func (f *File) RunMapper() (RunMapper, bool) {
	ops := f.ops
	if u, ok := ops.(interface{ MapOps() FileOps }); ok {
		ops = u.MapOps()
	}
	m, ok := ops.(RunMapper)
	return m, ok
}

// MayMap tells why f cannot be mapped so: EBADF, EACCES, or EPERM for noexec.
func (f *File) MayMap(write, shared, exec bool) error {
	switch {
	case f.IsPath():
		return abi.EBADF
	case !f.read, shared && write && !f.write:
		return abi.EACCES
	case exec && f.Path.Mnt.flags.Load()&abi.MS_NOEXEC != 0:
		return abi.EPERM
	}
	return nil
}
