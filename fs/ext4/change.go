// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// change runs f as one atomic change, with FS.mu held for writing. When there is
// no space but in what was freed a moment ago, that is made durable, and f runs
// again: it must leave nothing behind when it fails with ENOSPC.
func (s *FS) change(ctx *fs.Context, credits int, f func(h *handle) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(ctx, credits, f)
}

func (s *FS) changeLocked(ctx *fs.Context, credits int, f func(h *handle) error) error {
	for try := 0; ; try++ {
		h, err := s.start(credits)
		if err != nil {
			return err
		}
		h.reserved = s.mayUseReserved(ctx)
		err = h.stop(f(h))
		if err != abi.ENOSPC || s.pendingFree == 0 || try > 0 {
			return err
		}
		if err := s.journal.Commit(); err != nil {
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
	f()
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
	r := b.data[superOffset%s.es.blockSize:][:superSize]
	es := s.es
	free := uint64(max(s.freeBlks, 0))
	put32(r, 0xc, uint32(free))
	if es.hasIncompat(incompat64bit) {
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
		put32(r, 0xe8, es.lastOrphan)
		s.putErrors(r)
	}
	if es.metadataCsum() {
		put32(r, 0x3fc, superCsum(r))
	}
	return h.dirty(b)
}

// putErrors notes errors found (save_error_info).
func (s *FS) putErrors(r []byte) {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	e := &s.state
	if !e.unsaved {
		return
	}
	s.es.state |= stateErrors
	put16(r, 0x3a, s.es.state)
	put := func(off int, n *errorNote, block int, fn int) {
		put32(r, off, n.when)
		put32(r, off+4, n.ino)
		put64(r, block, n.block)
		clear(r[fn : fn+32])
		copy(r[fn:fn+31], n.what)
	}
	if le32(r, 0x194) == 0 {
		put(0x198, e.first, 0x1a0, 0x1a8)
	}
	put32(r, 0x194, s.es.errorCount+e.count)
	put32(r, 0x1cc, e.last.when)
	put32(r, 0x1d0, e.last.ino)
	put64(r, 0x1d8, e.last.block)
	clear(r[0x1e0:0x200])
	copy(r[0x1e0:0x1ff], e.last.what)
	e.unsaved = false
}
