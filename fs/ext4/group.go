// SPDX-License-Identifier: Apache-2.0

package ext4

// Flags of a group descriptor.
const (
	bgInodeUninit = 0x1 // inode bitmap and table were never written
	bgBlockUninit = 0x2 // block bitmap was never written
	bgInodeZeroed = 0x4 // inode table was zeroed
)

// group is struct ext4_group_desc, and what the allocators remember.
type group struct {
	blockBitmap  uint64
	inodeBitmap  uint64
	inodeTable   uint64
	freeBlocks   uint32
	freeInodes   uint32
	usedDirs     uint32
	itableUnused uint32
	flags        uint16
	bbCsum       uint32
	ibCsum       uint32

	// busy has a bit for each block that its bitmap calls free and that still must
	// not be given away: preallocated, or freed by a transaction that is not
	// committed. nil: none.
	busy []byte
	// noRun is the length of a run of free blocks that was looked for in vain
	// since blocks were last freed; 0: unknown.
	noRun uint32
	// trimmed is the least length of the free runs that the device was told of
	// since blocks were last freed; 0: none.
	trimmed   uint32
	bad       bool // block bitmap is corrupt: allocate nothing here
	badInodes bool
}

func decodeGroup(b []byte) group {
	g := group{
		blockBitmap: uint64(le32(b, 0x0)), inodeBitmap: uint64(le32(b, 0x4)), inodeTable: uint64(le32(b, 0x8)),
		freeBlocks: uint32(le16(b, 0xc)), freeInodes: uint32(le16(b, 0xe)), usedDirs: uint32(le16(b, 0x10)),
		flags: le16(b, 0x12), bbCsum: uint32(le16(b, 0x18)), ibCsum: uint32(le16(b, 0x1a)), itableUnused: uint32(le16(b, 0x1c)),
	}
	if len(b) >= 64 {
		g.blockBitmap |= uint64(le32(b, 0x20)) << 32
		g.inodeBitmap |= uint64(le32(b, 0x24)) << 32
		g.inodeTable |= uint64(le32(b, 0x28)) << 32
		g.freeBlocks |= uint32(le16(b, 0x2c)) << 16
		g.freeInodes |= uint32(le16(b, 0x2e)) << 16
		g.usedDirs |= uint32(le16(b, 0x30)) << 16
		g.itableUnused |= uint32(le16(b, 0x32)) << 16
		g.bbCsum |= uint32(le16(b, 0x38)) << 16
		g.ibCsum |= uint32(le16(b, 0x3a)) << 16
	}
	return g
}

// encode writes what changes into a descriptor.
func (g *group) encode(b []byte) {
	put16(b, 0xc, uint16(g.freeBlocks))
	put16(b, 0xe, uint16(g.freeInodes))
	put16(b, 0x10, uint16(g.usedDirs))
	put16(b, 0x12, g.flags)
	put16(b, 0x18, uint16(g.bbCsum))
	put16(b, 0x1a, uint16(g.ibCsum))
	put16(b, 0x1c, uint16(g.itableUnused))
	if len(b) >= 64 {
		put16(b, 0x2c, uint16(g.freeBlocks>>16))
		put16(b, 0x2e, uint16(g.freeInodes>>16))
		put16(b, 0x30, uint16(g.usedDirs>>16))
		put16(b, 0x32, uint16(g.itableUnused>>16))
		put16(b, 0x38, uint16(g.bbCsum>>16))
		put16(b, 0x3a, uint16(g.ibCsum>>16))
	}
}

// groupDescCsum is ext4_group_desc_csum.
func (es *super) groupDescCsum(n uint32, b []byte) uint16 {
	if es.metadataCsum() {
		c := crc32c(crc32cLE32(es.csumSeed, n), b[:0x1e])
		c = crc32cZero(c, 2)
		return uint16(crc32c(c, b[0x20:]))
	}
	var num [4]byte
	put32(num[:], 0, n)
	c := crc16(0xffff, es.uuid[:])
	c = crc16(c, num[:])
	c = crc16(c, b[:0x1e])
	if len(b) > 0x20 {
		c = crc16(c, b[0x20:])
	}
	return c
}

// loadGroups reads and checks all group descriptors (ext4_check_descriptors).
func (s *FS) loadGroups() error {
	es := s.es
	s.groups = make([]group, es.groups)
	for n := range es.groups {
		raw, err := s.descBytes(n)
		if err != nil {
			return err
		}
		if es.groupCsum() && es.groupDescCsum(n, raw) != le16(raw, 0x1e) {
			return &RefusedError{Reason: "group descriptor " + utoa(uint64(n)) + ": wrong checksum", Errno: 0}
		}
		g := decodeGroup(raw)
		if err := s.checkGroup(n, &g); err != nil {
			return err
		}
		s.groups[n] = g
	}
	return s.buildSystemZone()
}

// checkGroup refuses descriptors that lead out of bounds. Without flex_bg a
// group's metadata lies in the group itself.
func (s *FS) checkGroup(n uint32, g *group) error {
	es := s.es
	first, last := uint64(es.firstDataBlock), es.blocksCount-1
	if !es.hasIncompat(incompatFlexBG) {
		first = es.groupFirst(n)
		last = first + uint64(es.groupLen(n)) - 1
	}
	in := func(b uint64, n uint64) bool { return b >= first && b <= last && last-b >= n-1 }
	switch {
	case !in(g.blockBitmap, 1):
		return refuse("group %d: block bitmap at block %d", n, g.blockBitmap)
	case !in(g.inodeBitmap, 1):
		return refuse("group %d: inode bitmap at block %d", n, g.inodeBitmap)
	case !in(g.inodeTable, uint64(es.itableBlocks)):
		return refuse("group %d: inode table at block %d", n, g.inodeTable)
	case g.freeBlocks > es.clustersPerGrp, g.freeInodes > es.inodesPerGroup, g.usedDirs > es.inodesPerGroup,
		g.itableUnused > es.inodesPerGroup:
		return refuse("group %d: impossible counts", n)
	}
	if !es.groupCsum() { // the flags mean nothing then
		g.flags, g.itableUnused = 0, 0
	}
	return nil
}

// descBytes gives a group's descriptor within its buffer.
func (s *FS) descBytes(n uint32) ([]byte, error) {
	b, err := s.bread(s.es.descBlock(n / s.es.descPerBlock))
	if err != nil {
		return nil, err
	}
	off := n % s.es.descPerBlock * s.es.descSize
	return b.data[off : off+s.es.descSize], nil
}

// dirtyGroup writes a changed group to its descriptor's buffer.
func (s *FS) dirtyGroup(h *handle, n uint32) error {
	b, err := s.bread(s.es.descBlock(n / s.es.descPerBlock))
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	off := n % s.es.descPerBlock * s.es.descSize
	raw := b.data[off : off+s.es.descSize]
	s.groups[n].encode(raw)
	if s.es.groupCsum() {
		put16(raw, 0x1e, s.es.groupDescCsum(n, raw))
	}
	return h.dirty(b)
}
