// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"slices"
	"sort"

	"lodger/abi"
)

// Without a journal a sync writes the changed buffers to their places. Order: data is
// on the device already; then everything but inodes and the super block; then inodes;
// then the super block: what is pointed to before what points. A power cut in between
// needs e2fsck, as it does on Linux.
//
// Buffers are written with FS.mu held: one that is freed may become some file's data
// at any time after. The flushes in between, which last, happen without it; so inodes
// are written as they were when what they point to was.

// Ranks of buffers, in the order of writing.
const (
	rankFirst = iota
	rankInodes
	rankSuper
	ranks
)

// writeout is a sync's work.
type writeout struct {
	bufs [ranks][]*Buffer
	was  [][]byte // of bufs[rankInodes], when the first were written
}

// syncDirect is Sync without a journal.
func (s *FS) syncDirect() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeDirty(func() error {
		s.mu.Unlock()
		defer s.mu.Lock()
		return s.flush()
	})
}

// writeDirty writes everything; FS.mu is held for writing, but flush may let go of it,
// and FS.syncMu.
func (s *FS) writeDirty(flush func() error) error {
	if s.readOnly.Load() || s.closed {
		return nil
	}
	err := s.changeLocked(nil, creditsInode, func(h *handle) error {
		if len(s.orphans) == 0 {
			s.es.roCompat &^= roOrphanPres
		}
		return s.writeSuper(h)
	})
	if err != nil {
		return err
	}
	w := s.collect()
	for rank := range ranks {
		if err = s.writeRank(w, rank); err == nil && s.unflushed() {
			err = flush()
		}
		if err == nil && s.aborted() {
			err = abi.EIO // while it was flushed; the super block says so
		}
		if err != nil {
			w.undo(rank)
			return s.ioFailed("sync", err)
		}
	}
	return nil
}

// collect lists the changed buffers. From now on they are as good as written; what
// changes them again is the next sync's.
func (s *FS) collect() *writeout {
	w := &writeout{}
	for _, b := range s.cache.dirtyBuffers() {
		rank := rankFirst
		switch {
		case b.block == s.superBlock():
			rank = rankSuper
		case s.inInodeTable(b.block):
			rank = rankInodes
		}
		w.bufs[rank] = append(w.bufs[rank], b)
	}
	for _, l := range w.bufs {
		sort.Slice(l, func(i, k int) bool { return l[i].block < l[k].block })
	}
	for _, b := range w.bufs[rankInodes] {
		w.was = append(w.was, slices.Clone(b.data))
		b.dirty, b.writing = false, true
	}
	return w
}

// writeRank writes the buffers of a rank.
func (s *FS) writeRank(w *writeout, rank int) error {
	for k, b := range w.bufs[rank] {
		data := b.data
		if rank == rankInodes {
			data = w.was[k]
		}
		if err := s.writeNew(data, b.block); err != nil {
			return err
		}
		if rank != rankInodes {
			b.dirty = false
		}
		b.writing = false
	}
	return nil
}

// undo gives inodes that are not on the disk back to the next sync.
func (w *writeout) undo(rank int) {
	if rank > rankInodes {
		return
	}
	for _, b := range w.bufs[rankInodes] {
		if b.writing {
			b.dirty, b.writing = true, false
		}
	}
}
