// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"errors"
	"sort"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
)

// handle is one atomic change: a jbd2 handle with the file system's own errands.
// Without a journal it is only a name for "FS.mu is held for writing", and
// changed buffers wait for writeDirty.
//
// A buffer may be changed between access and stop, and must be declared dirty
// after the change.
type handle struct {
	s *FS
	j *jbd2.Handle // nil: no journal
	// reserved: the caller may use the blocks kept for root.
	reserved bool
}

// revokeCredits is how many metadata blocks a handle may free before restart.
const revokeCredits = 64

// start begins a change of at most credits blocks; EROFS when nothing may be
// written. The first one of an operation gives fs.ErrMustWait when the journal
// has no room (FS.modify does what is to be done then); later ones wait.
func (s *FS) start(credits int) (*handle, error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	h := &handle{s: s}
	if s.journal == nil {
		return h, nil
	}
	s.releaseFreed()
	credits = min(credits, s.maxCredits)
	var err error
	if s.fresh {
		if h.j, err = s.journal.TryStart(nil, credits, revokeCredits); err == abi.EAGAIN {
			s.wants = credits
			return nil, fs.ErrMustWait
		}
	} else {
		h.j, err = s.journal.Start(nil, credits, revokeCredits)
	}
	if err != nil {
		return nil, s.journalError(err)
	}
	return h, nil
}

// access announces a change of b.
func (h *handle) access(b *Buffer) error {
	if h.j == nil {
		return nil
	}
	return h.s.journalError(h.j.GetWriteAccess(&b.jb))
}

// dirty says that b was changed.
func (h *handle) dirty(b *Buffer) error {
	if h.j == nil {
		b.dirty = true
		return nil
	}
	return h.s.journalError(h.j.DirtyMetadata(&b.jb))
}

// forget says that a metadata block is no metadata any more.
func (h *handle) forget(block uint64) error {
	b := h.s.cache.get(block)
	if h.j != nil {
		var jb *jbd2.Buffer
		if b != nil {
			jb = &b.jb
		}
		if err := h.j.Revoke(block, jb); err != nil {
			return h.s.journalError(err)
		}
	}
	if b != nil {
		b.dirty = false
		h.s.cache.drop(block)
	}
	return nil
}

// changed notes that the inode's file differs since the handle began: what an
// fsync must wait for. data tells that reading the file back needs it, which is
// what fdatasync asks.
func (h *handle) changed(i *inode, data bool) {
	if h.j == nil {
		return
	}
	tid := h.j.TID()
	i.mu.Lock()
	i.syncTID = tid
	if data {
		i.dataTID = tid
	}
	i.mu.Unlock()
}

// stop ends the change. err is what the change came to; it wins.
func (h *handle) stop(err error) error {
	if e := h.putCounts(); err == nil {
		err = e
	}
	if h.j != nil {
		if e := h.s.journalError(h.j.Stop()); err == nil {
			err = e
		}
	}
	if h.s.cache.full() {
		h.s.shrinkCache()
	}
	return err
}

// putCounts keeps the super block's counts in step with the groups', so that a
// replayed log leaves nothing to correct.
func (h *handle) putCounts() error {
	s := h.s
	if h.j == nil || s.savedBlks == s.freeBlks && s.savedInos == s.freeInos {
		return nil
	}
	return s.writeSuper(h)
}

// restart sees to it that the handle can change so many blocks more: by another
// handle where this one cannot get them, at a point where everything on the disk
// is consistent (ext4_journal_ensure_credits).
func (h *handle) restart(credits int) error {
	if h.j == nil {
		return nil
	}
	credits = min(credits, h.s.maxCredits)
	more, moreRevokes := max(0, credits-h.j.Credits()), max(0, revokeCredits-h.j.RevokeCredits())
	if more+moreRevokes == 0 {
		return nil
	}
	ok, err := h.j.Extend(more, moreRevokes)
	if ok || err != nil {
		return h.s.journalError(err)
	}
	if err := h.putCounts(); err != nil {
		return err
	}
	return h.s.journalError(h.j.Restart(credits, revokeCredits))
}

// journalError turns jbd2's errors into those of the file system. A handle that
// changes more than it announced would leave half an operation in the log, so
// that ends everything.
func (s *FS) journalError(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(abi.Errno); ok {
		return e
	}
	s.log(printk.Err, "%v", err)
	if errors.Is(err, abi.ENOSPC) {
		s.journal.Abort(err)
		return abi.EIO
	}
	var e abi.Errno
	if errors.As(err, &e) {
		return e
	}
	return abi.EIO
}

// freedRun is a run of blocks that the transaction tid freed.
type freedRun struct {
	tid   jbd2.TID
	first uint64
	n     uint32
}

// holdFreed keeps freed blocks from being given away before the change is
// durable: until then the file that they belonged to may come back.
func (s *FS) holdFreed(h *handle, first uint64, n uint32) {
	if h.j == nil {
		s.discardFreed(first, n)
		return
	}
	s.setBusy(first, n, true)
	s.pendingFree += int64(n)
	s.unsafeFree = append(s.unsafeFree, freedRun{h.j.TID(), first, n})
}

// releaseFreed lets go of what is durably free.
func (s *FS) releaseFreed() {
	k := 0
	for ; k < len(s.unsafeFree); k++ {
		r := s.unsafeFree[k]
		if (k == 0 || r.tid != s.unsafeFree[k-1].tid) && !s.journal.TransCommitted(r.tid) {
			break
		}
		s.discardFreed(r.first, r.n)
		s.setBusy(r.first, r.n, false)
		s.pendingFree -= int64(r.n)
	}
	if s.unsafeFree = s.unsafeFree[k:]; len(s.unsafeFree) == 0 {
		s.unsafeFree = nil
	}
}

// commit makes all changes durable.
func (s *FS) commit() error {
	if s.journal == nil {
		return s.writeDirty(s.flush)
	}
	err := s.journalError(s.journal.ForceCommit())
	s.releaseFreed()
	return err
}

// inInodeTable reports whether a block belongs to an inode table.
func (s *FS) inInodeTable(block uint64) bool {
	if !s.inZone(block, 1) || block < uint64(s.es.firstDataBlock) {
		return false
	}
	s.tablesOnce.Do(s.sortTables)
	i := sort.Search(len(s.tables), func(i int) bool { return s.tables[i] > block })
	return i > 0 && block-s.tables[i-1] < uint64(s.es.itableBlocks)
}

func (s *FS) sortTables() {
	for i := range s.groups {
		s.tables = append(s.tables, s.groups[i].inodeTable)
	}
	sort.Slice(s.tables, func(i, j int) bool { return s.tables[i] < s.tables[j] })
}

// Credits of changes, in blocks. A path of the extent tree with all its nodes
// split, bitmaps and descriptors of the blocks for that, inode, super block.
const (
	creditsTree  = 3*(extMaxDepth+1) + 8
	creditsName  = 48                           // a name: index and leaf split, directory grown
	creditsInode = 8                            // one inode, its bitmap and descriptor, super block, orphan file
	creditsMake  = 2*creditsInode + creditsName // a new file
	creditsMove  = 4*creditsInode + 2*creditsName
	creditsXattr = 5*creditsInode + 3*creditsTree // with an old and a new inode for the value
)
