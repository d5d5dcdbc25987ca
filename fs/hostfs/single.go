// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"runtime"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// single is one host file as the root of a file system of its own, to be mounted
// on a file: how the executable gets into the built-in guest without a copy.
type single struct {
	fd    int
	close runtime.Cleanup // closes fd with the file system
	attr  fs.Attr
}

// NewFile makes a read-only file system whose root is the regular host file open
// at fd, with permission bits perm and owned by the guest's root. It keeps fd.
func NewFile(v *fs.VFS, fd int, perm uint32) (*fs.SuperBlock, error) {
	var st host.FileStat
	if err := host.StatAt(fd, "", &st); err != nil {
		return nil, err
	}
	if st.Mode&abi.S_IFMT != abi.S_IFREG {
		return nil, abi.EINVAL
	}
	s := &single{fd: fd}
	s.close = runtime.AddCleanup(s, func(fd int) { host.CloseFD(fd) }, fd)
	sb := v.NewSuperBlock("hostfs", 0x00c0ffee, s)
	sb.SetReadOnly(true)
	ts := func(t [2]int64) abi.Timespec { return abi.Timespec{Sec: t[0], Nsec: t[1]} }
	s.attr = fs.Attr{Dev: sb.Dev, Ino: 1, Mode: abi.S_IFREG | perm, Nlink: 1, Size: st.Size, Blocks: uint64(st.Blocks),
		Blksize: 4096, Atime: ts(st.Atime), Mtime: ts(st.Mtime), Ctime: ts(st.Ctime)}
	return sb, sb.SetRoot(s)
}

// Getattr implements fs.Inode.
func (s *single) Getattr() (fs.Attr, error) { return s.attr, nil }

// Open implements fs.Opener.
func (s *single) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) { return s, nil }

// ReadAt implements fs.ReaderAt.
func (s *single) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) {
	return host.Pread(s.fd, p, off)
}

// Remount implements fs.Remounter: it stays read-only.
func (s *single) Remount(flags uint32, _ string) error {
	if flags&abi.MS_RDONLY == 0 {
		return abi.EROFS
	}
	return nil
}

// MapFD implements fs.Mapper.
func (s *single) MapFD(offset, _ int64, write, shared, _ bool) (int, int64, error) {
	if write && shared {
		return -1, 0, abi.EACCES
	}
	return s.fd, offset, nil
}

// ReleaseSuper closes the host file when the file system goes.
func (s *single) ReleaseSuper() {
	s.close.Stop()
	_ = host.CloseFD(s.fd)
}
