// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// mayEdit gives the errors of changing a directory at all.
func (i *inode) mayEdit() error {
	switch {
	case !i.isDir():
		return abi.ENOTDIR
	case i.dead || i.links == 0:
		return abi.ENOENT
	case i.is(flImmutable):
		return abi.EPERM
	}
	return nil
}

// absent gives EEXIST when name is there.
func (i *inode) absent(name string) error {
	_, err := i.find(name)
	switch err {
	case nil:
		return abi.EEXIST
	case abi.ENOENT:
		return nil
	}
	return err
}

// create makes an inode and its name; fill completes the inode before it is
// named.
func (i *inode) create(ctx *fs.Context, name string, na fs.NewAttr, fill func(h *handle, n *inode) error) (n fs.Inode, err error) {
	err = i.s.modifyDir(ctx, func() (err error) {
		n, err = i.createLocked(ctx, name, na, fill)
		return err
	}, i)
	return n, err
}

func (i *inode) createLocked(ctx *fs.Context, name string, na fs.NewAttr, fill func(h *handle, n *inode) error) (fs.Inode, error) {
	s := i.s
	if err := i.mayEdit(); err != nil {
		return nil, err
	}
	if err := i.absent(name); err != nil {
		return nil, err
	}
	dir := na.Mode&abi.S_IFMT == abi.S_IFDIR
	if dir && i.links >= linkMax && !s.es.hasRO(roDirNlink) {
		return nil, abi.EMLINK
	}
	var n *inode
	err := s.changeLocked(ctx, creditsMake, func(h *handle) (err error) {
		if n, err = s.newInode(h, i, na); err != nil {
			return err
		}
		if fill != nil {
			err = fill(h, n)
		}
		if err == nil {
			err = n.inheritACLs(h, &na)
		}
		if err == nil {
			err = n.update(h, func() {
				n.links = 1
				if dir {
					n.links = 2
				}
			})
		}
		if err == nil {
			err = i.addEntry(h, name, n.ino, fileType(n.mode))
		}
		if err != nil {
			s.undoInode(h, n)
			return err
		}
		if dir {
			i.addLinks(1)
		}
		return i.touch(h, ctx.TimeFor(i), true)
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// undoInode frees an inode that came to nothing.
func (s *FS) undoInode(h *handle, n *inode) {
	if n.hasMap() {
		n.unmap(h, 0, maxBlocks)
	}
	n.dropXattrs(h)
	n.setDtime()
	n.update(h, func() { n.links, n.size, n.dead = 0, 0, true })
	s.freeInode(h, n)
	s.forgetInode(n)
}

// addLinks changes a directory's link count: beyond the limit it is 1, "many"
// (ext4_inc_count).
func (i *inode) addLinks(d int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.links == 1 && i.isDir(): // many: stays
	case d > 0 && i.isDir() && i.links+1 > linkMax-1:
		i.links = 1
	default:
		i.links = uint32(max(int(i.links)+d, 0))
	}
}

// Mknod makes a file that is no directory.
func (i *inode) Mknod(ctx *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return i.create(ctx, name, na, nil)
}

// Mkdir makes a directory.
func (i *inode) Mkdir(ctx *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return i.create(ctx, name, na, func(h *handle, n *inode) error { return n.makeEmptyDir(h, i.ino) })
}

// Symlink makes a symbolic link; a short text is kept in the inode.
func (i *inode) Symlink(ctx *fs.Context, name, target string, na fs.NewAttr) (fs.Inode, error) {
	if len(target)+1 > int(i.s.es.blockSize) {
		return nil, abi.ENAMETOOLONG
	}
	return i.create(ctx, name, na, func(h *handle, n *inode) error {
		if len(target) < iblockLen {
			copy(n.iblock(), target)
			return n.update(h, func() { n.size = int64(len(target)) })
		}
		n.startMap()
		b, _, err := n.appendBlock(h)
		if err != nil {
			return err
		}
		copy(b.data, target)
		if err := h.dirty(b); err != nil {
			return err
		}
		return n.update(h, func() { n.size = int64(len(target)) })
	})
}

// Tmpfile makes a file without a name: an orphan from the start.
func (i *inode) Tmpfile(ctx *fs.Context, na fs.NewAttr) (fs.Inode, error) {
	var n *inode
	err := i.s.change(ctx, creditsMake, func(h *handle) (err error) {
		if err := i.mayEdit(); err != nil {
			return err
		}
		if n, err = i.s.newInode(h, i, na); err != nil {
			return err
		}
		n.linkable = !na.NoLink
		if err := n.inheritACLs(h, &na); err != nil {
			i.s.undoInode(h, n)
			return err
		}
		if err := i.s.addOrphan(h, n); err != nil {
			return err
		}
		return i.s.writeInode(h, n)
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Link makes another name.
func (i *inode) Link(ctx *fs.Context, name string, target fs.Inode) error {
	t, ok := target.(*inode)
	if !ok || t.s != i.s {
		return abi.EXDEV
	}
	link := func(h *handle) error {
		if err := i.mayEdit(); err != nil {
			return err
		}
		switch {
		case t.dead || t.links == 0 && !t.linkable:
			return abi.ENOENT
		case t.is(flImmutable | flAppend):
			return abi.EPERM
		case t.links >= linkMax:
			return abi.EMLINK
		}
		if err := i.absent(name); err != nil {
			return err
		}
		now := ctx.Time()
		if err := i.addEntry(h, name, t.ino, fileType(t.mode)); err != nil {
			return err
		}
		if t.links == 0 {
			if err := i.s.delOrphan(h, t); err != nil {
				return err
			}
		}
		t.addLinks(1)
		if err := t.touch(h, now, false); err != nil {
			return err
		}
		return i.touch(h, now, true)
	}
	return i.s.modifyDir(ctx, func() error { return i.s.changeLocked(ctx, creditsMake, link) }, i)
}

// locate finds a name that is about to be changed; inline directories become
// ordinary ones first.
func (i *inode) locate(h *handle, name string) (found, error) {
	if i.is(flInlineData) {
		if err := i.convertInline(h); err != nil {
			return found{}, err
		}
	}
	return i.find(name)
}

// Unlink removes a name.
func (i *inode) Unlink(ctx *fs.Context, name string, victim fs.Inode) error {
	return i.remove(ctx, name, victim, false)
}

// Rmdir removes an empty directory.
func (i *inode) Rmdir(ctx *fs.Context, name string, victim fs.Inode) error {
	return i.remove(ctx, name, victim, true)
}

func (i *inode) remove(ctx *fs.Context, name string, victim fs.Inode, dir bool) error {
	v, ok := victim.(*inode)
	if !ok {
		return abi.ENOENT
	}
	s := i.s
	return s.modifyDir(ctx, func() error { return i.removeLocked(ctx, name, v, dir) }, i)
}

func (i *inode) removeLocked(ctx *fs.Context, name string, v *inode, dir bool) error {
	s := i.s
	if err := i.mayRemove(v, dir); err != nil {
		return err
	}
	if v.links < 2 || dir {
		if err := v.mayFree(ctx); err != nil {
			return err
		}
	}
	err := s.changeLocked(ctx, creditsMove, func(h *handle) error {
		f, err := i.locate(h, name)
		if err != nil {
			return err
		}
		if f.ino != v.ino {
			return abi.ENOENT
		}
		if err := i.deleteEntry(h, f); err != nil {
			return err
		}
		if dir {
			i.addLinks(-1)
		}
		if err := i.touch(h, ctx.TimeFor(i), true); err != nil {
			return err
		}
		if v.links == 1 {
			if done, err := s.evictAtOnce(h, v); done {
				return err
			}
		}
		return s.dropName(h, v, ctx.TimeFor(v))
	})
	if err != nil {
		return err
	}
	return s.freed(v)
}

// mayRemove checks the victim of unlink, rmdir and rename.
func (i *inode) mayRemove(v *inode, dir bool) error {
	switch {
	case i.is(flImmutable|flAppend) || v.is(flImmutable|flAppend):
		return abi.EPERM
	case dir != v.isDir():
		if dir {
			return abi.ENOTDIR
		}
		return abi.EISDIR
	case !dir:
		return nil
	}
	empty, err := v.isEmpty()
	if err == nil && !empty {
		err = abi.ENOTEMPTY
	}
	return err
}

// dropName counts a removed name.
func (s *FS) dropName(h *handle, v *inode, now abi.Timespec) error {
	err := v.update(h, func() {
		v.ctime = v.clampTime(now)
		if v.isDir() {
			v.links, v.version = 0, v.version+1
		} else if v.links > 0 {
			v.links--
		}
	})
	if err != nil {
		return err
	}
	return s.unlinked(h, v)
}
