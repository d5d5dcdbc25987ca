// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"sort"

	"lodger/abi"
	"lodger/lib/printk"
)

// backupDescs tells what copies of descriptor blocks a group holds: n blocks from
// number first on, at block at.
func (es *super) backupDescs(g uint32) (first, n uint32, at uint64) {
	at = es.groupFirst(g)
	if es.groupHasSuper(g) {
		at++
	}
	meta := g / es.descPerBlock
	if es.hasIncompat(incompatMetaBG) && meta >= es.firstMetaBG {
		switch g % es.descPerBlock {
		case 1, es.descPerBlock - 1:
			return meta, 1, at
		}
		return 0, 0, 0 // the first one is no copy
	}
	if !es.groupHasSuper(g) {
		return 0, 0, 0
	}
	if es.hasIncompat(incompatMetaBG) {
		return 0, es.firstMetaBG, at
	}
	return 0, es.descBlocks, at
}

// addGroup adds group g of size blocks (ext4_flex_group_add, of one group).
func (s *FS) addGroup(h *handle, g, size uint32) error {
	es := s.es
	meta := es.baseMeta(g) // also for descriptors that are among the reserved ones yet
	first := es.groupFirst(g)
	gr := group{blockBitmap: first + uint64(meta), inodeBitmap: first + uint64(meta) + 1, inodeTable: first + uint64(meta) + 2,
		freeInodes: es.inodesPerGroup}
	used := meta + 2 + es.itableBlocks
	gr.freeBlocks = size - used
	if err := s.writeGroup(&gr, first, meta, used, size); err != nil {
		return err
	}
	if err := s.linkGroup(h, g, gr, size, used); err != nil {
		return s.ioFailed("resize", err) // half a group is in memory
	}
	return nil
}

// linkGroup has the file system lead to a group that is written.
func (s *FS) linkGroup(h *handle, g uint32, gr group, size, used uint32) error {
	es := s.es
	s.growCounts(uint64(size), uint64(gr.freeBlocks))
	es.groups++
	es.inodesCount += es.inodesPerGroup
	s.freeInos += int64(es.inodesPerGroup)
	s.groups = append(s.groups, gr)
	if g%es.descPerBlock == 0 {
		if err := s.addDescBlock(h, g/es.descPerBlock); err != nil {
			return err
		}
	}
	if es.groupHasSuper(g) && es.reservedGDT > 0 {
		if err := s.reserveBackups(h, g); err != nil {
			return err
		}
	}
	if err := s.addZones([]Run{{Physical: es.groupFirst(g), Len: uint64(used)}}); err != nil {
		return err
	}
	s.tablesOnce.Do(s.sortTables)
	k := sort.Search(len(s.tables), func(i int) bool { return s.tables[i] > gr.inodeTable })
	s.tables = append(s.tables[:k:k], append([]uint64{gr.inodeTable}, s.tables[k:]...)...)
	if err := s.putGroup(h, g); err != nil {
		return err
	}
	return s.writeSuper(h)
}

// writeGroup writes what a new group consists of; nothing leads there yet. The bitmaps
// are whole, so that no flag needs to say that they are not.
func (s *FS) writeGroup(gr *group, first uint64, meta, used, size uint32) error {
	es := s.es
	if es.groupCsum() {
		gr.flags, gr.itableUnused = bgInodeZeroed, es.inodesPerGroup
	}
	blocks, inodes := make([]byte, es.blockSize), make([]byte, es.blockSize)
	for k := range used {
		setBit(blocks, k)
	}
	for k := size; k < es.blockSize*8; k++ {
		setBit(blocks, k)
	}
	for k := es.inodesPerGroup; k < es.blockSize*8; k++ {
		setBit(inodes, k)
	}
	if es.metadataCsum() {
		gr.bbCsum = s.bitmapCsum(blocks, es.clustersPerGrp/8)
		gr.ibCsum = s.bitmapCsum(inodes, es.inodesPerGroup/8)
	}
	if meta > 0 {
		if err := s.zeroNew(first, meta); err != nil {
			return err
		}
	}
	if err := s.writeNew(blocks, gr.blockBitmap); err != nil {
		return err
	}
	if err := s.writeNew(inodes, gr.inodeBitmap); err != nil {
		return err
	}
	return s.zeroNew(gr.inodeTable, es.itableBlocks)
}

// putGroup writes a new group's whole descriptor.
func (s *FS) putGroup(h *handle, g uint32) error {
	raw, err := s.descBytes(g)
	if err != nil {
		return err
	}
	b, err := s.bread(s.es.descBlock(g / s.es.descPerBlock))
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	clear(raw)
	gr := &s.groups[g]
	for off, blk := range map[int]uint64{0: gr.blockBitmap, 4: gr.inodeBitmap, 8: gr.inodeTable} {
		put32(raw, off, uint32(blk))
		if len(raw) >= 64 {
			put32(raw, 0x20+off, uint32(blk>>32))
		}
	}
	return s.dirtyGroup(h, g)
}

// addDescBlock makes block n of descriptors one (add_new_gdb, add_new_gdb_meta_bg).
func (s *FS) addDescBlock(h *handle, n uint32) error {
	es := s.es
	if es.hasIncompat(incompatMetaBG) && n >= es.firstMetaBG {
		es.descBlocks++
		b, err := s.getblk(es.descBlock(n))
		if err != nil {
			return err
		}
		if err := h.access(b); err != nil {
			return err
		}
		return h.dirty(b)
	}
	ri, dind, err := s.resizeInode()
	if err != nil {
		return err
	}
	at := uint64(es.firstDataBlock) + 1 + uint64(n)
	slot := int(n%es.addrPerBlock) * 4
	if uint64(le32(dind.data, slot)) != at {
		return s.corrupt(resizeIno, at, "new group's descriptor block is not reserved")
	}
	b, err := s.bread(at)
	if err != nil {
		return err
	}
	backups, err := s.reservedList(b, es.groups-1)
	if err != nil {
		return err
	}
	for _, x := range []*Buffer{dind, b} {
		if err := h.access(x); err != nil {
			return err
		}
	}
	put32(dind.data, slot, 0)
	clear(b.data)
	b.verified.Store(0)
	ri.addSectors(-int64(backups + 1))
	es.descBlocks++
	es.reservedGDT--
	for _, x := range []*Buffer{dind, b} {
		if err := h.dirty(x); err != nil {
			return err
		}
	}
	return s.writeInode(h, ri)
}

// reserveBackups gives the resize inode the blocks that a new group with a copy of the
// super block keeps for descriptors (reserve_backup_gdb).
func (s *FS) reserveBackups(h *handle, g uint32) error {
	es := s.es
	ri, dind, err := s.resizeInode()
	if err != nil {
		return err
	}
	for k := range es.reservedGDT {
		n := es.descBlocks + k
		at := uint64(es.firstDataBlock) + 1 + uint64(n)
		if uint64(le32(dind.data, int(n%es.addrPerBlock)*4)) != at {
			return s.corrupt(resizeIno, at, "reserved block %d is not the resize inode's", n)
		}
		b, err := s.bread(at)
		if err != nil {
			return err
		}
		backups, err := s.reservedList(b, g)
		if err != nil {
			return err
		}
		if err := h.access(b); err != nil {
			return err
		}
		put32(b.data, backups*4, uint32(uint64(g)*uint64(es.blocksPerGroup)+at))
		if err := h.dirty(b); err != nil {
			return err
		}
	}
	ri.addSectors(int64(es.reservedGDT))
	return s.writeInode(h, ri)
}

// reservedList checks a reserved block, which lists its places in the groups before
// end that have copies, and gives their number (verify_reserved_gdb).
func (s *FS) reservedList(b *Buffer, end uint32) (n int, err error) {
	for g := uint32(1); g < end; g++ {
		if !s.es.groupHasSuper(g) {
			continue
		}
		if n*4 >= len(b.data) {
			return 0, abi.EFBIG
		}
		if want := uint64(g)*uint64(s.es.blocksPerGroup) + b.block; uint64(le32(b.data, n*4)) != want {
			return 0, s.corrupt(resizeIno, b.block, "reserved block of group %d is %d instead of %d", g, le32(b.data, n*4), want)
		}
		n++
	}
	if n*4 >= len(b.data) {
		return 0, abi.EFBIG
	}
	return n, nil
}

const (
	resizeIno = 7
	dindSlot  = 13 * 4 // EXT4_DIND_BLOCK, in bytes
)

// resizeInode gives the inode whose map holds the blocks reserved for descriptors, and
// its double indirect block.
func (s *FS) resizeInode() (*inode, *Buffer, error) {
	if !s.es.hasCompat(compatResizeInode) {
		return nil, nil, s.corrupt(0, 0, "no resize inode")
	}
	i, err := s.iget(resizeIno, igetSpecial)
	if err != nil {
		return nil, nil, err
	}
	at := uint64(le32(i.iblock(), dindSlot))
	if i.kind != abi.S_IFREG || i.is(flExtents|flInlineData) || !s.validData(at, 1) {
		return nil, nil, s.corrupt(resizeIno, at, "not a resize inode")
	}
	b, err := s.bread(at)
	return i, b, err
}

// needsMetaBG reports whether group g has no room for its descriptor but where meta_bg
// puts it.
func (s *FS) needsMetaBG(g uint32) bool {
	es := s.es
	return g%es.descPerBlock == 0 && !es.hasIncompat(incompatMetaBG) && (!es.hasCompat(compatResizeInode) || es.reservedGDT == 0)
}

// convertMetaBG has further descriptors lie in the groups that they describe
// (ext4_convert_meta_bg).
func (s *FS) convertMetaBG(h *handle) error {
	es := s.es
	s.log(printk.Info, "Converting file system to meta_bg")
	if es.hasCompat(compatResizeInode) {
		ri, dind, err := s.resizeInode()
		if err != nil {
			return err
		}
		for k := 0; k < iblockLen; k += 4 {
			if k != dindSlot && le32(ri.iblock(), k) != 0 {
				return s.corrupt(resizeIno, 0, "a resize inode with more than reserved blocks")
			}
		}
		if err := s.freeBlocks(h, resizeIno, dind.block, 1, true); err != nil {
			return err
		}
		put32(ri.iblock(), dindSlot, 0)
		ri.mu.Lock()
		ri.sectors = 0
		ri.mu.Unlock()
		if err := s.writeInode(h, ri); err != nil {
			return err
		}
	}
	es.compat &^= compatResizeInode
	es.incompat |= incompatMetaBG
	es.firstMetaBG = es.descBlocks
	return s.writeSuper(h)
}
