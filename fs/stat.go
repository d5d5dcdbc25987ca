// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Stat gives attributes. atFlags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func Stat(ctx *Context, dir Path, name string, atFlags int) (Attr, error) {
	p, err := LookupAt(ctx, dir, name, atFlags)
	if err != nil {
		return Attr{}, err
	}
	return StatAttr(p.Dentry.inode)
}

// Access is faccessat2(2); atFlags may have AT_EACCESS too.
func Access(ctx *Context, dir Path, name string, mode uint32, atFlags int) error {
	if mode&^(abi.R_OK|abi.W_OK|abi.X_OK) != 0 {
		return abi.EINVAL
	}
	c := *ctx
	if atFlags&abi.AT_EACCESS == 0 {
		c.Creds = ctx.Creds.ForAccess()
	}
	p, err := LookupAt(&c, dir, name, atFlags)
	if err != nil || mode == abi.F_OK {
		return err
	}
	if mode&abi.X_OK != 0 && p.Dentry.kind == abi.S_IFREG && p.Mnt.flags.Load()&abi.MS_NOEXEC != 0 {
		return abi.EACCES
	}
	if err := mayAccess(&c, p.Dentry, mode); err != nil {
		return err
	}
	if mode&abi.W_OK != 0 && p.Mnt.ReadOnly() && !isSpecial(p.Dentry.kind) {
		return abi.EROFS
	}
	return nil
}

// isSpecial is special_file(): what can be written on a read-only mount.
func isSpecial(kind uint32) bool {
	switch kind {
	case abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO, abi.S_IFSOCK:
		return true
	}
	return false
}

// Readlink gives a link's text; an empty name reads dir itself.
func Readlink(ctx *Context, dir Path, name string) (string, error) {
	p, err := Lookup(ctx, dir, name, LookupEmpty)
	if err != nil {
		return "", err
	}
	if p.Dentry.kind != abi.S_IFLNK {
		if name == "" {
			return "", abi.ENOENT
		}
		return "", abi.EINVAL
	}
	return readlink(ctx, p.Dentry.inode)
}

// Statfs is statfs(2) of a place.
func Statfs(ctx *Context, p Path) (abi.Statfs, error) {
	sb := p.Mnt.SB
	st := abi.Statfs{Bsize: 4096, Namelen: abi.NAME_MAX}
	if s, ok := sb.Ops.(Statfser); ok {
		var err error
		if st, err = s.Statfs(); err != nil {
			return st, err
		}
	}
	st.Type = sb.Magic
	if st.Frsize == 0 {
		st.Frsize = st.Bsize
	}
	if st.Fsid == [2]int32{} {
		st.Fsid = [2]int32{int32(sb.Dev), int32(sb.Dev >> 32)}
	}
	st.Flags = abi.ST_VALID
	f := p.Mnt.flags.Load()
	for _, m := range [...][2]uint32{
		{abi.MS_NOSUID, abi.ST_NOSUID}, {abi.MS_NODEV, abi.ST_NODEV}, {abi.MS_NOEXEC, abi.ST_NOEXEC},
		{abi.MS_NOATIME, abi.ST_NOATIME}, {abi.MS_NODIRATIME, abi.ST_NODIRATIME},
		{abi.MS_RELATIME, abi.ST_RELATIME}, {abi.MS_NOSYMFOLLOW, abi.ST_NOSYMFOLLOW},
	} {
		if f&m[0] != 0 {
			st.Flags |= int64(m[1])
		}
	}
	if p.Mnt.ReadOnly() {
		st.Flags |= abi.ST_RDONLY
	}
	if sb.Synchronous() {
		st.Flags |= abi.ST_SYNCHRONOUS
	}
	return st, nil
}
