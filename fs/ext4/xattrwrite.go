// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"cmp"
	"slices"

	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// xattrHash is ext4_xattr_hash_entry: over the name, then the value's words.
func xattrHash(x *xattr) uint32 {
	h := uint32(0)
	for _, c := range []byte(x.name) {
		h = h<<5 ^ h>>27 ^ uint32(c)
	}
	for v := x.value; len(v) > 0; v = v[min(4, len(v)):] {
		var w [4]byte
		copy(w[:], v)
		h = h<<16 ^ h>>16 ^ le32(w[:], 0)
	}
	return h
}

func valueLen(x *xattr) int {
	if x.inum != 0 {
		return 0
	}
	return (len(x.value) + 3) &^ 3
}

// layXattrs writes a list into an area: entries from first on, values from the
// end down. Hashes of values in other inodes are kept in hashes.
func layXattrs(area []byte, first int, l []xattr) {
	clear(area[first:])
	off, end := first, len(area)
	for k := range l {
		x := &l[k]
		end -= valueLen(x)
		area[off], area[off+1] = byte(len(x.name)), x.index
		put32(area, off+4, x.inum)
		put32(area, off+8, x.size)
		if x.inum == 0 {
			if x.size > 0 {
				put16(area, off+2, uint16(end))
			}
			copy(area[end:], x.value)
			put32(area, off+12, xattrHash(x))
		} else {
			put32(area, off+12, x.hash)
		}
		copy(area[off+xattrEntry:], x.name)
		off += xattrLen(len(x.name))
	}
}

// xattrRoom gives the bytes that a list needs, its end included.
func xattrRoom(l []xattr) int {
	n := 4
	for k := range l {
		n += xattrLen(len(l[k].name)) + valueLen(&l[k])
	}
	return n
}

// rewriteXattrs changes the list of attributes and stores it anew: what fits in
// the inode, in order, and the rest in the block. ENOSPC leaves all as it was.
func (i *inode) rewriteXattrs(h *handle, edit func([]xattr) []xattr) error {
	body, err := i.ibodyXattrs()
	if err != nil {
		return err
	}
	inBlock, old, err := i.blockXattrs()
	if err != nil {
		return err
	}
	all := edit(cloneXattrs(append(body, inBlock...)))
	room := len(i.body()) - xattrIHead
	var near, far []xattr
	slices.SortStableFunc(all, func(a, b xattr) int { // inline data must stay in the inode
		return cmp.Compare(b2i(b.index == xattrSystem), b2i(a.index == xattrSystem))
	})
	for _, x := range all {
		if room > 0 && xattrRoom(append(near, x)) <= room {
			near = append(near, x)
		} else if x.index == xattrSystem {
			return abi.ENOSPC
		} else {
			far = append(far, x)
		}
	}
	if xattrRoom(far) > int(i.s.es.blockSize)-xattrHeader {
		return abi.ENOSPC
	}
	shared := old != nil && le32(old.data, 4) > 1
	if err := i.storeBlock(h, far, old); err != nil {
		return err
	}
	for k := range inBlock {
		if shared && inBlock[k].inum != 0 { // the block keeps its values, and so do we
			if err := i.s.refEAInode(h, inBlock[k].inum); err != nil {
				return err
			}
		}
	}
	if room > 0 {
		b := i.body()
		clear(b)
		if len(near) > 0 {
			put32(b, 0, xattrMagic)
			layXattrs(b[xattrIHead:], 0, near)
		}
	}
	return i.s.writeInode(h, i)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cloneXattrs makes the values independent of where they were read from.
func cloneXattrs(l []xattr) []xattr {
	for k := range l {
		l[k].value = append([]byte(nil), l[k].value...)
	}
	return l
}

// storeBlock puts attributes into the attribute block: into the old one when it
// is this inode's alone, else into a new one.
func (i *inode) storeBlock(h *handle, l []xattr, old *Buffer) error {
	s := i.s
	if len(l) == 0 {
		return i.dropBlock(h, old)
	}
	b := old
	if old == nil || le32(old.data, 4) != 1 {
		pblk, _, err := s.newBlocks(h, i.goalGroup(), 1)
		if err != nil {
			return err
		}
		if old != nil {
			if err := s.unshare(h, old); err != nil {
				return err
			}
			i.addSectors(-1)
		}
		if b, err = s.getblk(pblk); err != nil {
			return err
		}
		i.addSectors(1)
		i.mu.Lock()
		i.fileACL = pblk
		i.mu.Unlock()
	}
	if err := h.access(b); err != nil {
		return err
	}
	slices.SortFunc(l, func(a, b xattr) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	clear(b.data[:xattrHeader])
	put32(b.data, 0, xattrMagic)
	put32(b.data, 4, 1)
	put32(b.data, 8, 1)
	layXattrs(b.data, xattrHeader, l)
	hash := uint32(0)
	for off := xattrHeader; le32(b.data, off) != 0; off += xattrLen(int(b.data[off])) {
		e := le32(b.data, off+12)
		if e == 0 { // ext4_xattr_rehash: not to be shared
			hash = 0
			break
		}
		hash = hash<<16 ^ hash>>16 ^ e
	}
	put32(b.data, 12, hash)
	return s.dirtyXattrs(h, b)
}

func (s *FS) dirtyXattrs(h *handle, b *Buffer) error {
	if s.es.metadataCsum() {
		put32(b.data, 16, s.xattrCsum(b))
	}
	b.setVerified(asXattr, 0)
	return h.dirty(b)
}

// unshare counts one user of a shared block less.
func (s *FS) unshare(h *handle, b *Buffer) error {
	if err := h.access(b); err != nil {
		return err
	}
	put32(b.data, 4, le32(b.data, 4)-1)
	return s.dirtyXattrs(h, b)
}

// dropBlock lets go of the attribute block.
func (i *inode) dropBlock(h *handle, b *Buffer) error {
	if b == nil {
		return nil
	}
	i.addSectors(-1)
	i.mu.Lock()
	i.fileACL = 0
	i.mu.Unlock()
	if le32(b.data, 4) > 1 {
		return i.s.unshare(h, b)
	}
	return i.s.freeBlocks(h, i.ino, b.block, 1, true)
}

// dropXattrs frees the attribute block of an inode that is freed, and the inodes
// of its values.
func (i *inode) dropXattrs(h *handle) error {
	l, err := i.ibodyXattrs()
	var far []xattr
	var b *Buffer
	if err == nil {
		far, b, err = i.blockXattrs()
	}
	if err != nil {
		i.s.log(printk.Err, "inode %d: attributes are not freed: %v", i.ino, err)
		return nil
	}
	if b != nil && le32(b.data, 4) == 1 { // what a shared block leads to stays with it
		l = append(l, far...)
	}
	for k := range l {
		if l[k].inum != 0 {
			if err := i.s.putEAInode(h, l[k].inum); err != nil {
				return err
			}
		}
	}
	return i.dropBlock(h, b)
}

// Setxattr sets an extended attribute.
func (i *inode) Setxattr(ctx *fs.Context, full string, value []byte, flags int) error {
	index, name, ok := splitName(full)
	if !ok {
		return abi.EOPNOTSUPP
	}
	return i.changeXattr(ctx, newXattr(index, name, value), flags, false)
}

// Removexattr removes an extended attribute.
func (i *inode) Removexattr(ctx *fs.Context, full string) error {
	index, name, ok := splitName(full)
	if !ok {
		return abi.EOPNOTSUPP
	}
	return i.changeXattr(ctx, newXattr(index, name, nil), abi.XATTR_REPLACE, true)
}

// mayChangeXattr gives the errors of changing attributes at all.
func (i *inode) mayChangeXattr() error {
	switch {
	case i.is(flImmutable | flAppend):
		return abi.EPERM
	case i.dead:
		return abi.ENOENT
	}
	return nil
}

func (i *inode) changeXattr(ctx *fs.Context, x xattr, flags int, remove bool) error {
	set := func(h *handle) error {
		if err := i.mayChangeXattr(); err != nil {
			return err
		}
		l, err := i.xattrs()
		if err != nil {
			return err
		}
		have := x.findIn(l) >= 0
		switch {
		case have && flags&abi.XATTR_CREATE != 0:
			return abi.EEXIST
		case !have && flags&abi.XATTR_REPLACE != 0:
			return abi.ENODATA
		}
		if err := i.setXattr(h, x, remove); err != nil {
			return err
		}
		return i.touch(h, ctx.Time(), false)
	}
	return i.s.modifyAs(ctx, i.flagged(flSync), func() error { return i.s.changeLocked(ctx, creditsXattr, set) })
}

// newXattr makes an attribute whose value is its own.
func newXattr(index uint8, name string, value []byte) xattr {
	return xattr{index: index, name: name, value: value, size: uint32(len(value))}
}

// findIn gives the place of the attribute of this name in a list, or -1.
func (x *xattr) findIn(l []xattr) int {
	return slices.IndexFunc(l, func(y xattr) bool { return x.index == y.index && x.name == y.name })
}

// setXattr puts an attribute in place of one of its name, or removes that.
func (i *inode) setXattr(h *handle, x xattr, remove bool) error {
	ea, size := uint32(0), uint32(0) // the old value's inode
	edit := func(l []xattr) []xattr {
		if at := x.findIn(l); at >= 0 {
			ea, size = l[at].inum, l[at].size
			l = slices.Delete(l, at, at+1)
		}
		if !remove {
			l = append(l, x)
		}
		return l
	}
	big := !remove && i.s.bigXattr(&x)
	err := error(abi.ENOSPC)
	if !big {
		err = i.rewriteXattrs(h, edit)
		big = err == abi.ENOSPC && !remove && x.size > 0 && i.s.es.hasIncompat(incompatEAInode)
	}
	if big {
		ea = 0
		if err = i.newEAInode(h, &x); err == nil {
			i.addSectors(int64(i.s.es.blocksIn(int64(x.size)))) // owners count a value's blocks
			if err = i.rewriteXattrs(h, edit); err != nil {
				ea, size = x.inum, x.size // nothing leads there
			}
		}
	}
	if (err == nil || big) && ea != 0 {
		i.addSectors(-int64(i.s.es.blocksIn(int64(size))))
		if e := i.s.putEAInode(h, ea); e != nil {
			err = e
		}
	}
	i.mu.Lock()
	i.acls = nil
	i.mu.Unlock()
	if err == nil && !i.s.es.hasCompat(compatExtAttr) {
		err = i.s.setExtAttr(h)
	}
	return err
}

// setExtAttr notes that the file system has attributes.
func (s *FS) setExtAttr(h *handle) error {
	s.es.compat |= compatExtAttr
	return s.writeSuper(h)
}
