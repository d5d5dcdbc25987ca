// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func mkdir(t *kernel.Task, a Args) (uint64, error) {
	return mkdirAt(t, abi.AT_FDCWD, a[0], a.Uint(1))
}

func mkdirat(t *kernel.Task, a Args) (uint64, error) {
	return mkdirAt(t, a.Int(0), a[1], a.Uint(2))
}

func mkdirAt(t *kernel.Task, dirfd int, path uint64, mode uint32) (uint64, error) {
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	return 0, fs.Mkdir(t.Context(), dir, name, mode)
}

func rmdir(t *kernel.Task, a Args) (uint64, error) {
	return removeAt(t, abi.AT_FDCWD, a[0], fs.Rmdir)
}

func unlink(t *kernel.Task, a Args) (uint64, error) {
	return removeAt(t, abi.AT_FDCWD, a[0], fs.Unlink)
}

func unlinkat(t *kernel.Task, a Args) (uint64, error) {
	if a.Int(2)&^abi.AT_REMOVEDIR != 0 {
		return 0, abi.EINVAL
	}
	if a.Int(2) != 0 {
		return removeAt(t, a.Int(0), a[1], fs.Rmdir)
	}
	return removeAt(t, a.Int(0), a[1], fs.Unlink)
}

func removeAt(t *kernel.Task, dirfd int, path uint64, remove func(*fs.Context, fs.Path, string) error) (uint64, error) {
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	return 0, remove(t.Context(), dir, name)
}

func rename(t *kernel.Task, a Args) (uint64, error) {
	return renameAt(t, abi.AT_FDCWD, a[0], abi.AT_FDCWD, a[1], 0)
}

func renameat(t *kernel.Task, a Args) (uint64, error) {
	return renameAt(t, a.Int(0), a[1], a.Int(2), a[3], 0)
}

func renameat2(t *kernel.Task, a Args) (uint64, error) {
	return renameAt(t, a.Int(0), a[1], a.Int(2), a[3], a.Uint(4))
}

func renameAt(t *kernel.Task, oldFD int, oldPath uint64, newFD int, newPath uint64, flags uint32) (uint64, error) {
	from, oldName, err := userAt(t, oldFD, oldPath)
	if err != nil {
		return 0, err
	}
	to, newName, err := userAt(t, newFD, newPath)
	if err != nil {
		return 0, err
	}
	return 0, fs.Rename(t.Context(), from, oldName, to, newName, flags)
}

func link(t *kernel.Task, a Args) (uint64, error) {
	return linkAt(t, abi.AT_FDCWD, a[0], abi.AT_FDCWD, a[1], 0)
}

func linkat(t *kernel.Task, a Args) (uint64, error) {
	return linkAt(t, a.Int(0), a[1], a.Int(2), a[3], a.Int(4))
}

func linkAt(t *kernel.Task, oldFD int, oldPath uint64, newFD int, newPath uint64, flags int) (uint64, error) {
	if flags&^(abi.AT_SYMLINK_FOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	from, oldName, err := userAtEmpty(t, oldFD, oldPath, flags)
	if err != nil {
		return 0, err
	}
	if oldName == "" && !t.Creds().Capable(abi.CAP_DAC_READ_SEARCH) {
		return 0, abi.ENOENT // as if AT_EMPTY_PATH had not been given
	}
	to, newName, err := userAt(t, newFD, newPath)
	if err != nil {
		return 0, err
	}
	return 0, fs.Link(t.Context(), from, oldName, to, newName, flags)
}

func symlink(t *kernel.Task, a Args) (uint64, error) {
	return symlinkAt(t, a[0], abi.AT_FDCWD, a[1])
}

func symlinkat(t *kernel.Task, a Args) (uint64, error) {
	return symlinkAt(t, a[0], a.Int(1), a[2])
}

func symlinkAt(t *kernel.Task, text uint64, dirfd int, path uint64) (uint64, error) {
	target, err := userPath(t, text)
	if err != nil {
		return 0, err
	}
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	return 0, fs.Symlink(t.Context(), target, dir, name)
}

func readlink(t *kernel.Task, a Args) (uint64, error) {
	return readlinkAt(t, abi.AT_FDCWD, a[0], a[1], a.Int(2))
}

func readlinkat(t *kernel.Task, a Args) (uint64, error) {
	return readlinkAt(t, a.Int(0), a[1], a[2], a.Int(3))
}

func readlinkAt(t *kernel.Task, dirfd int, path, buf uint64, size int) (uint64, error) {
	if size <= 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	if name == "" && dirfd == abi.AT_FDCWD {
		return 0, abi.ENOENT
	}
	text, err := fs.Readlink(t.Context(), dir, name)
	if err != nil {
		return 0, err
	}
	n := min(len(text), size)
	return uint64(n), t.CopyOut(buf, []byte(text[:n]))
}

func mknod(t *kernel.Task, a Args) (uint64, error) {
	return mknodAt(t, abi.AT_FDCWD, a[0], a.Uint(1), a.Uint(2))
}

func mknodat(t *kernel.Task, a Args) (uint64, error) {
	return mknodAt(t, a.Int(0), a[1], a.Uint(2), a.Uint(3))
}

// mknodAt takes dev in the 32-bit form (new_decode_dev), which abi.Makedev
// extends.
func mknodAt(t *kernel.Task, dirfd int, path uint64, mode, dev uint32) (uint64, error) {
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	return 0, fs.Mknod(t.Context(), dir, name, mode, uint64(dev))
}

func chdir(t *kernel.Task, a Args) (uint64, error) {
	name, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	p, err := fs.LookupDir(t.Context(), fs.Path{}, name)
	if err != nil {
		return 0, err
	}
	t.FS.SetCwd(p)
	return 0, nil
}

func fchdir(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		if err := fs.CheckChdir(t.Context(), f.Path); err != nil {
			return err
		}
		t.FS.SetCwd(f.Path)
		return nil
	})
}

func chroot(t *kernel.Task, a Args) (uint64, error) {
	name, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	p, err := fs.LookupDir(t.Context(), fs.Path{}, name)
	if err != nil {
		return 0, err
	}
	if !t.Creds().Capable(abi.CAP_SYS_CHROOT) {
		return 0, abi.EPERM
	}
	t.FS.SetRoot(p)
	return 0, nil
}

func getcwd(t *kernel.Task, a Args) (uint64, error) {
	cwd := t.FS.Cwd()
	if cwd.Dentry.Unlinked() {
		return 0, abi.ENOENT
	}
	s := fs.DPath(cwd, t.FS.Root()) + "\x00"
	if len(s) > abi.PATH_MAX {
		return 0, abi.ENAMETOOLONG
	}
	if uint64(len(s)) > a[1] {
		return 0, abi.ERANGE
	}
	return uint64(len(s)), t.CopyOut(a[0], []byte(s))
}

func umask(t *kernel.Task, a Args) (uint64, error) {
	return uint64(t.FS.SetUmask(a.Uint(0))), nil
}

// direntEncoder adds an entry to a buffer; false when there is no room.
type direntEncoder func(b []byte, e fs.Dirent) (n int, ok bool)

// dirent64 makes a struct linux_dirent64.
func dirent64(b []byte, e fs.Dirent) (int, bool) {
	const head = 19
	n := (head + len(e.Name) + 1 + 7) &^ 7
	if n > len(b) {
		return 0, false
	}
	clear(b[n-8 : n])
	direntHead(b, e, n)
	b[18] = e.Type
	copy(b[head:], e.Name)
	return n, true
}

// direntOld makes a struct linux_dirent, whose type is its last byte.
func direntOld(b []byte, e fs.Dirent) (int, bool) {
	const head = 18
	n := (head + len(e.Name) + 2 + 7) &^ 7
	if n > len(b) {
		return 0, false
	}
	clear(b[n-8 : n])
	direntHead(b, e, n)
	copy(b[head:], e.Name)
	b[n-1] = e.Type
	return n, true
}

func direntHead(b []byte, e fs.Dirent, n int) {
	le.PutUint64(b[0:], e.Ino)
	le.PutUint64(b[8:], uint64(e.Off))
	le.PutUint16(b[16:], uint16(n))
}

func (h *fileIO) getdents64(t *kernel.Task, a Args) (uint64, error) { return h.readDir(t, a, dirent64) }
func (h *fileIO) getdents(t *kernel.Task, a Args) (uint64, error)   { return h.readDir(t, a, direntOld) }

func (h *fileIO) readDir(t *kernel.Task, a Args, encode direntEncoder) (uint64, error) {
	return withFileValue(t, a.Int(0), func(f *fs.File) (uint64, error) {
		loan, buf := h.get(int(min(a.Uint(2), smallIO)))
		defer h.put(loan)
		n, refused, start := 0, false, f.Pos()
		err := f.ReadDir(t.Context(), func(e fs.Dirent) bool {
			e.Name = strings.ReplaceAll(e.Name, "\x00", "?") // a host may lie
			m, ok := encode(buf[n:], e)
			n, refused = n+m, !ok
			return ok
		})
		if err != nil && n == 0 {
			return 0, err
		}
		if n == 0 && refused {
			return 0, abi.EINVAL
		}
		if err := t.CopyOut(a[1], buf[:n]); err != nil {
			_, _ = f.Seek(t.Context(), start, abi.SEEK_SET)
			return 0, err
		}
		return uint64(n), nil
	})
}
