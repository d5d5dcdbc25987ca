// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/block"
	"lodger/fs"
	"lodger/lib/printk"
)

// Growing a mounted file system: fs/ext4/resize.c. The last group is filled up, and
// then one group after the other is added, each in a change of its own, so that other
// calls come in between and a crash leaves a file system of some size on the way. What
// a new group consists of is written before, where nothing leads to yet.
//
// Other than on Linux each new group has its bitmaps and inode table within itself,
// also with flex_bg, which allows it.

// ioctlResize is EXT4_IOC_RESIZE_FS, and with last EXT4_IOC_GROUP_EXTEND, the older
// control, which stays within the last group: arg leads to the number of blocks wanted,
// of 8 or 4 bytes.
func (s *FS) ioctlResize(ctx *fs.Context, arg uint64, mem fs.UserMemory, last bool) error {
	if err := s.mayResize(ctx); err != nil {
		return err
	}
	if !mayWait(ctx) {
		return fs.ErrMustWait
	}
	var b [8]byte
	n := b[:]
	if last {
		n = b[:4]
	}
	if err := mem.CopyIn(arg, n); err != nil {
		return err
	}
	if !s.resizing.CompareAndSwap(false, true) {
		return abi.EBUSY
	}
	defer s.resizing.Store(false)
	return s.resize(ctx, le64(b[:], 0), last)
}

// mayResize is ext4_resize_begin.
func (s *FS) mayResize(ctx *fs.Context) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_RESOURCE) {
		return abi.EPERM
	}
	if err := s.writable(); err != nil {
		return err
	}
	s.stateMu.Lock()
	errors := s.state.count > 0 || s.es.state&stateErrors != 0
	s.stateMu.Unlock()
	switch {
	case errors:
		s.log(printk.Warning, "There are errors in the filesystem, so online resizing is not allowed")
		return abi.EPERM
	case s.es.hasCompat(compatSparseSuper2):
		s.log(printk.Err, "Online resizing not supported with sparse_super2")
		return abi.EOPNOTSUPP
	case !s.es.hasRO(roSparseSuper):
		s.log(printk.Err, "Online resizing not supported without sparse_super")
		return abi.EOPNOTSUPP
	}
	return nil
}

// resize grows to n blocks (ext4_resize_fs); last: only the last group.
func (s *FS) resize(ctx *fs.Context, n uint64, last bool) error {
	grown := false
	for {
		more := false
		err := s.modify(ctx, func() error {
			err := s.mayGrow(n)
			if err != nil || n == s.es.blocksCount {
				return err
			}
			if !grown {
				s.log(printk.Info, "resizing filesystem from %d to %d blocks", s.es.blocksCount, n)
			}
			more, err = s.growStep(ctx, n, last)
			return err
		})
		if err != nil {
			return err
		}
		if !more {
			break
		}
		grown = true
	}
	if !grown {
		return nil
	}
	s.mu.RLock()
	s.log(printk.Info, "resized filesystem to %d", s.es.blocksCount)
	s.runlock()
	return s.writeBackups()
}

// mayGrow checks the size that is asked for.
func (s *FS) mayGrow(n uint64) error {
	es := s.es
	have := es.blocksCount
	switch {
	case n < have:
		s.log(printk.Warning, "can't shrink FS - resize aborted")
		return abi.EINVAL
	case n > uint64(s.dev.Size())/uint64(es.blockSize):
		s.log(printk.Warning, "can't read last block, resize aborted")
		return abi.ENOSPC
	case n >= 1<<48, n >= 1<<32 && !es.hasIncompat(incompat64bit),
		divUp(n-uint64(es.firstDataBlock), uint64(es.blocksPerGroup))*uint64(es.inodesPerGroup) > 1<<32-1:
		s.log(printk.Warning, "resize would cause inodes_count overflow")
		return abi.EINVAL
	case es.hasIncompat(incompatMetaBG) && es.hasCompat(compatResizeInode):
		s.log(printk.Err, "resize_inode and meta_bg enabled simultaneously")
		return abi.EINVAL
	}
	return nil
}

// growStep fills up the last group or adds one; more tells that there was something to
// do. FS.mu is held for writing.
func (s *FS) growStep(ctx *fs.Context, n uint64, last bool) (more bool, err error) {
	es := s.es
	g := es.groups - 1
	if room := es.blocksPerGroup - es.groupLen(g); room > 0 {
		add := uint32(min(uint64(room), n-es.blocksCount))
		return true, s.changeLocked(ctx, creditsInode, func(h *handle) error { return s.extendLast(h, add) })
	}
	if last {
		return false, nil
	}
	g++
	size := uint32(min(uint64(es.blocksPerGroup), n-es.groupFirst(g)))
	if size <= es.baseMeta(g)+2+es.itableBlocks+1 {
		return false, nil // too little for a group: that much stays unused
	}
	if s.needsMetaBG(g) {
		return true, s.changeLocked(ctx, creditsTree, s.convertMetaBG)
	}
	credits := creditsInode
	if es.groupHasSuper(g) {
		credits += int(es.reservedGDT)
	}
	if s.journal != nil && credits > s.maxCredits {
		return false, abi.ENOSPC // jbd2_journal_start's
	}
	return true, s.changeLocked(ctx, credits, func(h *handle) error { return s.addGroup(h, g, size) })
}

// extendLast makes the last group longer (ext4_group_extend_no_check).
func (s *FS) extendLast(h *handle, add uint32) error {
	es := s.es
	g := es.groups - 1
	b, err := s.blockBitmap(g) // checked against the old end
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	was := es.groupLen(g)
	s.growCounts(uint64(add), uint64(add))
	for k := was; k < was+add; k++ {
		clearBit(b.data, k)
	}
	gr := &s.groups[g]
	gr.flags &^= bgBlockUninit
	gr.freeBlocks += add
	gr.noRun, gr.trimmed = 0, 0
	if es.metadataCsum() {
		gr.bbCsum = s.bitmapCsum(b.data, es.clustersPerGrp/8)
	}
	if err := h.dirty(b); err != nil {
		return err
	}
	if err := s.dirtyGroup(h, g); err != nil {
		return err
	}
	return s.writeSuper(h)
}

// growCounts adds blocks to the file system; root's share grows with it
// (ext4_update_super).
func (s *FS) growCounts(blocks, free uint64) {
	es := s.es
	percent := es.rBlocksCount * 100 / es.blocksCount
	es.rBlocksCount += percent * blocks / 100
	es.blocksCount += blocks
	es.overhead = 0 // who reads it counts anew
	s.freeBlks += int64(free)
	if s.journal != nil {
		s.journal.Grow(es.blocksCount)
	}
}

// writeBackups brings the copies of super block and descriptors up to date
// (update_backups). Nothing depends on them but repair.
func (s *FS) writeBackups() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	es := s.es
	sb, err := s.bread(s.superBlock())
	if err != nil {
		return err
	}
	super := make([]byte, es.blockSize)
	for g := uint32(1); g < es.groups; g++ {
		if es.groupHasSuper(g) {
			copy(super, sb.data[superOffset%es.blockSize:][:superSize])
			s.fillSuper(super[:superSize])
			put16(super, 0x5a, uint16(g)) // s_block_group_nr
			if es.metadataCsum() {
				put32(super, 0x3fc, superCsum(super[:superSize]))
			}
			if err := s.writeBackup(super, es.groupFirst(g)); err != nil {
				return err
			}
		}
		first, n, at := es.backupDescs(g)
		for k := range n {
			b, err := s.bread(es.descBlock(first + k))
			if err != nil {
				return err
			}
			if err := s.writeBackup(b.data, at+uint64(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeBackup writes a copy; one that is in memory (EXT4_IOC_SETFSLABEL changes them)
// goes the way of all metadata.
func (s *FS) writeBackup(p []byte, blk uint64) error {
	b := s.cache.get(blk)
	if b == nil {
		return s.writeNew(p, blk)
	}
	return s.changeLocked(nil, creditsInode, func(h *handle) error {
		if err := h.access(b); err != nil {
			return err
		}
		copy(b.data, p)
		return h.dirty(b)
	})
}

// writeNew writes a block that no journal knows, or that there is none for.
func (s *FS) writeNew(p []byte, blk uint64) error {
	if err := writeFull(s.dev, p, int64(blk)*int64(s.es.blockSize)); err != nil {
		s.log(printk.Err, "write of block %d: %v", blk, err)
		return abi.EIO
	}
	s.wrote.Add(1)
	return nil
}

// zeroNew makes blocks zero that no journal knows.
func (s *FS) zeroNew(blk uint64, n uint32) error {
	bs := int64(s.es.blockSize)
	if err := block.WriteZeroes(s.dev, int64(blk)*bs, int64(n)*bs); err != nil {
		s.log(printk.Err, "zeroing of block %d: %v", blk, err)
		return abi.EIO
	}
	s.wrote.Add(1)
	return nil
}
