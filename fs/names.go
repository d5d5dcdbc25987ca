// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// creation is a name about to be made: the directory is locked.
type creation struct {
	dir  Path
	name string
}

// done unlocks the directory.
func (c creation) done() { c.dir.Dentry.mu.Unlock() }

// startCreate is filename_create of fs/namei.c: it walks to the parent of name,
// locks it, and checks that the name is free. The order of its errors is
// Linux's.
func startCreate(ctx *Context, dir Path, name string, isDir bool) (creation, error) {
	var w walk
	if err := w.begin(ctx, dir, name, 0); err != nil {
		return creation{}, err
	}
	last, err := w.parent(name)
	if err != nil {
		return creation{}, err
	}
	if !last.norm() {
		return creation{}, abi.EEXIST
	}
	d := w.cur.Dentry
	d.mu.Lock()
	if err := checkFree(ctx, w.cur, last, isDir); err != nil {
		d.mu.Unlock()
		return creation{}, err
	}
	return creation{w.cur, last.name}, nil
}

func checkFree(ctx *Context, dir Path, last component, isDir bool) error {
	c, err := lookupLocked(ctx, dir.Dentry, last.name)
	switch {
	case err != nil:
		return err
	case c.inode != nil:
		return abi.EEXIST
	case dir.Dentry.sb.NoNegatives:
		return abi.ENOENT
	case last.trailing && !isDir:
		return abi.ENOENT
	case dir.Mnt.ReadOnly():
		return abi.EROFS
	}
	return nil
}

// create calls make for the name after permission checks and caches the result.
func (c creation) create(ctx *Context, mode uint32, rdev uint64, make func(DirEditor, NewAttr) (Inode, error)) (*Dentry, error) {
	d := c.dir.Dentry
	if err := mayCreate(ctx, d); err != nil {
		return nil, err
	}
	ed, ok := d.inode.(DirEditor)
	if !ok {
		return nil, abi.EPERM
	}
	na, err := newAttr(ctx, d, mode, rdev)
	if err != nil {
		return nil, err
	}
	i, err := make(ed, na)
	if err != nil {
		return nil, err
	}
	child, err := d.add(c.name, i)
	if err == nil {
		d.notifyName(abi.IN_CREATE, child, child.Name(), 0)
	}
	return child, err
}

// Mkdir makes a directory; mode is before umask.
func Mkdir(ctx *Context, dir Path, name string, mode uint32) error {
	c, err := startCreate(ctx, dir, name, true)
	if err != nil {
		return err
	}
	defer c.done()
	mode = abi.S_IFDIR | mode&(0o777|abi.S_ISVTX)
	_, err = c.create(ctx, mode, 0, func(ed DirEditor, na NewAttr) (Inode, error) { return ed.Mkdir(ctx, c.name, na) })
	return err
}

// Mknod makes a file of the type in mode (0 means regular); rdev is in
// abi.Makedev form.
func Mknod(ctx *Context, dir Path, name string, mode uint32, rdev uint64) error {
	_, err := MknodPath(ctx, dir, name, mode, rdev)
	return err
}

// MknodPath is Mknod that also gives the new place, for bind(2) of unix
// sockets.
func MknodPath(ctx *Context, dir Path, name string, mode uint32, rdev uint64) (Path, error) {
	switch mode & abi.S_IFMT {
	case 0:
		mode |= abi.S_IFREG
	case abi.S_IFREG, abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO, abi.S_IFSOCK:
	case abi.S_IFDIR:
		return Path{}, abi.EPERM
	default:
		return Path{}, abi.EINVAL
	}
	c, err := startCreate(ctx, dir, name, false)
	if err != nil {
		return Path{}, err
	}
	defer c.done()
	isDev := mode&abi.S_IFMT == abi.S_IFCHR || mode&abi.S_IFMT == abi.S_IFBLK
	if !isDev {
		rdev = 0
	}
	d, err := c.create(ctx, mode, rdev, func(ed DirEditor, na NewAttr) (Inode, error) {
		// A whiteout (0:0) needs no privilege: may_mknod's exception for overlayfs.
		if isDev && !ctx.Creds.Capable(abi.CAP_MKNOD) && !(rdev == 0 && mode&abi.S_IFMT == abi.S_IFCHR) {
			return nil, abi.EPERM
		}
		return ed.Mknod(ctx, c.name, na)
	})
	if err != nil {
		return Path{}, err
	}
	return Path{c.dir.Mnt, d}, nil
}

// Symlink makes name a symbolic link with text target.
func Symlink(ctx *Context, target string, dir Path, name string) error {
	if target == "" {
		return abi.ENOENT
	}
	if len(target) >= abi.PATH_MAX {
		return abi.ENAMETOOLONG
	}
	c, err := startCreate(ctx, dir, name, false)
	if err != nil {
		return err
	}
	defer c.done()
	_, err = c.create(ctx, abi.S_IFLNK|0o777, 0, func(ed DirEditor, na NewAttr) (Inode, error) {
		return ed.Symlink(ctx, c.name, target, na)
	})
	return err
}

// Link makes a hard link. atFlags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH.
func Link(ctx *Context, oldDir Path, oldName string, newDir Path, newName string, atFlags int) error {
	f := LookupFlags(0)
	if atFlags&abi.AT_SYMLINK_FOLLOW != 0 {
		f |= LookupFollow
	}
	if atFlags&abi.AT_EMPTY_PATH != 0 {
		f |= LookupEmpty
	}
	old, err := Lookup(ctx, oldDir, oldName, f)
	if err != nil {
		return err
	}
	c, err := startCreate(ctx, newDir, newName, false)
	if err != nil {
		return err
	}
	defer c.done()
	if old.Mnt != c.dir.Mnt {
		return abi.EXDEV
	}
	if err := mayLink(ctx, old.Dentry); err != nil {
		return err
	}
	_, err = c.create(ctx, 0, 0, func(ed DirEditor, _ NewAttr) (Inode, error) {
		if isFrozen(old.Dentry.inode, abi.STATX_ATTR_APPEND|abi.STATX_ATTR_IMMUTABLE) {
			return nil, abi.EPERM
		}
		if old.Dentry.IsDir() {
			return nil, abi.EPERM
		}
		if err := ed.Link(ctx, c.name, old.Dentry.inode); err != nil {
			return nil, err
		}
		old.Dentry.notifySelf(abi.IN_ATTRIB) // its link count
		return old.Dentry.inode, nil
	})
	return err
}

// mayLink is may_linkat with fs.protected_hardlinks set, as distributions do:
// only owners may link what they could not write, or set-id files; EPERM.
func mayLink(ctx *Context, d *Dentry) error {
	a, err := d.inode.Getattr()
	if err != nil || isOwner(ctx.Creds, &a) {
		return err
	}
	if d.kind != abi.S_IFREG || a.Mode&abi.S_ISUID != 0 || a.Mode&(abi.S_ISGID|abi.S_IXGRP) == abi.S_ISGID|abi.S_IXGRP ||
		mayAccess(ctx, d, abi.R_OK|abi.W_OK) != nil {
		return abi.EPERM
	}
	return nil
}
