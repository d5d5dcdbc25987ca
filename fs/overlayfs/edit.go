// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"strings"

	"lodger/abi"
	"lodger/fs"
)

// add makes an entry in the upper directory with make.
func (n *node) add(ctx *fs.Context, name string, make func(fs.DirEditor) (fs.Inode, error)) (fs.Inode, error) {
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return nil, err
	}
	f := n.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := make(u.(fs.DirEditor))
	if err != nil {
		return nil, err
	}
	return f.nodeOfUpper(i, n, strings.Clone(name))
}

// Mknod makes a file.
func (n *node) Mknod(ctx *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return n.add(ctx, name, func(ed fs.DirEditor) (fs.Inode, error) { return ed.Mknod(ctx, name, na) })
}

// Mkdir makes a directory; lower directories of that name do not show through.
func (n *node) Mkdir(ctx *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return n.add(ctx, name, func(ed fs.DirEditor) (fs.Inode, error) { return ed.Mkdir(ctx, name, na) })
}

// Symlink makes a symbolic link.
func (n *node) Symlink(ctx *fs.Context, name, target string, na fs.NewAttr) (fs.Inode, error) {
	return n.add(ctx, name, func(ed fs.DirEditor) (fs.Inode, error) { return ed.Symlink(ctx, name, target, na) })
}

// Tmpfile makes an unnamed file.
func (n *node) Tmpfile(ctx *fs.Context, na fs.NewAttr) (fs.Inode, error) {
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return nil, err
	}
	i, err := u.(fs.Tmpfiler).Tmpfile(ctx, na)
	if err != nil {
		return nil, err
	}
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	t, err := n.fs.nodeOfUpper(i, nil, "")
	if err != nil {
		return nil, err
	}
	t.unlinked = true
	return t, nil
}

// Link makes another name of a copied-up file.
func (n *node) Link(ctx *fs.Context, name string, target fs.Inode) error {
	t, ok := target.(*node)
	if !ok || t.fs != n.fs {
		return abi.EXDEV
	}
	tu, err := t.copyUp(ctx, -1)
	if err != nil {
		return err
	}
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return err
	}
	f := n.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := u.(fs.DirEditor).Link(ctx, name, tu); err != nil {
		return err
	}
	t.links++
	t.loc, t.unlinked = place{n, strings.Clone(name)}, false
	t.setKeep(false)
	return nil
}

// Unlink removes a name.
func (n *node) Unlink(ctx *fs.Context, name string, victim fs.Inode) error {
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return err
	}
	v := victim.(*node)
	hide := n.hasLower(ctx, name)
	f := n.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	last, err := f.dropLink(v)
	if err != nil {
		return err
	}
	if err := n.removeUpper(ctx, u, name, v, false); err != nil {
		v.links++
		return err
	}
	n.hide(name, hide)
	f.afterUnlink(v, n, name, last)
	return nil
}

// dropLink counts a name of v down and tells whether it was the last. A node
// with other names keeps its upper inode. FS.mu is held.
func (f *FS) dropLink(v *node) (last bool, err error) {
	base := uint32(0)
	if len(v.lowers) > 0 {
		a, err := v.lowers[0].inode.Getattr()
		if err != nil {
			return false, err
		}
		base = a.Nlink + uint32(v.links)
		f.index[v.lowers[0].inode] = v
	} else {
		a, err := v.upperInode().Getattr()
		if err != nil {
			return false, err
		}
		base = a.Nlink
	}
	v.links--
	last = base <= 1
	if !last && v.upperInode() != nil {
		v.setKeep(true)
	}
	return last, nil
}

// afterUnlink forgets what the node no longer needs; FS.mu is held.
func (f *FS) afterUnlink(v, dir *node, name string, last bool) {
	if v.loc.parent == dir && v.loc.name == name {
		v.unlinked = true
	}
	if !last {
		return
	}
	v.unlinked = true
	if u := v.upperInode(); u != nil {
		delete(f.byUpper, u)
		v.setKeep(false)
	}
	if len(v.lowers) > 0 {
		delete(f.index, v.lowers[0].inode)
	}
}

// removeUpper removes the upper entry, if there is one; the directory's times
// change in any case. FS.mu is held.
func (n *node) removeUpper(ctx *fs.Context, u fs.Inode, name string, v *node, dir bool) error {
	real, err := u.(fs.Dir).Lookup(ctx, name)
	if err == abi.ENOENT {
		now := ctx.Time()
		return u.(fs.Setattrer).Setattr(ctx, fs.SetAttr{Valid: fs.AttrMtime | fs.AttrCtime, Mtime: now, Ctime: now})
	}
	if err != nil {
		return err
	}
	if dir {
		return u.(fs.DirEditor).Rmdir(ctx, name, real)
	}
	return u.(fs.DirEditor).Unlink(ctx, name, real)
}

// hide makes a whiteout; FS.mu is held.
func (n *node) hide(name string, hide bool) {
	if !hide {
		return
	}
	if n.whiteouts == nil {
		n.whiteouts = map[string]bool{}
	}
	n.whiteouts[strings.Clone(name)] = true
}

// Rmdir removes an empty directory.
func (n *node) Rmdir(ctx *fs.Context, name string, victim fs.Inode) error {
	v := victim.(*node)
	if l, err := v.list(ctx); err != nil {
		return err
	} else if len(l) > 0 {
		return abi.ENOTEMPTY
	}
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return err
	}
	hide := n.hasLower(ctx, name)
	f := n.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := n.removeUpper(ctx, u, name, v, true); err != nil {
		return err
	}
	n.hide(name, hide)
	f.afterUnlink(v, n, name, true)
	return nil
}

// Rename moves a name: the moved file and both directories are copied up, the
// contents of a moved directory are not.
func (n *node) Rename(ctx *fs.Context, oldName string, victim, newDir fs.Inode, newName string, target fs.Inode, flags uint32) error {
	nd, ok := newDir.(*node)
	if !ok || nd.fs != n.fs {
		return abi.EXDEV
	}
	v := victim.(*node)
	t, _ := target.(*node)
	exchange := flags&abi.RENAME_EXCHANGE != 0
	if t != nil && t.kind == abi.S_IFDIR && !exchange {
		if l, err := t.list(ctx); err != nil {
			return err
		} else if len(l) > 0 {
			return abi.ENOTEMPTY
		}
	}
	for _, x := range []*node{n, nd, v} {
		if _, err := x.copyUp(ctx, -1); err != nil {
			return err
		}
	}
	if exchange {
		if _, err := t.copyUp(ctx, -1); err != nil {
			return err
		}
	}
	hideOld, hideNew := n.hasLower(ctx, oldName), nd.hasLower(ctx, newName)
	f := n.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.nameUpper(ctx, n, oldName, v); err != nil {
		return err
	}
	if exchange {
		if err := f.nameUpper(ctx, nd, newName, t); err != nil {
			return err
		}
	}
	last := true
	if t != nil && !exchange && t.kind != abi.S_IFDIR {
		var err error
		if last, err = f.dropLink(t); err != nil {
			return err
		}
	}
	nu := nd.upperInode()
	realTarget, err := nu.(fs.Dir).Lookup(ctx, newName)
	if err != nil {
		realTarget = nil
	}
	if err := n.upperInode().(fs.Renamer).Rename(ctx, oldName, v.upperInode(), nu, newName, realTarget, flags); err != nil {
		if t != nil && !exchange && t.kind != abi.S_IFDIR {
			t.links++
		}
		return err
	}
	n.hide(oldName, hideOld)
	nd.hide(newName, hideNew)
	v.loc, v.unlinked = place{nd, strings.Clone(newName)}, false
	switch {
	case t == nil:
	case exchange:
		t.loc = place{n, strings.Clone(oldName)}
	default:
		f.afterUnlink(t, nd, newName, last)
	}
	return nil
}

// nameUpper makes sure that v's upper inode has this name in the upper tree: a
// lower hard link of a copied-up file has none of its own. FS.mu is held.
func (f *FS) nameUpper(ctx *fs.Context, dir *node, name string, v *node) error {
	u := dir.upperInode()
	if _, err := u.(fs.Dir).Lookup(ctx, name); err != abi.ENOENT {
		return err
	}
	if err := u.(fs.DirEditor).Link(ctx, name, v.upperInode()); err != nil {
		return err
	}
	v.setKeep(false)
	return nil
}
