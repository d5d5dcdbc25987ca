// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// inodeBitmap gives a group's inode bitmap, checked or made
// (ext4_read_inode_bitmap).
func (s *FS) inodeBitmap(g uint32) (*Buffer, error) {
	gr := &s.groups[g]
	if gr.badInodes {
		return nil, abi.EUCLEAN
	}
	n := s.es.inodesPerGroup
	if gr.flags&bgInodeUninit != 0 {
		if b := s.cache.get(gr.inodeBitmap); b != nil && b.verifiedAs(asInodeBitmap, g) {
			return b, nil
		}
		b, err := s.getblk(gr.inodeBitmap)
		if err == nil {
			for k := n; k < s.es.blockSize*8; k++ {
				setBit(b.data, k)
			}
			b.setVerified(asInodeBitmap, g)
		}
		return b, err
	}
	b, err := s.bread(gr.inodeBitmap)
	if err != nil || b.verifiedAs(asInodeBitmap, g) {
		return b, err
	}
	if s.es.metadataCsum() && s.bitmapCsum(b.data, n/8) != gr.ibCsum {
		gr.badInodes = true
		return nil, s.badCsum(0, b.block, "inode bitmap of group "+utoa(uint64(g)))
	}
	b.setVerified(asInodeBitmap, g)
	return b, nil
}

// findGroup chooses the group of a new inode: files beside their directory;
// directories by Orlov's rule, those at the top spread, others near their parent
// where there is room (find_group_orlov, find_group_other).
func (s *FS) findGroup(dir *inode, mode uint32) []uint32 {
	n := s.es.groups
	parent := (dir.ino - 1) / s.es.inodesPerGroup
	start := parent
	if mode&abi.S_IFMT == abi.S_IFDIR {
		avgInodes, avgBlocks := uint32(s.freeInos/int64(n)), uint32(s.freeBlks/int64(n))
		if dir.ino == rootIno || dir.is(flTopdir) {
			start = s.spread(uint32(s.rnd.Uint32N(n)), avgInodes, avgBlocks)
		} else {
			for k := range n {
				g := &s.groups[(parent+k)%n]
				if g.freeInodes > 0 && g.freeInodes >= avgInodes/2 && g.freeBlocks >= avgBlocks/2 && int64(g.usedDirs) <= s.dirs/int64(n)+int64(s.es.inodesPerGroup/16) {
					start = (parent + k) % n
					break
				}
			}
		}
	}
	// Then quadratic steps, then every group.
	order := make([]uint32, 0, n+16)
	order = append(order, start)
	for step, g := uint32(1), (start+dir.ino)%n; step < n; step <<= 1 {
		g = (g + step) % n
		if s.groups[g].freeBlocks > 0 && mode&abi.S_IFMT != abi.S_IFDIR && s.groups[start].freeInodes == 0 {
			order = append(order, g)
		}
	}
	for k := range n {
		order = append(order, (start+k)%n)
	}
	return order
}

// spread finds the group with the fewest directories among those with at least
// average room.
func (s *FS) spread(from, inodes, blocks uint32) uint32 {
	best, found := from, false
	for k := range s.es.groups {
		n := (from + k) % s.es.groups
		g := &s.groups[n]
		if g.freeInodes == 0 || g.freeInodes < inodes || g.freeBlocks < blocks {
			continue
		}
		if !found || g.usedDirs < s.groups[best].usedDirs {
			best, found = n, true
		}
	}
	return best
}

// newInode makes an inode, with no name yet and link count 0 (ext4_new_inode).
func (s *FS) newInode(h *handle, dir *inode, na fs.NewAttr) (*inode, error) {
	if dir.dead {
		return nil, abi.ENOENT
	}
	for _, g := range s.findGroup(dir, na.Mode) {
		gr := &s.groups[g]
		if gr.freeInodes == 0 || gr.badInodes {
			continue
		}
		b, err := s.inodeBitmap(g)
		if err != nil {
			continue
		}
		first := uint32(0)
		if g == 0 {
			first = s.es.firstIno - 1
		}
		for n := first; n < s.es.inodesPerGroup; n++ {
			if n&63 == 0 && n+64 <= s.es.inodesPerGroup && le64(b.data, int(n>>3)) == ^uint64(0) {
				n |= 63
				continue
			}
			if b.data[n>>3] == 0xff {
				n |= 7
				continue
			}
			if !testBit(b.data, n) {
				return s.takeInode(h, dir, g, n, b, na)
			}
		}
	}
	return nil, abi.ENOSPC
}

// takeInode claims bit n of group g and fills the inode.
func (s *FS) takeInode(h *handle, dir *inode, g, n uint32, bitmap *Buffer, na fs.NewAttr) (*inode, error) {
	gr := &s.groups[g]
	ino := g*s.es.inodesPerGroup + n + 1
	if err := s.prepareTable(h, g, n, bitmap); err != nil {
		return nil, err
	}
	if err := h.access(bitmap); err != nil {
		return nil, err
	}
	setBit(bitmap.data, n)
	if s.es.groupCsum() {
		gr.flags &^= bgInodeUninit
		if used := n + 1; s.es.inodesPerGroup-gr.itableUnused < used {
			gr.itableUnused = s.es.inodesPerGroup - used
		}
	}
	gr.freeInodes--
	s.freeInos--
	if na.Mode&abi.S_IFMT == abi.S_IFDIR {
		gr.usedDirs++
		s.dirs++
	}
	if err := s.dirtyInodeBitmap(h, g, bitmap); err != nil {
		return nil, err
	}
	i := &inode{s: s, ino: ino, raw: make([]byte, s.es.inodeSize)}
	i.fill(dir, na)
	s.renew(i)
	return i, nil
}

// prepareTable zeroes the block of an inode table that nothing is in yet: with
// lazily initialised tables it may hold anything (__ext4_get_inode_loc).
func (s *FS) prepareTable(h *handle, g, n uint32, bitmap *Buffer) error {
	first := n / s.es.inodesPerBlk * s.es.inodesPerBlk
	for k := first; k < min(first+s.es.inodesPerBlk, s.es.inodesPerGroup); k++ {
		if testBit(bitmap.data, k) {
			return nil
		}
	}
	b, err := s.getblk(s.groups[g].inodeTable + uint64(n/s.es.inodesPerBlk))
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	return h.dirty(b)
}

func (s *FS) dirtyInodeBitmap(h *handle, g uint32, b *Buffer) error {
	if s.es.metadataCsum() {
		s.groups[g].ibCsum = s.bitmapCsum(b.data, s.es.inodesPerGroup/8)
	}
	if err := h.dirty(b); err != nil {
		return err
	}
	return s.dirtyGroup(h, g)
}

// fill sets the fields of a new inode.
func (i *inode) fill(dir *inode, na fs.NewAttr) {
	es := i.s.es
	i.mode, i.kind = na.Mode, na.Mode&abi.S_IFMT
	i.uid, i.gid = na.UID, na.GID
	i.gen = i.s.rnd.Uint32()
	i.seed = es.inodeSeed(i.ino, i.gen)
	if es.inodeSize > goodOldInode {
		i.extra = 32 // through i_projid
		put16(i.raw, 0x80, 32)
	}
	now := i.clampTime(na.Now)
	i.atime, i.mtime, i.ctime = now, now, now
	if i.hasField(0x90, 4) {
		i.btime = now
	}
	i.flags = dir.flags & flInherited
	switch i.kind { // ext4_mask_flags
	case abi.S_IFDIR:
	case abi.S_IFREG:
		i.flags &^= flRegOnly | flCasefold | flProjInherit
	default:
		i.flags &= flOtherOnly
	}
	switch i.kind {
	case abi.S_IFREG, abi.S_IFDIR:
		i.startMap()
	case abi.S_IFCHR, abi.S_IFBLK:
		i.rdev = na.Rdev
		encodeDev(i.iblock(), na.Rdev)
	}
}

// startMap makes an empty block map.
func (i *inode) startMap() {
	clear(i.iblock())
	if i.s.es.hasIncompat(incompatExtents) {
		i.flags |= flExtents
		node(i.iblock()).init(extRootMax, 0)
	}
}

// freeInode gives an inode's number back (ext4_free_inode).
func (s *FS) freeInode(h *handle, i *inode) error {
	g, n := (i.ino-1)/s.es.inodesPerGroup, (i.ino-1)%s.es.inodesPerGroup
	b, err := s.inodeBitmap(g)
	if err != nil {
		return err
	}
	if !testBit(b.data, n) {
		return s.corrupt(i.ino, b.block, "inode is free already")
	}
	if err := h.access(b); err != nil {
		return err
	}
	clearBit(b.data, n)
	s.groups[g].freeInodes++
	s.freeInos++
	if i.isDir() && s.groups[g].usedDirs > 0 {
		s.groups[g].usedDirs--
		s.dirs--
	}
	return s.dirtyInodeBitmap(h, g, b)
}
