// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strings"

	"lodger/abi"
)

// rename is one renameat2 on its way.
type rename struct {
	ctx        *Context
	from, to   Path
	last, dest component
	old, new   *Dentry
	flags      uint32
}

// Rename is renameat2(2); flags are RENAME_*.
func Rename(ctx *Context, oldDir Path, oldName string, newDir Path, newName string, flags uint32) error {
	if flags&^(abi.RENAME_NOREPLACE|abi.RENAME_EXCHANGE|abi.RENAME_WHITEOUT) != 0 ||
		flags&abi.RENAME_EXCHANGE != 0 && flags&(abi.RENAME_NOREPLACE|abi.RENAME_WHITEOUT) != 0 {
		return abi.EINVAL
	}
	r := rename{ctx: ctx, flags: flags}
	var err error
	if r.from, r.last, err = startRemove(ctx, oldDir, oldName); err != nil {
		return err
	}
	if r.to, r.dest, err = startRemove(ctx, newDir, newName); err != nil {
		return err
	}
	if r.from.Mnt != r.to.Mnt {
		return abi.EXDEV
	}
	if !r.last.norm() {
		return abi.EBUSY
	}
	if !r.dest.norm() {
		if flags&abi.RENAME_NOREPLACE != 0 {
			return abi.EEXIST
		}
		return abi.EBUSY
	}
	if r.from.Mnt.ReadOnly() {
		return abi.EROFS
	}
	r.lock()
	defer r.unlock()
	if err := r.find(); err != nil {
		return err
	}
	if err := r.checkSlashes(); err != nil {
		return err
	}
	return r.perform()
}

// lock takes renameMu and both directories, the ancestor first.
func (r *rename) lock() {
	a, b := r.from.Dentry, r.to.Dentry
	a.sb.VFS.renameMu.Lock()
	if a == b {
		a.mu.Lock()
		return
	}
	if b.isAncestor(a) {
		a, b = b, a
	}
	a.mu.Lock()
	b.mu.Lock()
}

func (r *rename) unlock() {
	r.from.Dentry.mu.Unlock()
	if r.from.Dentry != r.to.Dentry {
		r.to.Dentry.mu.Unlock()
	}
	r.from.Dentry.sb.VFS.renameMu.Unlock()
}

// find looks both names up.
func (r *rename) find() (err error) {
	if r.old, err = victim(r.ctx, r.from.Dentry, r.last.name); err != nil {
		return err
	}
	if r.new, err = lookupLocked(r.ctx, r.to.Dentry, r.dest.name); err != nil {
		return err
	}
	if r.flags&abi.RENAME_NOREPLACE != 0 && r.new.inode != nil {
		return abi.EEXIST
	}
	if r.flags&abi.RENAME_EXCHANGE != 0 {
		if r.new.inode == nil {
			return abi.ENOENT
		}
		if !r.new.IsDir() && r.dest.trailing {
			return abi.ENOTDIR
		}
	}
	return nil
}

func (r *rename) checkSlashes() error {
	exchange := r.flags&abi.RENAME_EXCHANGE != 0
	if !r.old.IsDir() && (r.last.trailing || r.dest.trailing && !exchange) {
		return abi.ENOTDIR
	}
	if r.old.isAncestor(r.to.Dentry) {
		return abi.EINVAL
	}
	if r.new.inode != nil && r.new.isAncestor(r.from.Dentry) {
		if exchange {
			return abi.EINVAL
		}
		return abi.ENOTEMPTY
	}
	return nil
}

// perform is vfs_rename.
func (r *rename) perform() error {
	if r.old.inode == r.new.inode {
		return nil
	}
	if err := r.permission(); err != nil {
		return err
	}
	rn, ok := r.from.Dentry.inode.(Renamer)
	if !ok {
		return abi.EPERM
	}
	if r.old.mnts.Load() != 0 || r.new.mnts.Load() != 0 {
		return abi.EBUSY
	}
	if err := rn.Rename(r.ctx, r.last.name, r.old.inode, r.to.Dentry.inode, r.dest.name, r.new.inode, r.flags); err != nil {
		return err
	}
	r.move()
	r.notify()
	return nil
}

func (r *rename) permission() error {
	ctx, from, to := r.ctx, r.from.Dentry, r.to.Dentry
	exchange := r.flags&abi.RENAME_EXCHANGE != 0
	if err := mayDelete(ctx, from, r.old, r.old.IsDir()); err != nil {
		return err
	}
	var err error
	switch {
	case r.new.inode == nil:
		err = mayCreate(ctx, to)
	case exchange:
		err = mayDelete(ctx, to, r.new, r.new.IsDir())
	default:
		err = mayDelete(ctx, to, r.new, r.old.IsDir())
	}
	if err != nil || from == to {
		return err
	}
	// A directory that changes its parent is itself written: its "..".
	if r.old.IsDir() {
		if err := mayAccess(ctx, r.old, abi.W_OK); err != nil {
			return err
		}
	}
	if exchange && r.new.IsDir() {
		return mayAccess(ctx, r.new, abi.W_OK)
	}
	return nil
}

// move is d_move or d_exchange: the cache follows the file system.
func (r *rename) move() {
	from, to := r.from.Dentry, r.to.Dentry
	from.drop(r.old)
	to.drop(r.new)
	if r.flags&abi.RENAME_EXCHANGE != 0 {
		r.new.rehash(from, r.last.name)
	} else if r.new.inode != nil {
		r.new.gone.Store(true)
	}
	r.old.rehash(to, r.dest.name)
}

// notify tells of the move (the end of vfs_rename).
func (r *rename) notify() {
	from, to := r.from.Dentry, r.to.Dentry
	if !from.watched() {
		return
	}
	was, is := strings.Clone(r.last.name), r.old.Name()
	if r.flags&abi.RENAME_EXCHANGE != 0 {
		from.notifyMove(to, r.old, was, is, nil)
		to.notifyMove(from, r.new, is, was, nil)
		return
	}
	target := r.new
	if target.inode == nil {
		target = nil
	}
	from.notifyMove(to, r.old, was, is, target)
	if target != nil {
		target.unlinked()
	}
}

// notifyMove is fsnotify_move, of c from directory d, where its name was was.
func (d *Dentry) notifyMove(to, c *Dentry, was, is string, target *Dentry) {
	cookie := d.sb.VFS.renames.Add(1)
	d.notifyName(abi.IN_MOVED_FROM, c, was, cookie)
	to.notifyName(abi.IN_MOVED_TO, c, is, cookie)
	if target != nil {
		target.notifySelf(abi.IN_ATTRIB) // its link count
	}
	c.notifySelf(abi.IN_MOVE_SELF)
}

// rehash gives d its new place.
func (d *Dentry) rehash(parent *Dentry, name string) {
	name = strings.Clone(name)
	d.loc.Store(&dentryLoc{parent, name})
	parent.insert(d)
	d.sb.VFS.dcache.keep(d)
}
