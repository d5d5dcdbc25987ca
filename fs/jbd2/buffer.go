// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"

	"lodger/abi"
)

// Buffer is one block of the file system in memory: buffer_head and
// journal_head. The file system keeps them, and the journal holds on to those
// that it still has to write.
//
// Data never moves. It may be changed only between GetWriteAccess (or
// GetCreateAccess) and the handle's Stop, and reading and changing it is
// serialised by the file system's own locks.
type Buffer struct {
	Block uint64
	Data  []byte

	// All below is guarded by Journal.mu.

	// tx is the transaction that the buffer belongs to (b_transaction). When
	// that one is committing and the running one took the buffer too, that is
	// next (b_next_transaction).
	tx, next *Transaction
	as       filed  // what it is in tx
	nextAs   filed  // what it is in next
	logged   bool   // the committing tx has copied it
	frozen   []byte // what the committing tx has to copy instead of Data
	pos      int    // index in the running transaction's buffers

	cp      *Transaction // whose checkpoint list it is on
	cpPos   int
	writing bool // a checkpoint write of it is in flight
}

// filed says what a buffer is in a transaction (b_jlist).
type filed byte

const (
	reserved  filed = iota // BJ_Reserved: access granted, not changed yet
	dirty                  // BJ_Metadata: goes to the log
	forgotten              // BJ_Forget: freed; its checkpoint ends with the commit
)

// NewBuffer returns a buffer for a block with the contents given.
func NewBuffer(block uint64, data []byte) *Buffer { return &Buffer{Block: block, Data: data} }

// Busy reports whether the journal still needs the buffer: it is part of a
// transaction, or not yet in its place. A buffer that is not may be dropped.
func (j *Journal) Busy(b *Buffer) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return b.tx != nil || b.cp != nil || b.writing
}

// GetWriteAccess announces that the handle will change b
// (jbd2_journal_get_write_access).
func (h *Handle) GetWriteAccess(b *Buffer) error {
	j := h.j
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.access(h, b)
}

// GetCreateAccess is the same for a block that was just allocated, whose old
// contents mean nothing (jbd2_journal_get_create_access).
func (h *Handle) GetCreateAccess(b *Buffer) error { return h.GetWriteAccess(b) }

func (j *Journal) access(h *Handle, b *Buffer) error {
	t := h.t
	switch {
	case j.abortErr != nil:
		return abi.EROFS
	case t == nil:
		return invalid("handle is stopped")
	case b.Block >= j.opt.Blocks || len(b.Data) != j.opt.Blocksize || j.log.owns(b.Block):
		return corrupt("buffer of block %d with %d bytes", b.Block, len(b.Data))
	}
	// A block that is in use again must not be revoked by this transaction.
	delete(t.revokes, b.Block)
	switch {
	case b.tx == t && b.as != forgotten, b.next == t && b.nextAs != forgotten:
		return nil
	case h.credits <= 0:
		return fmt.Errorf("jbd2: handle has no credits left: %w", abi.ENOSPC)
	}
	h.credits--
	if b.tx != nil && b.tx != t && b.as == dirty && !b.logged && b.frozen == nil {
		b.frozen = append(j.spareBlock(), b.Data...)
	}
	j.file(t, b, reserved)
	return nil
}

// file puts a buffer into the running transaction, or changes what it is there.
func (j *Journal) file(t *Transaction, b *Buffer, as filed) {
	switch {
	case b.tx == t:
		b.as = as
		return
	case b.next == t:
		b.nextAs = as
		return
	case b.tx == nil:
		b.tx, b.as = t, as
	default:
		b.next, b.nextAs = t, as
	}
	b.pos = len(t.buffers)
	t.buffers = append(t.buffers, b)
}

// DirtyMetadata says that the handle has changed b
// (jbd2_journal_dirty_metadata). File data of data=journal goes the same way.
func (h *Handle) DirtyMetadata(b *Buffer) error {
	j := h.j
	j.mu.Lock()
	defer j.mu.Unlock()
	t := h.t
	switch {
	case j.abortErr != nil:
		return abi.EROFS
	case t != nil && b.tx == t && b.as != forgotten:
		b.as = dirty
	case t != nil && b.next == t && b.nextAs != forgotten:
		b.nextAs = dirty
	default:
		return invalid("block %d is dirty without write access", b.Block)
	}
	return nil
}

// Forget says that b's block is freed (jbd2_journal_forget): what this
// transaction changed in it need not be logged, and what older ones did need not
// be written once this one has committed.
func (h *Handle) Forget(b *Buffer) error {
	j := h.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.abortErr != nil {
		return abi.EROFS
	}
	if h.t == nil {
		return invalid("handle is stopped")
	}
	j.forget(h, b)
	return nil
}

func (j *Journal) forget(h *Handle, b *Buffer) {
	t := h.t
	in := b.tx == t && b.as != forgotten || b.next == t && b.nextAs != forgotten
	if in {
		h.credits++ // the place in the log that it would have taken
	}
	switch {
	case b.tx != nil && b.tx != t, b.cp != nil:
		// An older transaction has it in the log: until this one commits, a
		// crash must bring that back, so its checkpoint stays till then.
		j.file(t, b, forgotten)
	case b.tx == t:
		t.unfile(b)
		b.tx, b.as = nil, reserved
	}
}

// Revoke keeps recovery from replaying what the log has of a freed block, whose
// next user may write it past the journal (jbd2_journal_revoke). b is its
// buffer, if there is one, which is forgotten.
func (h *Handle) Revoke(block uint64, b *Buffer) error {
	j := h.j
	j.mu.Lock()
	defer j.mu.Unlock()
	t := h.t
	switch {
	case j.abortErr != nil:
		return abi.EROFS
	case t == nil:
		return invalid("handle is stopped")
	case !j.fmt.revoke():
		return invalid("the journal has no revoke feature")
	case block >= j.opt.Blocks:
		return corrupt("revoke of block %d", block)
	}
	if _, ok := t.revokes[block]; !ok {
		if h.revokes <= 0 {
			return fmt.Errorf("jbd2: handle has no revoke credits left: %w", abi.ENOSPC)
		}
		h.revokes--
		if t.revokes == nil {
			t.revokes = map[uint64]struct{}{}
		}
		t.revokes[block] = struct{}{}
	}
	if b != nil {
		j.forget(h, b)
	}
	return nil
}

// CancelRevoke takes a revoke of this transaction back. GetWriteAccess does it
// by itself; this is for blocks that come back without one
// (jbd2_journal_cancel_revoke).
func (h *Handle) CancelRevoke(block uint64) {
	h.j.mu.Lock()
	defer h.j.mu.Unlock()
	if h.t != nil {
		delete(h.t.revokes, block)
	}
}

// maxSpare bounds the blocks that are kept for frozen copies.
const maxSpare = 32

// spareBlock gives a block's memory, empty.
func (j *Journal) spareBlock() []byte {
	if n := len(j.spare); n > 0 {
		b := j.spare[n-1]
		j.spare = j.spare[:n-1]
		return b[:0]
	}
	return make([]byte, 0, j.opt.Blocksize)
}

// thaw gives a frozen copy's memory back.
func (j *Journal) thaw(b *Buffer) {
	if b.frozen != nil && len(j.spare) < maxSpare {
		j.spare = append(j.spare, b.frozen)
	}
	b.frozen = nil
}
