// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func putTimespec(b []byte, ts abi.Timespec) {
	le.PutUint64(b, uint64(ts.Sec))
	le.PutUint64(b[8:], uint64(ts.Nsec))
}

func stat(t *kernel.Task, a Args) (uint64, error) {
	return statAt(t, abi.AT_FDCWD, a[0], a[1], 0)
}

func lstat(t *kernel.Task, a Args) (uint64, error) {
	return statAt(t, abi.AT_FDCWD, a[0], a[1], abi.AT_SYMLINK_NOFOLLOW)
}

func fstat(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	at, err := f.Stat()
	f.DecRef()
	return putStat(t, a[1], &at, err)
}

func newfstatat(t *kernel.Task, a Args) (uint64, error) {
	flags := a.Int(3)
	if flags&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_NO_AUTOMOUNT|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	return statAt(t, a.Int(0), a[1], a[2], flags)
}

func statAt(t *kernel.Task, dirfd int, path, buf uint64, flags int) (uint64, error) {
	dir, name, err := userAtEmpty(t, dirfd, path, flags)
	if err != nil {
		return 0, err
	}
	at, err := fs.Stat(t.Context(), dir, name, flags)
	return putStat(t, buf, &at, err)
}

func putStat(t *kernel.Task, addr uint64, a *fs.Attr, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	b := encodeStat(a)
	return 0, t.CopyOut(addr, b[:])
}

func statx(t *kernel.Task, a Args) (uint64, error) {
	flags, mask := a.Int(2), a.Uint(3)
	const known = abi.AT_SYMLINK_NOFOLLOW | abi.AT_NO_AUTOMOUNT | abi.AT_EMPTY_PATH | abi.AT_STATX_SYNC_TYPE
	if mask&abi.STATX__RESERVED != 0 || flags&abi.AT_STATX_SYNC_TYPE == abi.AT_STATX_SYNC_TYPE || flags&^known != 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAtEmpty(t, a.Int(0), a[1], flags)
	if err != nil {
		return 0, err
	}
	p, err := fs.LookupAt(t.Context(), dir, name, flags)
	if err != nil {
		return 0, err
	}
	at, err := fs.StatAttr(p.Inode())
	if err != nil {
		return 0, err
	}
	b := encodeStatx(&at, p, mask)
	return 0, t.CopyOut(a[4], b[:])
}

// encodeStatx makes a struct statx (abi.Statx).
func encodeStatx(a *fs.Attr, p fs.Path, want uint32) (b [256]byte) {
	mask := uint32(abi.STATX_BASIC_STATS | abi.STATX_MNT_ID)
	attrs := uint64(a.Attributes)
	if p.Dentry == p.Mnt.Root {
		attrs |= abi.STATX_ATTR_MOUNT_ROOT
	}
	le.PutUint32(b[4:], a.Blksize)
	le.PutUint64(b[8:], attrs)
	le.PutUint32(b[16:], a.Nlink)
	le.PutUint32(b[20:], a.UID)
	le.PutUint32(b[24:], a.GID)
	le.PutUint16(b[28:], uint16(a.Mode))
	le.PutUint64(b[32:], a.Ino)
	le.PutUint64(b[40:], uint64(a.Size))
	le.PutUint64(b[48:], a.Blocks)
	le.PutUint64(b[56:], attrs|uint64(a.AttrMask)|abi.STATX_ATTR_MOUNT_ROOT|abi.STATX_ATTR_AUTOMOUNT|abi.STATX_ATTR_DAX)
	putStatxTime(b[64:], a.Atime)
	putStatxTime(b[96:], a.Ctime)
	putStatxTime(b[112:], a.Mtime)
	if a.Btime != (abi.Timespec{}) && want&abi.STATX_BTIME != 0 {
		mask |= abi.STATX_BTIME
		putStatxTime(b[80:], a.Btime)
	}
	le.PutUint32(b[128:], abi.Major(a.Rdev))
	le.PutUint32(b[132:], abi.Minor(a.Rdev))
	le.PutUint32(b[136:], abi.Major(a.Dev))
	le.PutUint32(b[140:], abi.Minor(a.Dev))
	le.PutUint64(b[144:], uint64(p.Mnt.ID))
	if d, ok := p.Inode().(fs.DirectIOer); ok && want&abi.STATX_DIOALIGN != 0 && a.Type() == abi.S_IFREG && d.DirectAlign() != 1 {
		mask |= abi.STATX_DIOALIGN
		le.PutUint32(b[152:], d.DirectAlign())
		le.PutUint32(b[156:], d.DirectAlign())
	}
	le.PutUint32(b[0:], mask)
	return b
}

func putStatxTime(b []byte, ts abi.Timespec) {
	le.PutUint64(b, uint64(ts.Sec))
	le.PutUint32(b[8:], uint32(ts.Nsec))
}

func statfs(t *kernel.Task, a Args) (uint64, error) {
	name, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	p, err := fs.Lookup(t.Context(), fs.Path{}, name, fs.LookupFollow)
	if err != nil {
		return 0, err
	}
	return putStatfs(t, a[1], p)
}

func fstatfs(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		_, err := putStatfs(t, a[1], f.Path)
		return err
	})
}

func putStatfs(t *kernel.Task, addr uint64, p fs.Path) (uint64, error) {
	s, err := fs.Statfs(t.Context(), p)
	if err != nil {
		return 0, err
	}
	var b [120]byte
	for i, w := range []uint64{uint64(s.Type), uint64(s.Bsize), s.Blocks, s.Bfree, s.Bavail, s.Files, s.Ffree,
		uint64(uint32(s.Fsid[0])) | uint64(uint32(s.Fsid[1]))<<32, uint64(s.Namelen), uint64(s.Frsize), uint64(s.Flags)} {
		le.PutUint64(b[8*i:], w)
	}
	return 0, t.CopyOut(addr, b[:])
}

func access(t *kernel.Task, a Args) (uint64, error) {
	return accessAt(t, abi.AT_FDCWD, a[0], a.Uint(1), 0)
}

func faccessat(t *kernel.Task, a Args) (uint64, error) {
	return accessAt(t, a.Int(0), a[1], a.Uint(2), 0)
}

func faccessat2(t *kernel.Task, a Args) (uint64, error) {
	return accessAt(t, a.Int(0), a[1], a.Uint(2), a.Int(3))
}

func accessAt(t *kernel.Task, dirfd int, path uint64, mode uint32, flags int) (uint64, error) {
	if mode&^(abi.R_OK|abi.W_OK|abi.X_OK) != 0 || flags&^(abi.AT_EACCESS|abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAtEmpty(t, dirfd, path, flags)
	if err != nil {
		return 0, err
	}
	return 0, fs.Access(t.Context(), dir, name, mode, flags)
}
