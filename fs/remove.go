// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// startRemove walks to the parent of name; the caller checks last and calls
// lockVictim.
func startRemove(ctx *Context, dir Path, name string) (Path, component, error) {
	var w walk
	if err := w.begin(ctx, dir, name, 0); err != nil {
		return Path{}, component{}, err
	}
	last, err := w.parent(name)
	return w.cur, last, err
}

// victim looks the name to be removed up, with the directory locked.
func victim(ctx *Context, dir *Dentry, name string) (*Dentry, error) {
	v, err := lookupLocked(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	if v.inode == nil {
		return nil, abi.ENOENT
	}
	return v, nil
}

// Unlink removes a name that is not a directory.
func Unlink(ctx *Context, dir Path, name string) error {
	p, last, err := startRemove(ctx, dir, name)
	if err != nil {
		return err
	}
	if !last.norm() {
		return abi.EISDIR
	}
	if p.Mnt.ReadOnly() {
		return abi.EROFS
	}
	d := p.Dentry
	d.mu.Lock()
	defer d.mu.Unlock()
	v, err := victim(ctx, d, last.name)
	if err != nil {
		return err
	}
	if last.trailing {
		if v.IsDir() {
			return abi.EISDIR
		}
		return abi.ENOTDIR
	}
	if err := mayDelete(ctx, d, v, false); err != nil {
		return err
	}
	return removeLocked(d, v, func(ed DirEditor) error { return ed.Unlink(ctx, last.name, v.inode) })
}

// Rmdir removes an empty directory.
func Rmdir(ctx *Context, dir Path, name string) error {
	p, last, err := startRemove(ctx, dir, name)
	if err != nil {
		return err
	}
	switch last.name {
	case "..":
		return abi.ENOTEMPTY
	case ".":
		return abi.EINVAL
	case "":
		return abi.EBUSY
	}
	if p.Mnt.ReadOnly() {
		return abi.EROFS
	}
	d := p.Dentry
	d.mu.Lock()
	defer d.mu.Unlock()
	v, err := victim(ctx, d, last.name)
	if err != nil {
		return err
	}
	if err := mayDelete(ctx, d, v, true); err != nil {
		return err
	}
	return removeLocked(d, v, func(ed DirEditor) error { return ed.Rmdir(ctx, last.name, v.inode) })
}

// removeLocked removes v from d through the file system and the cache.
func removeLocked(d, v *Dentry, remove func(DirEditor) error) error {
	ed, ok := d.inode.(DirEditor)
	if !ok {
		return abi.EPERM
	}
	if v.mnts.Load() != 0 {
		return abi.EBUSY
	}
	if err := remove(ed); err != nil {
		return err
	}
	if !v.IsDir() {
		v.notifySelf(abi.IN_ATTRIB) // its link count
	}
	v.gone.Store(true)
	d.drop(v)
	v.unlinked()
	d.notifyName(abi.IN_DELETE, v, v.Name(), 0)
	return nil
}
