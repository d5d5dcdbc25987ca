// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/lib/printk"

// Programs that look at the device of a mounted file system (dumpe2fs, debugfs, blkid)
// see what is in memory, and tune2fs changes the super block that is in use: on Linux
// the buffers are the device's page cache.

// Overlay implements bdev.Cacher: blocks whose newest contents are only in memory.
func (s *FS) Overlay(p []byte, off int64) {
	s.mu.RLock()
	defer s.runlock()
	if s.closed {
		return
	}
	bs := int64(s.es.blockSize)
	end := off + int64(len(p))
	for blk := off / bs; blk*bs < end; blk++ {
		b := s.cache.get(uint64(blk))
		if b == nil || !s.busy(b) {
			continue
		}
		if at := blk*bs - off; at >= 0 {
			copy(p[at:], b.data)
		} else {
			copy(p, b.data[-at:])
		}
	}
}

// Overwritten implements bdev.Cacher: of the super block what the file system does not
// answer for itself is taken over, and root's share of the blocks.
func (s *FS) Overwritten(p []byte, off int64) {
	const end = superOffset + superSize
	if off >= end || off+int64(len(p)) <= superOffset {
		return
	}
	take := func(r []byte) {
		if off > superOffset {
			copy(r[off-superOffset:], p)
		} else {
			copy(r, p[superOffset-off:])
		}
	}
	err := s.modify(nil, func() error {
		b, err := s.bread(s.superBlock())
		if err != nil || s.closed {
			return err
		}
		r := b.data[superOffset%s.es.blockSize:][:superSize]
		if s.writable() != nil { // nothing of ours is to be written
			take(r)
			s.takeTunables(r)
			return nil
		}
		return s.changeLocked(nil, creditsInode, func(h *handle) error {
			if err := h.access(b); err != nil {
				return err
			}
			take(r)
			s.takeTunables(r)
			return s.writeSuper(h)
		})
	})
	if err != nil {
		s.log(printk.Warning, "a change of the super block by a program is lost: %v", err)
	}
}

// takeTunables takes what may change under a mounted file system. Nothing of it is
// trusted.
func (s *FS) takeTunables(r []byte) {
	es := s.es
	reserved := uint64(le32(r, 0x8))
	if es.hasIncompat(incompat64bit) {
		reserved |= uint64(le32(r, 0x154)) << 32
	}
	if reserved <= es.blocksCount/2 {
		es.rBlocksCount = reserved
	}
	es.mntCount, es.maxMntCount = le16(r, 0x34), le16(r, 0x36)
	es.volumeName = cString(r[0x78:0x88])
	if le32(r, 0x60) == es.incompat|incompatCsumSeed && es.metadataCsum() {
		// Says what is so already, so that the UUID may change; fillSuper adds the seed.
		es.incompat |= incompatCsumSeed
	}
}
