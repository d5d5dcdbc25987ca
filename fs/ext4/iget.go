// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"bytes"

	"lodger/abi"
)

// inodeLoc gives the block and the byte in it of an inode (ext4_get_inode_loc).
func (s *FS) inodeLoc(ino uint32) (block uint64, off uint32, err error) {
	if ino == 0 || ino > s.es.inodesCount {
		return 0, 0, s.corrupt(0, 0, "inode number %d of %d", ino, s.es.inodesCount)
	}
	g, n := (ino-1)/s.es.inodesPerGroup, (ino-1)%s.es.inodesPerGroup
	return s.groups[g].inodeTable + uint64(n/s.es.inodesPerBlk), n % s.es.inodesPerBlk * s.es.inodeSize, nil
}

// Which inodes iget may give.
const (
	igetNormal  = iota // what directories lead to
	igetSpecial        // the file system's own: journal, orphan file, quota
	igetEA             // values of extended attributes
	igetOrphan         // like normal, link count 0 allowed
)

// iget gives an inode, checked (ext4_iget). It is read when it is not in memory.
func (s *FS) iget(ino uint32, what int) (*inode, error) {
	if what == igetNormal && (ino < s.es.firstIno && ino != rootIno || ino > s.es.inodesCount || ino == 0) {
		return nil, s.corrupt(ino, 0, "a name leads to a reserved or impossible inode")
	}
	s.inodeMu.Lock()
	i := s.inodes[ino].Get()
	s.inodeMu.Unlock()
	if i == nil {
		var err error
		if i, err = s.readInode(ino, what); err != nil {
			return nil, err
		}
		i = s.remember(i)
	}
	if i.is(flEAInode) != (what == igetEA) {
		return nil, s.corrupt(ino, 0, "attribute inode flag is %v", i.is(flEAInode))
	}
	return i, nil
}

// readInode reads and checks an inode.
func (s *FS) readInode(ino uint32, what int) (*inode, error) {
	block, off, err := s.inodeLoc(ino)
	if err != nil {
		return nil, err
	}
	b, err := s.bread(block)
	if err != nil {
		return nil, err
	}
	i := &inode{s: s, ino: ino, raw: append([]byte(nil), b.data[off:off+s.es.inodeSize]...)}
	if s.es.metadataCsum() && !s.checkInodeCsum(ino, i.raw) && !allZero(i.raw) {
		return nil, s.badCsum(ino, block, "inode")
	}
	i.decode()
	if s.journal != nil {
		// What changed it last is forgotten: it may be anything not yet durable.
		i.syncTID, _ = s.journal.Newest()
		i.dataTID = i.syncTID
	}
	if i.links == 0 && (i.mode == 0 || what == igetNormal) && what != igetSpecial {
		return nil, abi.ESTALE
	}
	if err := i.check(what); err != nil {
		return nil, err
	}
	if i.isDir() && i.links == 0 && what == igetNormal {
		return nil, abi.ESTALE
	}
	return i, nil
}

// check is what __ext4_iget refuses.
func (i *inode) check(what int) error {
	s, es := i.s, i.s.es
	bad := func(format string, args ...any) error { return s.corrupt(i.ino, 0, format, args...) }
	if len(i.raw) > goodOldInode {
		if n := int(le16(i.raw, 0x80)); goodOldInode+n > len(i.raw) || n&3 != 0 {
			return bad("extra size %d", n)
		}
	}
	switch i.kind {
	case abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK, abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO, abi.S_IFSOCK:
	default:
		if what != igetSpecial && what != igetEA {
			return bad("unknown type %#o", i.kind)
		}
	}
	if i.size < 0 {
		return bad("size %d", uint64(i.size))
	}
	if i.flags&(flEncrypt|flCasefold|flVerity) != 0 {
		return bad("encrypted, casefolded or verity file without the feature")
	}
	if i.fileACL != 0 && !s.validData(i.fileACL, 1) {
		return bad("attribute block at block %d", i.fileACL)
	}
	if i.is(flInlineData) {
		if !es.hasIncompat(incompatInlineData) || i.kind != abi.S_IFREG && i.kind != abi.S_IFDIR && i.kind != abi.S_IFLNK {
			return bad("inline data without the feature")
		}
		if i.is(flExtents) {
			return bad("both inline data and extents")
		}
		return nil
	}
	if i.isDir() && es.blocksIn(i.size) > es.blocksCount { // and so a listing ends
		return bad("directory of %d bytes", i.size)
	}
	if i.isFastSymlink() {
		if i.size >= iblockLen || i.size == 0 {
			return bad("link text of %d bytes in the inode", i.size)
		}
		return nil
	}
	switch i.kind {
	case abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK:
	default:
		return nil // no block map
	}
	if i.is(flExtents) {
		if what == igetEA && i.size == 0 {
			return nil
		}
		return i.checkExtentNode(i.iblock(), rootDepth, 0, 1<<32, 0)
	}
	return nil
}

// isFastSymlink reports whether the link text is in the inode
// (ext4_inode_is_fast_symlink).
func (i *inode) isFastSymlink() bool {
	if i.kind != abi.S_IFLNK || i.is(flExtents|flInlineData) {
		return false
	}
	if i.s.es.hasIncompat(incompatEAInode) { // values' blocks count too
		return i.size != 0 && i.size < iblockLen
	}
	acl := uint64(0)
	if i.fileACL != 0 {
		acl = uint64(i.s.es.clusterSize()) / 512
	}
	return i.sectors == acl
}

func (es *super) clusterSize() uint32 {
	if es.hasRO(roBigalloc) {
		return 1024 << es.logClusterSize
	}
	return es.blockSize
}

// writeInode writes a changed inode to its buffer (ext4_mark_inode_dirty).
func (s *FS) writeInode(h *handle, i *inode) error {
	block, off, err := s.inodeLoc(i.ino)
	if err != nil {
		return err
	}
	b, err := s.bread(block)
	if err != nil {
		return err
	}
	if i.size > 1<<31-1 && !s.es.hasRO(roLargeFile) && i.kind == abi.S_IFREG {
		s.es.roCompat |= roLargeFile
		if err := s.writeSuper(h); err != nil {
			return err
		}
	}
	i.mu.Lock()
	i.encode()
	i.lazyTime = false
	i.mu.Unlock()
	old := b.data[off : off+s.es.inodeSize]
	if bytes.Equal(old, i.raw) {
		// And so is the journal's, if it has one. But something of the file's has
		// changed beside it: names of a directory within one tick of the clock.
		h.changed(i, i.kind != abi.S_IFREG)
		return nil
	}
	if err := h.access(b); err != nil {
		return err
	}
	h.changed(i, i.kind != abi.S_IFREG || differsForData(old, i.raw))
	copy(old, i.raw)
	return h.dirty(b)
}

// differsForData reports whether fdatasync must write the inode: size, blocks and
// flags count, the times do not.
func differsForData(a, b []byte) bool {
	for _, f := range [...][2]int{{0x4, 0x8}, {0x1c, 0x24}, {iblockOff, iblockOff + iblockLen}, {0x6c, 0x70}} {
		if !bytes.Equal(a[f[0]:f[1]], b[f[0]:f[1]]) {
			return true
		}
	}
	return false
}
