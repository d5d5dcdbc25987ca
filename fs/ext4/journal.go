// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"sort"

	"lodger/abi"
)

// Journal makes changes of several blocks one (fs/jbd2). Its methods are called
// with FS.mu held for writing, one at a time.
type Journal interface {
	// Start begins a change of at most credits blocks.
	Start(credits int) (Handle, error)
	// Commit makes all finished handles durable: everything written to the device
	// so far first (ordered mode), then the blocks.
	Commit() error
	// Close commits, writes everything to its place and marks the journal empty.
	Close() error
	// MaxCredits is how many blocks one handle may change at most.
	MaxCredits() int
	// AfterCommit calls f once the changes made so far are durable: then freed
	// blocks can be reused. It may call at once. FS.mu is held for writing when f
	// is called.
	AfterCommit(f func())
}

// Handle is one atomic change. After GetWriteAccess a buffer may be changed;
// DirtyMetadata says that it was. The journal may copy the contents at any time
// between DirtyMetadata and the return of Stop. It calls Buffer.Unpin when the
// block's newest contents are at their place.
type Handle interface {
	GetWriteAccess(b *Buffer) error
	DirtyMetadata(b *Buffer) error
	// Revoke says that a metadata block was freed: what the journal holds of it
	// must not be replayed over what comes there. Its buffer is dropped.
	Revoke(b *Buffer, block uint64) error
	// Extend asks for more credits; false: stop and start anew.
	Extend(credits int) bool
	Stop() error
}

// Unpin says that the block is at its place on the device.
func (b *Buffer) Unpin() { b.pinned = false }

// handle is a Handle with the file system's own errands.
type handle struct {
	s *FS
	j Handle
	// reserved: the caller may use the blocks kept for root.
	reserved bool
}

// start begins a change; EROFS when nothing may be written.
func (s *FS) start(credits int) (*handle, error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	j, err := s.journal.Start(min(credits, s.journal.MaxCredits()))
	if err != nil {
		return nil, err
	}
	return &handle{s: s, j: j}, nil
}

// access announces a change of b.
func (h *handle) access(b *Buffer) error { return h.j.GetWriteAccess(b) }

// dirty says that b was changed.
func (h *handle) dirty(b *Buffer) error {
	b.pinned = true
	return h.j.DirtyMetadata(b)
}

// forget says that a metadata block is no metadata any more.
func (h *handle) forget(block uint64) error {
	b := h.s.cache.get(block)
	if err := h.j.Revoke(b, block); err != nil {
		return err
	}
	if b != nil {
		b.pinned = false
		h.s.cache.drop(block)
	}
	return nil
}

// stop ends the change. err is what the change came to; it wins.
func (h *handle) stop(err error) error {
	if e := h.j.Stop(); err == nil {
		err = e
	}
	if h.s.cache.full() {
		h.s.cache.shrink()
	}
	return err
}

// restart ends the change and begins another, at a point where everything on
// the disk is consistent (ext4_journal_restart).
func (h *handle) restart(credits int) error {
	if h.j.Extend(credits) {
		return nil
	}
	if err := h.j.Stop(); err != nil {
		return err
	}
	j, err := h.s.journal.Start(min(credits, h.s.journal.MaxCredits()))
	if err != nil {
		j = noHandle{}
	}
	h.j = j
	return err
}

// noJournal writes changed blocks at Commit, what is pointed to before what
// points. A power cut in between needs e2fsck, as it does on Linux.
type noJournal struct{ s *FS }

type noHandle struct{}

func (noHandle) GetWriteAccess(*Buffer) error { return nil }
func (noHandle) DirtyMetadata(*Buffer) error  { return nil }
func (noHandle) Revoke(*Buffer, uint64) error { return nil }
func (noHandle) Extend(int) bool              { return true }
func (noHandle) Stop() error                  { return nil }

func (noJournal) Start(int) (Handle, error) { return noHandle{}, nil }
func (noJournal) MaxCredits() int           { return 1 << 30 }
func (noJournal) AfterCommit(f func())      { f() }
func (j noJournal) Close() error            { return j.Commit() }

// Commit writes the dirty buffers. Order: data is on the device already; then
// everything but inodes and the super block; then inodes; then the super block.
func (j noJournal) Commit() error {
	s := j.s
	all := s.cache.pinnedBuffers()
	rank := func(b *Buffer) int {
		switch {
		case b.block == s.superBlock():
			return 2
		case s.inInodeTable(b.block):
			return 1
		}
		return 0
	}
	sort.Slice(all, func(i, k int) bool {
		ri, rk := rank(all[i]), rank(all[k])
		return ri < rk || ri == rk && all[i].block < all[k].block
	})
	last := 0
	for _, b := range all {
		if r := rank(b); r != last {
			if err := s.flush(); err != nil {
				return err
			}
			last = r
		}
		if err := writeFull(s.dev, b.data, int64(b.block)*int64(s.es.blockSize)); err != nil {
			s.log("write of block %d: %v", b.block, err)
			return abi.EIO
		}
		b.pinned = false
	}
	return s.flush()
}

func (s *FS) flush() error {
	if err := s.dev.Flush(); err != nil {
		s.log("flush: %v", err)
		return abi.EIO
	}
	return nil
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
	creditsXattr = 3*creditsInode + creditsTree
)
