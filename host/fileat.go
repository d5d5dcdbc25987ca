// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// checkName refuses whatever is not a single component.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return unix.EINVAL
	case len(name) > 255:
		return unix.ENAMETOOLONG
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' || name[i] == 0 {
			return unix.EINVAL
		}
	}
	return nil
}

// MkdirAt makes a directory.
func MkdirAt(dirfd int, name string, mode uint32) error {
	if err := checkName(name); err != nil {
		return err
	}
	return unix.Mkdirat(dirfd, name, mode)
}

// MknodAt makes a device, FIFO, socket or regular file.
func MknodAt(dirfd int, name string, mode uint32, dev uint64) error {
	if err := checkName(name); err != nil {
		return err
	}
	return unix.Mknodat(dirfd, name, mode, int(dev))
}

// SymlinkAt makes a symbolic link.
func SymlinkAt(target string, dirfd int, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return unix.Symlinkat(target, dirfd, name)
}

// LinkAt makes another name of a file; links are not followed.
func LinkAt(olddir int, oldname string, newdir int, newname string) error {
	if err := checkName(oldname); err != nil {
		return err
	}
	if err := checkName(newname); err != nil {
		return err
	}
	return unix.Linkat(olddir, oldname, newdir, newname, 0)
}

// UnlinkAt removes a name, of a directory if dir is set.
func UnlinkAt(dirfd int, name string, dir bool) error {
	if err := checkName(name); err != nil {
		return err
	}
	flags := 0
	if dir {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(dirfd, name, flags)
}

// RenameAt is renameat2.
func RenameAt(olddir int, oldname string, newdir int, newname string, flags uint32) error {
	if err := checkName(oldname); err != nil {
		return err
	}
	if err := checkName(newname); err != nil {
		return err
	}
	return unix.Renameat2(olddir, oldname, newdir, newname, uint(flags))
}

// ReadlinkAt gives a link's text.
func ReadlinkAt(dirfd int, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	b := make([]byte, 4096)
	n, err := unix.Readlinkat(dirfd, name, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// ChmodFD changes the mode of an open file.
func ChmodFD(fd int, mode uint32) error { return unix.Fchmod(fd, mode) }

// ChownAt changes the owner of a component; links are not followed. ids of
// ^uint32(0) are left alone.
func ChownAt(dirfd int, name string, uid, gid uint32) error {
	if err := checkName(name); err != nil {
		return err
	}
	return unix.Fchownat(dirfd, name, int(int32(uid)), int(int32(gid)), unix.AT_SYMLINK_NOFOLLOW)
}

// ChownFD changes the owner of an open file.
func ChownFD(fd int, uid, gid uint32) error {
	return unix.Fchown(fd, int(int32(uid)), int(int32(gid)))
}

// UtimesAt sets times; nil entries are left alone. Links are not followed.
func UtimesAt(dirfd int, name string, atime, mtime *[2]int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	ts := timesOf(atime, mtime)
	return unix.UtimesNanoAt(dirfd, name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
}

// UtimesFD sets the times of an open file.
func UtimesFD(fd int, atime, mtime *[2]int64) error {
	ts := timesOf(atime, mtime)
	return unix.UtimesNanoAt(unix.AT_FDCWD, "/proc/self/fd/"+itoa(fd), ts[:], 0)
}

func timesOf(atime, mtime *[2]int64) [2]unix.Timespec {
	ts := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, t := range [2]*[2]int64{atime, mtime} {
		if t != nil {
			ts[i] = unix.Timespec{Sec: t[0], Nsec: t[1]}
		}
	}
	return ts
}

// DirEntry is one entry of a host directory.
type DirEntry struct {
	Name string
	Ino  uint64
	Type uint8 // DT_*
}

// ReadDirFD reads all entries of the directory dirfd (which may be an O_PATH
// descriptor), "." and ".." left out.
func ReadDirFD(dirfd int) ([]DirEntry, error) {
	fd, err := OpenAt(dirfd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var out []DirEntry
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		for b := buf[:n]; len(b) >= 19; {
			reclen := int(binary.NativeEndian.Uint16(b[16:]))
			name := b[19:reclen]
			if i := bytes.IndexByte(name, 0); i >= 0 {
				name = name[:i]
			}
			if s := string(name); s != "." && s != ".." {
				out = append(out, DirEntry{s, binary.NativeEndian.Uint64(b), b[18]})
			}
			b = b[reclen:]
		}
	}
}

// GetxattrFD gives an extended attribute of an open file.
func GetxattrFD(fd int, name string) ([]byte, error) {
	b := make([]byte, 256)
	for {
		n, err := unix.Fgetxattr(fd, name, b)
		if err == unix.ERANGE && len(b) < 1<<16 {
			b = make([]byte, 1<<16)
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:n], nil
	}
}

// SetxattrFD sets an extended attribute of an open file.
func SetxattrFD(fd int, name string, value []byte, flags int) error {
	return unix.Fsetxattr(fd, name, value, flags)
}

// RemovexattrFD removes an extended attribute of an open file.
func RemovexattrFD(fd int, name string) error { return unix.Fremovexattr(fd, name) }

// ListxattrFD lists the extended attributes of an open file.
func ListxattrFD(fd int) ([]string, error) {
	b := make([]byte, 1<<16)
	n, err := unix.Flistxattr(fd, b)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range bytes.Split(b[:n], []byte{0}) {
		if len(s) > 0 {
			out = append(out, string(s))
		}
	}
	return out, nil
}

// FSStat is statfs of an open file: block size, blocks, free, available, files,
// free files.
func FSStat(fd int) (bsize int64, blocks, bfree, bavail, files, ffree uint64, err error) {
	var st unix.Statfs_t
	err = retry(func() error { return unix.Fstatfs(fd, &st) })
	return int64(st.Bsize), st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree, err
}

// ChmodPath changes the mode of what an O_PATH or other descriptor names; it
// needs the host's /proc.
func ChmodPath(fd int, mode uint32) error { return unix.Chmod("/proc/self/fd/"+itoa(fd), mode) }

// ChownPath is the like for the owner; it works on O_PATH descriptors.
func ChownPath(fd int, uid, gid uint32) error {
	return unix.Fchownat(fd, "", int(int32(uid)), int(int32(gid)), unix.AT_EMPTY_PATH)
}

// RenamePath is renameat2 by whole paths; tests compare with it.
func RenamePath(from, to string, flags uint32) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, uint(flags))
}

// ChrootThread gives the calling thread, which must be locked and not be used for
// anything else afterwards, a root directory of its own. For tests.
func ChrootThread(dir string) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Chroot(dir); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// SetUserThread makes the calling thread, locked as for ChrootThread, an ordinary
// user without groups. For tests.
func SetUserThread(id int) error {
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); e != 0 {
		return e
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(id), uintptr(id), uintptr(id)); e != 0 {
		return e
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(id), uintptr(id), uintptr(id)); e != 0 {
		return e
	}
	return nil
}

// NoExec reports whether the mount that fd lies on forbids executable mappings.
func NoExec(fd int) bool {
	var st unix.Statfs_t
	return retry(func() error { return unix.Fstatfs(fd, &st) }) == nil && st.Flags&unix.ST_NOEXEC != 0
}
