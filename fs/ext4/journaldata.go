// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// File data that goes through the journal: data=journal, and files with the
// attribute j. Their blocks are buffers like metadata, revoked when freed. What
// of them is in the log only is in the cache of buffers, where reads find it.

// logChunk bounds the blocks of data that one handle logs.
const logChunk = 32

// logged reports whether the file's data goes through the journal
// (ext4_should_journal_data).
func (i *inode) logged() bool {
	if i.s.journal == nil || i.kind != abi.S_IFREG {
		return false
	}
	return i.s.dataMode == dataJournal || i.is(flJournalData|flEAInode)
}

// loggedCredits is what a write's data takes of a handle.
func (i *inode) loggedCredits() int {
	if i.logged() {
		return logChunk + 2
	}
	return 0
}

// logStep is writeStep for logged files. r is where the blocks from lblk on are.
func (i *inode) logStep(h *handle, p []byte, lblk uint32, r Run, in int) (int, error) {
	bs := int(i.s.es.blockSize)
	n := min(len(p), logChunk*bs-in)
	blocks := uint32(divUp(uint64(in+n), uint64(bs)))
	if r.Physical != noPhys {
		if err := i.logData(h, p[:n], r.Physical, in, r.Unwritten); err != nil {
			return 0, err
		}
		if r.Unwritten {
			return n, i.setUnwritten(h, lblk, blocks, false)
		}
		return n, nil
	}
	pblk, cnt, err := i.newDataBlocks(h, lblk, blocks)
	if err != nil {
		return 0, err
	}
	n = min(n, int(cnt)*bs-in)
	if err := i.logData(h, p[:n], pblk, in, true); err != nil {
		return 0, err
	}
	if err := i.addMapping(h, lblk, pblk, cnt, false); err != nil {
		i.discard()
		return 0, err
	}
	return n, nil
}

// logData changes bytes of blocks from pblk on, in bytes into the first. fresh
// ones hold nothing else.
func (i *inode) logData(h *handle, p []byte, pblk uint64, in int, fresh bool) error {
	s := i.s
	h.changed(i, true)
	bs := int(s.es.blockSize)
	for len(p) > 0 {
		n := min(len(p), bs-in)
		b := s.cache.get(pblk)
		if b == nil {
			if fresh || n == bs {
				b = s.cache.add(s.newBuffer(pblk))
			} else {
				var err error
				if b, err = s.bread(pblk); err != nil {
					return err
				}
			}
		}
		if err := h.access(b); err != nil {
			return err
		}
		if fresh {
			clear(b.data)
		}
		copy(b.data[in:], p[:n])
		b.verified.Store(0)
		if err := h.dirty(b); err != nil {
			return err
		}
		p, pblk, in = p[n:], pblk+1, 0
	}
	return nil
}

// fromDevice reads a run of the file; what is newer in the cache comes from there.
func (i *inode) fromDevice(p []byte, at int64) error {
	s := i.s
	if !i.logged() {
		return readFull(s.dev, p, at)
	}
	bs := int64(s.es.blockSize)
	for len(p) > 0 {
		n := min(int64(len(p)), bs-at%bs)
		if b := s.cache.get(uint64(at / bs)); b != nil {
			copy(p[:n], b.data[at%bs:])
		} else {
			for int64(len(p)) > n && s.cache.get(uint64((at+n)/bs)) == nil {
				n += min(int64(len(p))-n, bs)
			}
			if err := readFull(s.dev, p[:n], at); err != nil {
				return err
			}
		}
		p, at = p[n:], at+n
	}
	return nil
}

// setLogged changes whether the file's data goes through the journal: nothing of
// it may be in the log when it ceases to (ext4_change_inode_journal_flag).
// FS.mu is held for writing, and no handle is open.
func (i *inode) setLogged(on bool) error {
	if i.s.journal == nil || i.is(flJournalData) == on {
		return nil
	}
	if err := i.s.journalError(i.s.journal.Flush()); err != nil {
		return err
	}
	if !on {
		return i.dropLogged()
	}
	return nil
}

// dropLogged forgets the file's data buffers, which are in their places.
func (i *inode) dropLogged() error {
	if i.is(flInlineData) {
		return nil
	}
	return i.runs(0, maxBlocks, func(r Run) bool {
		for b := range r.Len {
			i.s.cache.drop(r.Physical + b)
		}
		return true
	})
}

// Bounds of files whose blocks are freed without further ado, in blocks.
const (
	lightExtents = 8192
	lightOther   = 1024
)

// heavy gives fs.ErrMustWait when freeing the file's blocks may take more than
// one handle, and with that a wait in the middle, and ctx allows none.
func (i *inode) heavy(ctx *fs.Context) error {
	if i.s.journal == nil || mayWait(ctx) {
		return nil
	}
	most := uint64(lightOther)
	if i.is(flExtents) && !i.metaData() {
		most = lightExtents
	}
	if i.sectors/uint64(i.s.es.blockSize/512) > most {
		return fs.ErrMustWait
	}
	return nil
}

// mayFree is heavy for a file that may lose its last name.
func (i *inode) mayFree(ctx *fs.Context) error {
	if i.isOpen() {
		return nil
	}
	return i.heavy(ctx)
}
