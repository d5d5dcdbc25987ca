// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"encoding/binary"
)

// releaseRobust walks the thread's robust futex list before it ends
// (Documentation/locking/robust-futexes.rst): locks that it holds get
// FUTEX_OWNER_DIED. Everything read is the guest's and may be nonsense.
func (t *Task) releaseRobust() {
	head := t.RobustList.Load()
	if head == 0 {
		return
	}
	var b [24]byte
	if t.CopyIn(head, b[:]) != nil {
		return
	}
	le := binary.LittleEndian
	next, offset, pending := le.Uint64(b[:]), le.Uint64(b[8:]), le.Uint64(b[16:])
	for n := 0; next&^1 != head && n < 2048; n++ {
		entry := next &^ 1
		var w [8]byte
		if t.CopyIn(entry, w[:]) != nil {
			return
		}
		if entry != pending&^1 {
			t.ownerDied(entry+offset, next&1 != 0)
		}
		next = le.Uint64(w[:])
	}
	if pending&^1 != 0 {
		t.ownerDied(pending&^1+offset, pending&1 != 0)
	}
}

// holdsRobust reports whether t's list shows a lock, held or being taken.
func (t *Task) holdsRobust() bool {
	head := t.RobustList.Load()
	var b [24]byte
	if head == 0 || t.CopyIn(head, b[:]) != nil {
		return false
	}
	le := binary.LittleEndian
	return le.Uint64(b[:])&^1 != head || le.Uint64(b[16:])&^1 != 0
}

const (
	futexWaiters   = 0x80000000
	futexOwnerDied = 0x40000000
	futexTIDMask   = 0x3fffffff
)

// ownerDied marks one futex word and remembers to wake a waiter; one with priority
// inheritance is handed on by piExit.
func (t *Task) ownerDied(addr uint64, pi bool) {
	var b [4]byte
	if t.CopyIn(addr, b[:]) != nil {
		return
	}
	le := binary.LittleEndian
	word := le.Uint32(b[:])
	if word&futexTIDMask != uint32(t.tid) {
		return
	}
	next := word&futexWaiters | futexOwnerDied
	if pi {
		next |= futexWaiters // see piTable
	}
	le.PutUint32(b[:], next)
	if t.CopyOut(addr, b[:]) == nil && word&futexWaiters != 0 && !pi {
		t.robustWakes = append(t.robustWakes, addr)
	}
}
