// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// modify runs f, a whole operation of the guest, with FS.mu held for writing.
// When the journal has no room for the operation's first change, or all that is
// free was freed a moment ago, nothing has been done yet: the wait happens
// without FS.mu, and f runs again; or, where ctx does not allow a wait, the
// caller gets fs.ErrMustWait and repeats the call.
//
// On a mount with sync it is durable when modify returns.
func (s *FS) modify(ctx *fs.Context, f func() error) error { return s.modifyAs(ctx, false, f) }

// modifyAs is modify for a change that may have to be durable at once.
func (s *FS) modifyAs(ctx *fs.Context, durable bool, f func() error) error {
	durable = ctx != nil && (durable || s.sb.Synchronous())
	if (s.waits || durable) && !mayWait(ctx) {
		return fs.ErrMustWait
	}
	err := s.modifyLater(ctx, f)
	if err == nil && durable {
		err = s.settle()
	}
	return err
}

func (s *FS) modifyLater(ctx *fs.Context, f func() error) error {
	for tries := 0; ; tries++ {
		s.mu.Lock()
		s.fresh, s.tried = true, tries > 0
		err := f()
		s.fresh = false
		wants := s.wants
		s.mu.Unlock()
		if err != fs.ErrMustWait || !mayWait(ctx) {
			return err
		}
		if err := s.waitRoom(wants); err != nil {
			return err
		}
	}
}

// mayWait reports whether an operation may block. Those that the file system
// does on its own account may.
func mayWait(ctx *fs.Context) bool { return ctx == nil || ctx.MayWait }

// wantsCommit instead of a number of blocks is the wish for freed blocks.
const wantsCommit = -1

// waitRoom waits until the journal can take a change. Nothing is held.
func (s *FS) waitRoom(credits int) error {
	if credits == wantsCommit {
		return s.journalError(s.journal.ForceCommit())
	}
	h, err := s.journal.Start(nil, credits, revokeCredits)
	if err == nil {
		err = h.Stop()
	}
	return s.journalError(err)
}

// modifyDir is modify for changes of directories.
func (s *FS) modifyDir(ctx *fs.Context, f func() error, dirs ...*inode) error {
	durable := s.sb.DirSync()
	for _, i := range dirs {
		durable = durable || i.flagged(flSync|flDirsync)
	}
	return s.modifyAs(ctx, durable, f)
}

// flagged reports whether the inode has one of the flags; FS.mu is not held.
func (i *inode) flagged(fl uint32) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.is(fl)
}

// change is modify with one change.
func (s *FS) change(ctx *fs.Context, credits int, f func(h *handle) error) error {
	return s.modify(ctx, func() error { return s.changeLocked(ctx, credits, f) })
}

// changeLocked runs f as one atomic change, with FS.mu held for writing. When
// there is no space but in what was freed a moment ago, that is made durable, and
// f runs again: it must leave nothing behind when it fails with ENOSPC.
func (s *FS) changeLocked(ctx *fs.Context, credits int, f func(h *handle) error) error {
	for try := 0; ; try++ {
		first := s.fresh && !s.tried
		h, err := s.start(credits)
		if err != nil {
			return err
		}
		s.fresh = false
		h.reserved = s.mayUseReserved(ctx)
		err = h.stop(f(h))
		if err != abi.ENOSPC || s.pendingFree == 0 || try > 0 {
			return err
		}
		if first {
			s.wants = wantsCommit
			return fs.ErrMustWait
		}
		if err := s.commit(); err != nil {
			return err
		}
	}
}

// mayUseReserved is ext4_has_free_clusters' rule.
func (s *FS) mayUseReserved(ctx *fs.Context) bool {
	if ctx == nil || ctx.Creds == nil {
		return true
	}
	c := ctx.Creds
	return c.FSUID == s.opt.ResUID || s.opt.ResGID != 0 && c.InGroup(s.opt.ResGID) || c.Capable(abi.CAP_SYS_RESOURCE)
}

// update changes an inode's attributes and writes it.
func (i *inode) update(h *handle, f func()) error {
	i.mu.Lock()
	old := i.ctime
	f()
	if i.ctime != old {
		i.queried.Store(false)
	}
	i.mu.Unlock()
	return i.s.writeInode(h, i)
}

// touch sets times of change.
func (i *inode) touch(h *handle, now abi.Timespec, contents bool) error {
	return i.update(h, func() {
		i.ctime = i.clampTime(now)
		if contents {
			i.mtime = i.ctime
			i.version++
		}
	})
}

// writeSuper writes what changes into the super block's buffer.
func (s *FS) writeSuper(h *handle) error {
	b, err := s.bread(s.superBlock())
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	s.fillSuper(b.data[superOffset%s.es.blockSize:][:superSize])
	return h.dirty(b)
}

// fillSuper puts what changes into a super block.
func (s *FS) fillSuper(r []byte) {
	es := s.es
	s.savedBlks, s.savedInos = s.freeBlks, s.freeInos
	free := uint64(max(s.freeBlks, 0))
	put32(r, 0x0, es.inodesCount)
	put32(r, 0x4, uint32(es.blocksCount))
	put32(r, 0x8, uint32(es.rBlocksCount))
	put32(r, 0xc, uint32(free))
	if es.hasIncompat(incompat64bit) {
		put32(r, 0x150, uint32(es.blocksCount>>32))
		put32(r, 0x154, uint32(es.rBlocksCount>>32))
		put32(r, 0x158, uint32(free>>32))
	}
	put32(r, 0x10, uint32(max(s.freeInos, 0)))
	put32(r, 0x2c, es.mtime)
	put32(r, 0x30, es.wtime)
	put16(r, 0x34, es.mntCount)
	put16(r, 0x3a, es.state)
	if es.revLevel > 0 {
		put32(r, 0x5c, es.compat)
		put32(r, 0x60, es.incompat)
		put32(r, 0x64, es.roCompat)
		put16(r, 0xce, uint16(es.reservedGDT))
		put32(r, 0x104, es.firstMetaBG)
		put32(r, 0x248, es.overhead)
		if es.hasIncompat(incompatCsumSeed) {
			put32(r, 0x270, es.csumSeed)
		}
		put32(r, 0xe8, es.lastOrphan)
		s.putErrors(r)
	}
	if es.metadataCsum() {
		put32(r, 0x3fc, superCsum(r))
	}
}

// commitSuper writes the super block past the journal, which holds nothing
// (ext4_commit_super).
func (s *FS) commitSuper() error {
	b, err := s.bread(s.superBlock())
	if err != nil {
		return err
	}
	r := b.data[superOffset%s.es.blockSize:][:superSize]
	s.fillSuper(r)
	err = writeFull(s.dev, r, superOffset)
	if err != nil { // half a super block would be the worst
		err = writeFull(s.dev, r, superOffset)
	}
	if err != nil {
		s.log(printk.Err, "write of the super block: %v", err)
		return abi.EIO
	}
	s.wrote.Add(1)
	return s.flush()
}
