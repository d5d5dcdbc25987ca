// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"time"

	"lodger/abi"
	"lodger/lib/printk"
)

// Orphans (fs/ext4/orphan.c) are inodes to be truncated or freed after a crash:
// unlinked but open, or in the middle of a long truncation. They are chained
// through i_dtime from the super block, or stand in the orphan file.

const orphanMagic = 0x0b10ca04

// orphanFile is the orphan file's blocks, when the file system has one.
type orphanFile struct {
	inode  *inode
	blocks []uint64
}

func (s *FS) orphanSlots() int { return int(s.es.blockSize-8) / 4 }

// orphanCsum covers the block's number and its slots.
func (s *FS) orphanCsum(b *Buffer) uint32 {
	return crc32c(crc32cLE64(s.orphan.inode.seed, b.block), b.data[:s.orphanSlots()*4])
}

// loadOrphanFile finds and checks the orphan file.
func (s *FS) loadOrphanFile() error {
	if !s.es.hasCompat(compatOrphanFile) || s.es.orphanFileInum == 0 || s.orphan.inode != nil {
		return nil
	}
	i, err := s.iget(s.es.orphanFileInum, igetSpecial)
	if err != nil {
		return err
	}
	if i.kind != abi.S_IFREG || i.links == 0 || i.size > 8<<20 || i.is(flInlineData) {
		return s.corrupt(i.ino, 0, "not an orphan file")
	}
	s.orphan.inode = i
	for n := range uint32(s.es.blocksIn(i.size)) {
		r, err := i.mapBlocks(n, 1)
		if err != nil {
			return err
		}
		if r.Physical == noPhys || r.Unwritten {
			return s.corrupt(i.ino, 0, "orphan file has a hole")
		}
		b, err := s.bread(r.Physical)
		if err != nil {
			return err
		}
		tail := s.orphanSlots() * 4
		if le32(b.data, tail) != orphanMagic {
			return s.corrupt(i.ino, b.block, "orphan file: bad magic")
		}
		if s.es.metadataCsum() && le32(b.data, tail+4) != s.orphanCsum(b) {
			return s.badCsum(i.ino, b.block, "orphan file")
		}
		s.orphan.blocks = append(s.orphan.blocks, r.Physical)
	}
	return nil
}

// addOrphan notes an inode; its own links and size say what is to be done.
func (s *FS) addOrphan(h *handle, i *inode) error {
	if _, ok := s.orphans[i.ino]; ok {
		return nil
	}
	for k, block := range s.orphan.blocks {
		b, err := s.bread(block)
		if err != nil {
			return err
		}
		for n := range s.orphanSlots() {
			if le32(b.data, n*4) == 0 {
				s.orphans[i.ino] = k*s.orphanSlots() + n
				if !s.es.hasRO(roOrphanPres) {
					s.es.roCompat |= roOrphanPres
					if err := s.writeSuper(h); err != nil {
						return err
					}
				}
				return s.putOrphan(h, b, n, i.ino)
			}
		}
	}
	put32(i.raw, 0x14, s.es.lastOrphan)
	s.es.lastOrphan = i.ino
	s.orphans[i.ino] = -1
	if err := s.writeSuper(h); err != nil {
		return err
	}
	return s.writeInode(h, i)
}

func (s *FS) putOrphan(h *handle, b *Buffer, slot int, ino uint32) error {
	if err := h.access(b); err != nil {
		return err
	}
	put32(b.data, slot*4, ino)
	if s.es.metadataCsum() {
		put32(b.data, s.orphanSlots()*4+4, s.orphanCsum(b))
	}
	return h.dirty(b)
}

// delOrphan forgets an inode.
func (s *FS) delOrphan(h *handle, i *inode) error {
	slot, ok := s.orphans[i.ino]
	if !ok {
		return nil
	}
	delete(s.orphans, i.ino)
	if slot >= 0 {
		b, err := s.bread(s.orphan.blocks[slot/s.orphanSlots()])
		if err != nil {
			return err
		}
		return s.putOrphan(h, b, slot%s.orphanSlots(), 0)
	}
	next := le32(i.raw, 0x14)
	put32(i.raw, 0x14, 0)
	if s.es.lastOrphan == i.ino {
		s.es.lastOrphan = next
		if err := s.writeSuper(h); err != nil {
			return err
		}
		return s.writeInode(h, i)
	}
	for at, n := s.es.lastOrphan, 0; at != 0 && n <= len(s.orphans); n++ {
		prev, err := s.iget(at, igetOrphan)
		if err != nil {
			return err
		}
		if at = le32(prev.raw, 0x14); at == i.ino {
			put32(prev.raw, 0x14, next)
			if err := s.writeInode(h, prev); err != nil {
				return err
			}
			break
		}
	}
	return s.writeInode(h, i)
}

// cleanOrphans finishes at mount what a crash interrupted
// (ext4_orphan_cleanup).
func (s *FS) cleanOrphans() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var l []*inode
	seen := map[uint32]bool{}
	take := func(ino uint32, slot int) (*inode, error) {
		if seen[ino] || ino < s.es.firstIno || ino > s.es.inodesCount {
			return nil, s.corrupt(ino, 0, "orphan list: impossible or repeated inode")
		}
		seen[ino] = true
		i, err := s.iget(ino, igetOrphan)
		if err != nil {
			return nil, err
		}
		s.orphans[ino] = slot
		l = append(l, i)
		return i, nil
	}
	for ino := s.es.lastOrphan; ino != 0; {
		i, err := take(ino, -1)
		if err != nil {
			s.es.lastOrphan = 0 // nothing of it can be trusted
			break
		}
		ino = le32(i.raw, 0x14)
	}
	for k, block := range s.orphan.blocks {
		b, err := s.bread(block)
		if err != nil {
			return err
		}
		for n := range s.orphanSlots() {
			if ino := le32(b.data, n*4); ino != 0 {
				if _, err := take(ino, k*s.orphanSlots()+n); err != nil {
					return err
				}
			}
		}
	}
	deleted := 0
	for _, i := range l {
		if i.links == 0 {
			deleted++
		}
		if err := s.finishOrphan(i); err != nil {
			return err
		}
	}
	if deleted > 0 {
		s.log(printk.Info, "%d orphan inode%s deleted", deleted, plural(deleted))
	}
	if n := len(l) - deleted; n > 0 {
		s.log(printk.Info, "%d truncate%s cleaned up", n, plural(n))
	}
	return nil
}

func (s *FS) finishOrphan(i *inode) error {
	if i.links == 0 {
		return s.evict(i)
	}
	return s.changeLocked(nil, creditsTree, func(h *handle) error {
		if i.kind == abi.S_IFREG && !i.is(flInlineData) {
			if err := i.unmap(h, s.es.blocksIn(i.size), maxBlocks); err != nil {
				return err
			}
		}
		return s.delOrphan(h, i)
	})
}

// evict frees an inode without names and users (ext4_evict_inode). It is on the
// orphan list, so a crash half way is finished at the next mount.
func (s *FS) evict(i *inode) error {
	i.discard()
	i.dropMem()
	err := s.changeLocked(nil, creditsTree+creditsInode, func(h *handle) error {
		if i.hasMap() {
			if err := i.unmap(h, 0, maxBlocks); err != nil {
				return err
			}
		}
		if err := h.restart(creditsXattr); err != nil {
			return err
		}
		return s.release(h, i)
	})
	s.bury(i)
	return err
}

// release frees an inode that has no blocks any more.
func (s *FS) release(h *handle, i *inode) error {
	if err := i.dropXattrs(h); err != nil {
		return err
	}
	if err := s.delOrphan(h, i); err != nil {
		return err
	}
	i.setDtime()
	if err := i.update(h, func() { i.size = 0; i.links = 0 }); err != nil {
		return err
	}
	return s.freeInode(h, i)
}

// bury ends an inode that was freed.
func (s *FS) bury(i *inode) {
	i.mu.Lock()
	i.dead = true
	i.mu.Unlock()
	s.forgetInode(i)
}

// evictAtOnce is evict within the change that removes the last name. It reports
// whether it was: only of a file that nobody has open and that the credits left
// are enough for, so that the change stays one and a crash leaves no orphan.
func (s *FS) evictAtOnce(h *handle, i *inode) (bool, error) {
	_, orphan := s.orphans[i.ino]
	if orphan || !h.canFree(i) {
		return false, nil
	}
	i.mu.Lock()
	free := i.opens == 0 && !i.dead
	i.evicting = i.evicting || free
	i.mu.Unlock()
	if !free {
		return false, nil
	}
	i.discard()
	i.dropMem()
	defer s.bury(i)
	if i.hasMap() {
		if err := i.unmap(h, 0, maxBlocks); err != nil {
			return true, err
		}
	}
	return true, s.release(h, i)
}

// canFree reports whether the handle can free an inode with all that it has: a
// few extents in the inode, and nothing that must be revoked.
func (h *handle) canFree(i *inode) bool {
	es := i.s.es
	switch {
	case i.isDir() || i.fileACL != 0 || es.hasIncompat(incompatEAInode):
		return false
	case h.j != nil && h.j.Credits() < 2*creditsTree+creditsInode:
		return false
	case !i.hasMap():
		return true
	}
	return i.kind == abi.S_IFREG && !i.logged() && i.is(flExtents) && node(i.iblock()).depth() == 0 &&
		i.sectors <= uint64(es.blocksPerGroup)*uint64(es.blockSize/512)
}

// setDtime notes the time of deletion, which tells a freed inode from an orphan.
func (i *inode) setDtime() { put32(i.raw, 0x14, uint32(time.Now().Unix())) }

// hasMap reports whether the inode has a block map.
func (i *inode) hasMap() bool {
	switch i.kind {
	case abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK:
		return !i.is(flInlineData) && !i.isFastSymlink()
	}
	return false
}

// Pin counts an open file.
func (i *inode) Pin() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dead || i.evicting {
		return abi.ENOENT
	}
	i.opens++
	return nil
}

// Unpin forgets an open file; the last one of an unlinked inode frees it.
func (i *inode) Unpin() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.mu.Lock()
	i.opens--
	last := i.opens == 0 && !i.dead
	i.mu.Unlock()
	if !last {
		return
	}
	i.discard()
	if i.links > 0 {
		i.releaseMem()
		i.forgetMapped()
	} else if i.s.writable() == nil && i.claim() {
		i.forgetMapped()
		i.s.evictUnmapped(i)
	}
}

// isOpen reports whether the inode has open files.
func (i *inode) isOpen() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.opens > 0
}

// claim reports whether the inode has neither names nor users, and keeps new
// users away from then on: the caller evicts it. FS.mu is held, so that no name
// comes back.
func (i *inode) claim() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.opens > 0 || i.links > 0 || i.dead {
		return false
	}
	i.evicting = true
	return true
}

// unlinked puts an inode whose last name went on the orphan list; freed frees it
// when nobody uses it.
func (s *FS) unlinked(h *handle, i *inode) error {
	if i.links > 0 {
		return nil
	}
	return s.addOrphan(h, i)
}

func (s *FS) freed(i *inode) error {
	if !i.claim() {
		return nil
	}
	return s.evictUnmapped(i)
}
