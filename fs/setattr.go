// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// setattr passes a checked change to the inode; EPERM when it cannot change.
func setattr(ctx *Context, d *Dentry, sa SetAttr) error {
	i := d.inode
	s, ok := i.(Setattrer)
	if !ok {
		return abi.EPERM
	}
	sa.Valid |= AttrCtime
	sa.Ctime = ctx.TimeFor(i)
	if err := s.Setattr(ctx, sa); err != nil {
		return err
	}
	if sa.Valid&AttrMode != 0 {
		if err := chmodACL(ctx, i, sa.Mode); err != nil {
			return err
		}
	}
	if mask := changeEvents(sa.Valid); mask != 0 {
		d.notify(mask)
	}
	return nil
}

// wantWrite is mnt_want_write.
func wantWrite(p Path) error {
	if p.Mnt.ReadOnly() {
		return abi.EROFS
	}
	return nil
}

// Chmod is fchmodat2(2).
func Chmod(ctx *Context, dir Path, name string, mode uint32, atFlags int) error {
	p, err := LookupAt(ctx, dir, name, atFlags)
	if err != nil {
		return err
	}
	return chmod(ctx, p, mode)
}

// Chmod is fchmod(2).
func (f *File) Chmod(ctx *Context, mode uint32) error {
	if f.IsPath() {
		return abi.EBADF
	}
	return chmod(ctx, f.Path, mode)
}

func chmod(ctx *Context, p Path, mode uint32) error {
	if err := wantWrite(p); err != nil {
		return err
	}
	i := p.Dentry.inode
	a, err := i.Getattr()
	if err != nil {
		return err
	}
	if a.Attributes&(abi.STATX_ATTR_IMMUTABLE|abi.STATX_ATTR_APPEND) != 0 { // may_setattr
		return abi.EPERM
	}
	if p.Dentry.kind == abi.S_IFLNK {
		return abi.EOPNOTSUPP
	}
	if !isOwner(ctx.Creds, &a) {
		return abi.EPERM
	}
	mode &= abi.S_IALLUGO
	if !ctx.Creds.InGroup(a.GID) && !ctx.Creds.Capable(abi.CAP_FSETID) {
		mode &^= abi.S_ISGID
	}
	return setattr(ctx, p.Dentry, SetAttr{Valid: AttrMode, Mode: mode})
}

// noID is the id that chown leaves alone.
const noID = ^uint32(0)

// Chown is fchownat(2); an id of ^uint32(0) is left alone.
func Chown(ctx *Context, dir Path, name string, uid, gid uint32, atFlags int) error {
	p, err := LookupAt(ctx, dir, name, atFlags)
	if err != nil {
		return err
	}
	return chown(ctx, p, uid, gid)
}

// Chown is fchown(2).
func (f *File) Chown(ctx *Context, uid, gid uint32) error {
	if f.IsPath() {
		return abi.EBADF
	}
	return chown(ctx, f.Path, uid, gid)
}

func chown(ctx *Context, p Path, uid, gid uint32) error {
	if err := wantWrite(p); err != nil {
		return err
	}
	i := p.Dentry.inode
	a, err := i.Getattr()
	if err != nil {
		return err
	}
	c := ctx.Creds
	sa := SetAttr{UID: uid, GID: gid}
	if (uid != noID || gid != noID) && a.Attributes&(abi.STATX_ATTR_IMMUTABLE|abi.STATX_ATTR_APPEND) != 0 {
		return abi.EPERM
	}
	if uid != noID {
		if !c.Capable(abi.CAP_CHOWN) && (c.FSUID != a.UID || uid != a.UID) {
			return abi.EPERM
		}
		sa.Valid |= AttrUID
	}
	if gid != noID {
		if !c.Capable(abi.CAP_CHOWN) && (c.FSUID != a.UID || gid != a.GID && !c.InGroup(gid)) {
			return abi.EPERM
		}
		sa.Valid |= AttrGID
	}
	if p.Dentry.kind != abi.S_IFDIR {
		if err := killFileCaps(ctx, i); err != nil {
			return err
		}
		sa.killPriv(c, &a, true)
	}
	return setattr(ctx, p.Dentry, sa)
}

// killPriv clears S_ISUID and S_ISGID as setattr_should_drop_suidgid says;
// always means even for those who have CAP_FSETID (chown).
func (sa *SetAttr) killPriv(c *Creds, a *Attr, always bool) {
	if !always && c.Capable(abi.CAP_FSETID) {
		return
	}
	mode := a.Mode & abi.S_IALLUGO
	kill := mode & abi.S_ISUID
	if mode&abi.S_ISGID != 0 && (mode&abi.S_IXGRP != 0 || !c.InGroup(a.GID) && !c.Capable(abi.CAP_FSETID)) {
		kill |= abi.S_ISGID
	}
	if kill != 0 {
		sa.Valid |= AttrMode
		sa.Mode = mode &^ kill
	}
}

// removePrivs is file_remove_privs: what a write does to a file with set-id bits or
// capabilities.
func (f *File) removePrivs(ctx *Context) error {
	d := f.Path.Dentry
	if d.kind != abi.S_IFREG {
		return nil
	}
	// Nobody gave any file capabilities since this one was found to have none.
	if given := d.sb.VFS.fileCaps.Load() + 1; f.noCaps.Load() != given {
		if err := killFileCaps(ctx, d.inode); err != nil {
			return err
		}
		f.noCaps.Store(given)
	}
	if ctx.Creds.Capable(abi.CAP_FSETID) {
		return nil
	}
	a, err := d.inode.Getattr()
	if err != nil || a.Mode&(abi.S_ISUID|abi.S_ISGID) == 0 {
		return err
	}
	var sa SetAttr
	if sa.killPriv(ctx.Creds, &a, false); sa.Valid == 0 {
		return nil
	}
	return setattr(ctx, d, sa)
}

// UpdateTime is file_update_time: the node of a device that is written tells of it. It may
// give ErrMustWait.
func UpdateTime(ctx *Context, p Path) error {
	if p.Dentry == nil || p.Mnt.ReadOnly() {
		return nil
	}
	i := p.Dentry.inode
	s, ok := i.(Setattrer)
	if !ok {
		return nil
	}
	a, err := i.Getattr()
	if err != nil {
		return err
	}
	now := ctx.TimeFor(i)
	if a.Mtime == now && a.Ctime == now {
		return nil
	}
	return s.Setattr(ctx, SetAttr{Valid: AttrMtime | AttrCtime, Mtime: now, Ctime: now})
}

// Utimens is utimensat(2); times nil means now; UTIME_NOW and UTIME_OMIT count.
func Utimens(ctx *Context, dir Path, name string, times *[2]abi.Timespec, atFlags int) error {
	if err := checkTimes(times); err != nil {
		return err
	}
	if times != nil && times[0].Nsec == abi.UTIME_OMIT && times[1].Nsec == abi.UTIME_OMIT {
		return nil
	}
	p, err := LookupAt(ctx, dir, name, atFlags)
	if err != nil {
		return err
	}
	return utimens(ctx, p, times)
}

// Utimens is futimens(3).
func (f *File) Utimens(ctx *Context, times *[2]abi.Timespec) error {
	if f.IsPath() {
		return abi.EBADF
	}
	if err := checkTimes(times); err != nil {
		return err
	}
	return utimens(ctx, f.Path, times)
}

func checkTimes(times *[2]abi.Timespec) error {
	if times == nil {
		return nil
	}
	for _, t := range times {
		if t.Nsec != abi.UTIME_NOW && t.Nsec != abi.UTIME_OMIT && (t.Nsec < 0 || t.Nsec >= 1e9) {
			return abi.EINVAL
		}
	}
	return nil
}

func utimens(ctx *Context, p Path, times *[2]abi.Timespec) error {
	if err := wantWrite(p); err != nil {
		return err
	}
	now := ctx.TimeFor(p.Dentry.inode)
	t := [2]abi.Timespec{now, now}
	valid := uint32(AttrAtime | AttrMtime)
	touch := true // both times become now: the right to write is enough
	if times != nil {
		for i, x := range times {
			switch x.Nsec {
			case abi.UTIME_OMIT:
				valid &^= AttrAtime << i
				touch = false
			case abi.UTIME_NOW:
			default:
				t[i] = x
				touch = false
			}
		}
	}
	if valid == 0 {
		return nil
	}
	a, err := p.Dentry.inode.Getattr()
	if err != nil {
		return err
	}
	if a.Attributes&abi.STATX_ATTR_IMMUTABLE != 0 || !touch && a.Attributes&abi.STATX_ATTR_APPEND != 0 {
		return abi.EPERM
	}
	if !isOwner(ctx.Creds, &a) {
		if !touch {
			return abi.EPERM
		}
		if err := mayAccess(ctx, p.Dentry, abi.W_OK); err != nil {
			return err
		}
	}
	return setattr(ctx, p.Dentry, SetAttr{Valid: valid, Atime: t[0], Mtime: t[1]})
}

// Truncate is truncate(2).
func Truncate(ctx *Context, dir Path, name string, size int64) error {
	if size < 0 {
		return abi.EINVAL
	}
	p, err := Lookup(ctx, dir, name, LookupFollow)
	if err != nil {
		return err
	}
	switch p.Dentry.kind {
	case abi.S_IFREG:
	case abi.S_IFDIR:
		return abi.EISDIR
	default:
		return abi.EINVAL
	}
	if err := wantWrite(p); err != nil {
		return err
	}
	if err := mayAccess(ctx, p.Dentry, abi.W_OK); err != nil {
		return err
	}
	if isFrozen(p.Dentry.inode, abi.STATX_ATTR_APPEND) {
		return abi.EPERM
	}
	v := p.Dentry.sb.VFS
	if err := v.getWrite(p.Dentry.inode); err != nil {
		return err
	}
	defer v.putWrite(p.Dentry.inode)
	return truncateInode(ctx, p.Dentry, size)
}

// Truncate is ftruncate(2).
func (f *File) Truncate(ctx *Context, size int64) error {
	if f.IsPath() {
		return abi.EBADF
	}
	if size < 0 || !f.write || f.kind != abi.S_IFREG {
		return abi.EINVAL
	}
	if appends, frozen := f.restricted(); appends || frozen {
		return abi.EPERM
	}
	return truncateInode(ctx, f.Path.Dentry, size)
}

// truncateInode is do_truncate.
func truncateInode(ctx *Context, d *Dentry, size int64) error {
	now := ctx.TimeFor(d.inode)
	sa := SetAttr{Valid: AttrSize | AttrMtime, Size: size, Mtime: now}
	if err := d.notSwap(); err != nil {
		return err
	}
	if err := killFileCaps(ctx, d.inode); err != nil {
		return err
	}
	if !ctx.Creds.Capable(abi.CAP_FSETID) {
		a, err := d.inode.Getattr()
		if err != nil {
			return err
		}
		sa.killPriv(ctx.Creds, &a, false)
	}
	return setattr(ctx, d, sa)
}
