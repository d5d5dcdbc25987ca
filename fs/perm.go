// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// mayAccess is inode_permission(9): it checks mask (of R_OK, W_OK, X_OK) for
// the inode at d; EROFS, EACCES.
func mayAccess(ctx *Context, d *Dentry, mask uint32) error {
	if mask&abi.W_OK != 0 && d.sb.ReadOnly() {
		switch d.kind {
		case abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK:
			return abi.EROFS
		}
	}
	if p, ok := d.inode.(Permissioner); ok {
		return p.Permission(ctx, mask)
	}
	if d.kind == abi.S_IFDIR && mask&abi.W_OK == 0 && ctx.Creds.Capable(abi.CAP_DAC_OVERRIDE) {
		return nil
	}
	a, err := d.inode.Getattr()
	if err != nil {
		return err
	}
	if mask&abi.W_OK != 0 && a.Attributes&abi.STATX_ATTR_IMMUTABLE != 0 {
		return abi.EPERM
	}
	return checkAccess(ctx.Creds, d.inode, &a, mask)
}

// checkAccess is generic_permission(9): mode bits or ACL, then capabilities;
// EACCES. The owner's bits are in the mode, and without group bits no ACL says
// more than the mode.
func checkAccess(c *Creds, i Inode, a *Attr, mask uint32) error {
	if c.FSUID != a.UID && a.Mode&0o070 != 0 {
		if h, ok := i.(ACLHolder); ok {
			acl, err := h.GetACL(ACLAccess)
			if err != nil && err != abi.EOPNOTSUPP {
				return err
			}
			if acl != nil {
				if err := acl.permission(c, a, mask); err != abi.EACCES {
					return err
				}
				return capable(c, a, mask)
			}
		}
	}
	return CheckMode(c, a, mask)
}

// maySearch checks the right to look a name up in d. It is the fast path of
// walks: an almighty caller needs no attributes.
func maySearch(ctx *Context, d *Dentry) error {
	if ctx.Creds.Effective&(1<<abi.CAP_DAC_OVERRIDE|1<<abi.CAP_DAC_READ_SEARCH) != 0 {
		if _, ok := d.inode.(Permissioner); !ok {
			return nil
		}
	}
	return mayAccess(ctx, d, abi.X_OK)
}

// CheckMode is generic_permission(9) without ACLs: mode bits, then
// capabilities; EACCES.
func CheckMode(c *Creds, a *Attr, mask uint32) error {
	mode := a.Mode
	switch {
	case c.FSUID == a.UID:
		mode >>= 6
	case c.InGroup(a.GID):
		mode >>= 3
	}
	if mask&^mode == 0 {
		return nil
	}
	return capable(c, a, mask)
}

// capable grants by capability what mode bits and ACL do not.
func capable(c *Creds, a *Attr, mask uint32) error {
	if a.IsDir() {
		if c.Capable(abi.CAP_DAC_OVERRIDE) || mask&abi.W_OK == 0 && c.Capable(abi.CAP_DAC_READ_SEARCH) {
			return nil
		}
		return abi.EACCES
	}
	if mask == abi.R_OK && c.Capable(abi.CAP_DAC_READ_SEARCH) {
		return nil
	}
	if c.Capable(abi.CAP_DAC_OVERRIDE) && (mask&abi.X_OK == 0 || a.Mode&abi.S_IXUGO != 0) {
		return nil
	}
	return abi.EACCES
}

// isFrozen reports whether an inode has one of the attributes
// (STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND) that forbid a change: IS_IMMUTABLE
// and IS_APPEND.
func isFrozen(i Inode, attrs uint32) bool {
	a, err := i.Getattr()
	return err == nil && a.Attributes&attrs != 0
}

// restricted reports whether the file is append-only, and whether it is
// immutable.
func (f *File) restricted() (appends, immutable bool) {
	a, err := f.inode.Getattr()
	return err == nil && a.Attributes&abi.STATX_ATTR_APPEND != 0, err == nil && a.Attributes&abi.STATX_ATTR_IMMUTABLE != 0
}

// isOwner is inode_owner_or_capable(9).
func isOwner(c *Creds, a *Attr) bool {
	return c.FSUID == a.UID || c.Capable(abi.CAP_FOWNER)
}

// mayCreate is may_create in fs/namei.c: the right to add a name to dir.
func mayCreate(ctx *Context, dir *Dentry) error {
	if dir.gone.Load() {
		return abi.ENOENT
	}
	return mayAccess(ctx, dir, abi.W_OK|abi.X_OK)
}

// mayDelete is may_delete in fs/namei.c: the right to remove victim from dir.
func mayDelete(ctx *Context, dir, victim *Dentry, wantDir bool) error {
	if err := mayAccess(ctx, dir, abi.W_OK|abi.X_OK); err != nil {
		return err
	}
	if isFrozen(dir.inode, abi.STATX_ATTR_APPEND) || isFrozen(victim.inode, abi.STATX_ATTR_APPEND|abi.STATX_ATTR_IMMUTABLE) {
		return abi.EPERM
	}
	if dir.sb.VFS.isSwapFile(victim.inode) {
		return abi.EPERM
	}
	if err := checkSticky(ctx, dir, victim); err != nil {
		return err
	}
	if wantDir {
		if !victim.IsDir() {
			return abi.ENOTDIR
		}
	} else if victim.IsDir() {
		return abi.EISDIR
	}
	if dir.gone.Load() {
		return abi.ENOENT
	}
	return nil
}

// checkSticky lets only owners remove names from a sticky directory.
func checkSticky(ctx *Context, dir, victim *Dentry) error {
	if ctx.Creds.Capable(abi.CAP_FOWNER) {
		return nil
	}
	da, err := dir.inode.Getattr()
	if err != nil {
		return err
	}
	if da.Mode&abi.S_ISVTX == 0 || da.UID == ctx.Creds.FSUID {
		return nil
	}
	va, err := victim.inode.Getattr()
	if err != nil {
		return err
	}
	if va.UID != ctx.Creds.FSUID {
		return abi.EPERM
	}
	return nil
}

// newAttr makes the attributes of a new inode in dir: owner, umask or default
// ACL, and S_ISGID inheritance (inode_init_owner and mode_strip_sgid).
func newAttr(ctx *Context, dir *Dentry, mode uint32, rdev uint64) (NewAttr, error) {
	na := NewAttr{Mode: mode, UID: ctx.Creds.FSUID, GID: ctx.Creds.FSGID, Rdev: rdev, Now: ctx.TimeFor(dir.inode)}
	da, err := dir.inode.Getattr()
	if err != nil {
		return na, err
	}
	if da.Mode&abi.S_ISGID != 0 {
		na.GID = da.GID
		if mode&abi.S_IFMT == abi.S_IFDIR {
			na.Mode |= abi.S_ISGID
		} else if mode&(abi.S_ISGID|abi.S_IXGRP) == abi.S_ISGID|abi.S_IXGRP &&
			!ctx.Creds.InGroup(na.GID) && !ctx.Creds.Capable(abi.CAP_FSETID) {
			na.Mode &^= abi.S_ISGID
		}
	}
	return na, na.inherit(ctx, dir)
}
