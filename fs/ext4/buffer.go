// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"container/list"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
)

// Buffer is a metadata block in memory (struct buffer_head). There is one per
// block; who changes it holds FS.mu for writing and has called handle.access.
type Buffer struct {
	block uint64
	data  []byte
	elem  *list.Element // in cache.lru; guarded by cache.mu

	jb jbd2.Buffer // the same block and data for the journal

	// dirty says, without a journal, that the newest contents are only here.
	// Changed under FS.mu for writing.
	dirty bool
	// writing says that a sync is about to write what was in it. Changed likewise.
	writing bool
	// verified is what the contents were last checked as; see verifiedAs.
	verified atomic.Uint64
}

func (s *FS) newBuffer(block uint64) *Buffer {
	p := make([]byte, s.es.blockSize)
	return &Buffer{block: block, data: p, jb: jbd2.Buffer{Block: block, Data: p}}
}

// busy reports whether the buffer must stay in memory: its newest contents are
// not at their place.
func (s *FS) busy(b *Buffer) bool {
	return b.dirty || b.writing || s.journal != nil && s.journal.Busy(&b.jb)
}

// What a buffer can have been checked as. The inode number is part of the key:
// most checksums contain it.
const (
	asExtents = iota + 1
	asDir
	asIndex
	asXattr
	asBlockBitmap
	asInodeBitmap
	asOrphan
)

// verifiedAs reports whether the contents were checked as kind for ino already.
func (b *Buffer) verifiedAs(kind, ino uint32) bool {
	return b.verified.Load() == uint64(kind)<<32|uint64(ino)
}

func (b *Buffer) setVerified(kind, ino uint32) { b.verified.Store(uint64(kind)<<32 | uint64(ino)) }

// cache holds the buffers: all busy ones, and of the others those used last.
type cache struct {
	mu    sync.Mutex
	byNum map[uint64]*Buffer
	lru   list.List // front: used last
	limit int       // buffers
	least int       // what the last shrink had to leave
}

func (c *cache) get(block uint64) *Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byNum[block]
	if b != nil {
		c.lru.MoveToFront(b.elem)
	}
	return b
}

// add puts b in, unless somebody was faster: then it gives theirs.
func (c *cache) add(b *Buffer) *Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byNum[b.block]; old != nil {
		return old
	}
	c.byNum[b.block] = b
	b.elem = c.lru.PushFront(b)
	return b
}

// shrinkCache drops buffers over the limit. FS.mu is held, and no change is under
// way: one could have just got a buffer, to change what would be lost.
func (s *FS) shrinkCache() {
	c := &s.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.lru.Back(); e != nil && len(c.byNum) > c.limit; {
		b, prev := e.Value.(*Buffer), e.Prev()
		if !s.busy(b) {
			c.lru.Remove(e)
			delete(c.byNum, b.block)
		}
		e = prev
	}
	c.least = len(c.byNum)
}

func (c *cache) drop(block uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.byNum[block]; b != nil {
		c.lru.Remove(b.elem)
		delete(c.byNum, block)
	}
}

// full reports whether a shrink is worth its while: busy buffers, of which the
// last one had to leave many, are not looked at each time.
func (c *cache) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byNum) > max(c.limit, c.least)+c.limit/8
}

// dirtyBuffers lists the dirty buffers.
func (c *cache) dirtyBuffers() []*Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var l []*Buffer
	for _, b := range c.byNum {
		if b.dirty {
			l = append(l, b)
		}
	}
	return l
}

// bread gives a metadata block, read when it is not in memory (sb_bread).
func (s *FS) bread(block uint64) (*Buffer, error) {
	if b := s.cache.get(block); b != nil {
		return b, nil
	}
	if block >= s.es.blocksCount {
		return nil, abi.EUCLEAN
	}
	b := s.newBuffer(block)
	if err := readFull(s.dev, b.data, int64(block)*int64(s.es.blockSize)); err != nil {
		s.log(printk.Err, "read of block %d: %v", block, err)
		return nil, abi.EIO
	}
	return s.cache.add(b), nil
}

// runlock ends a reader's section. Nobody changes buffers meanwhile, so that a
// reader can drop them.
func (s *FS) runlock() {
	if s.cache.full() {
		s.shrinkCache()
	}
	s.mu.RUnlock()
}

// getblk gives a metadata block that is about to be written anew: zeroed,
// whatever is on the disk. FS.mu is held for writing.
func (s *FS) getblk(block uint64) (*Buffer, error) {
	if block >= s.es.blocksCount {
		return nil, abi.EUCLEAN
	}
	b := s.cache.get(block)
	if b == nil {
		b = s.cache.add(s.newBuffer(block))
	} else {
		clear(b.data)
	}
	b.verified.Store(0)
	return b, nil
}
