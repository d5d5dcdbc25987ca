// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"
	"sort"

	"lodger/abi"
)

// Checkpoints: fs/jbd2/checkpoint.c. One goroutine at a time makes them
// (Journal.checkpointing); it has no handle open.

// dropFinished takes transactions without anything to write off the list.
func (j *Journal) dropFinished() {
	kept := j.checkpoints[:0]
	for _, t := range j.checkpoints {
		if len(t.cp) > 0 {
			kept = append(kept, t)
		}
	}
	clear(j.checkpoints[len(kept):])
	j.checkpoints = kept
}

// logTail is the oldest transaction that recovery would need
// (jbd2_journal_get_log_tail).
func (j *Journal) logTail() (tid TID, block uint32) {
	switch {
	case len(j.checkpoints) > 0:
		t := j.checkpoints[0]
		return t.tid, t.logStart
	case j.committing != nil:
		return j.committing.tid, j.committing.logStart
	case j.running != nil:
		return j.running.tid, j.head
	}
	return j.nextTID, j.head
}

// dist is the number of log blocks from one up to another.
func (j *Journal) dist(from, to uint32) int {
	n := int(to) - int(from)
	if n < 0 {
		n += j.logSpace()
	}
	return n
}

// reclaimable is how many blocks a tail update would free.
func (j *Journal) reclaimable() int {
	tid, block := j.logTail()
	if tid == j.tailSeq {
		return 0
	}
	if block == j.tail {
		return j.logSpace() - j.free // once around: all of it
	}
	return j.dist(j.tail, block)
}

// takeCheckpointing waits for the role; false when enough came true before.
func (j *Journal) takeCheckpointing(enough func() bool) bool {
	for j.checkpointing {
		if enough() {
			return false
		}
		j.cond.Wait()
	}
	j.checkpointing = true
	return true
}

// reclaim makes more than want log blocks free (jbd2_log_wait_for_space).
func (j *Journal) reclaim(want int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	// Do more than asked while at it: each tail update costs two flushes.
	goal := max(want, j.logSpace()/4)
	if !j.takeCheckpointing(func() bool { return j.free > want }) {
		return nil
	}
	defer func() {
		j.checkpointing = false
		j.wake()
	}()
	for j.free <= want && j.abortErr == nil {
		switch {
		case j.free+j.reclaimable() > goal || len(j.checkpoints) == 0 && j.reclaimable() > 0:
			j.updateTail()
		case len(j.checkpoints) > 0:
			j.writeBack(j.checkpoints[0])
		case j.committing != nil:
			t := j.committing
			j.drive(func() bool { return j.committing != t })
		case j.running != nil:
			t := j.running
			j.request(t.tid)
			j.drive(func() bool { return j.settled(t.tid) })
		default:
			return fmt.Errorf("jbd2: no room for %d blocks in the log: %w", want, abi.ENOSPC)
		}
	}
	if j.abortErr != nil {
		return abi.EROFS
	}
	return nil
}

// clean makes room before anybody waits for it: what is committed is written to
// its place. It drives no commit.
func (j *Journal) clean() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.checkpointing || j.barrier > 0 {
		return // somebody does as much
	}
	j.checkpointing = true
	defer func() {
		j.checkpointing = false
		j.wake()
	}()
	for _, t := range append([]*Transaction(nil), j.checkpoints...) {
		j.writeFree(t)
	}
	j.dropFinished()
	j.updateTail()
}

// writeFree writes those of a committed transaction's buffers that no newer
// transaction has.
func (j *Journal) writeFree(t *Transaction) (held *Transaction) {
	list := append([]*Buffer(nil), t.cp...)
	sort.Slice(list, func(a, b int) bool { return list[a].Block < list[b].Block })
	for len(list) > 0 && j.abortErr == nil {
		b := list[0]
		if b.cp == t && b.tx != nil {
			held = b.tx
			if b.next != nil {
				held = b.next
			}
		}
		if b.cp != t || b.tx != nil {
			list = list[1:]
			continue
		}
		list = list[j.writeRun(t, list):]
	}
	return held
}

// spawnReclaim is reclaim on another goroutine; clean when nobody wants room yet.
func (j *Journal) spawnReclaim(want int) {
	j.mu.Lock()
	start := !j.cpSpawned
	j.cpSpawned = true
	j.mu.Unlock()
	if start {
		j.opt.Go(func() {
			if want > 0 {
				_ = j.reclaim(want) // TryStart sees the abort or the room
			} else {
				j.clean()
			}
			j.mu.Lock()
			j.cpSpawned = false
			j.wake()
			j.mu.Unlock()
		})
	}
}

// Checkpoint writes everything that is committed to its place, and empties the
// log as far as it can. The caller has no handle open.
func (j *Journal) Checkpoint() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.takeCheckpointing(func() bool { return false })
	defer func() {
		j.checkpointing = false
		j.wake()
	}()
	for len(j.checkpoints) > 0 && j.abortErr == nil {
		j.writeBack(j.checkpoints[0])
	}
	j.updateTail()
	return j.waitErr()
}

// writeBack writes a committed transaction's buffers. Those that a newer
// transaction has are written by its checkpoint, after its commit. Called with
// mu held, which it gives up over I/O.
func (j *Journal) writeBack(t *Transaction) {
	held := j.writeFree(t)
	if held != nil && len(t.cp) > 0 && j.abortErr == nil {
		j.request(held.tid)
		j.drive(func() bool { return j.settled(held.tid) })
	}
	j.dropFinished()
}

// writeRun writes the buffers at the head of list that lie one behind the other,
// copies of them, with one write; it tells how many.
func (j *Journal) writeRun(t *Transaction, list []*Buffer) int {
	bs := j.opt.Blocksize
	n := 1
	for n < len(list) && n < maxStaging {
		b := list[n]
		if b.cp != t || b.tx != nil || b.Block != list[0].Block+uint64(n) {
			break
		}
		n++
	}
	if len(j.cpStaging) < n*bs {
		j.cpStaging = make([]byte, n*bs)
	}
	p := j.cpStaging[:n*bs]
	for i, b := range list[:n] {
		copy(p[i*bs:], b.Data)
		b.writing = true
	}
	j.mu.Unlock()
	err := writeFull(j.dev, p, int64(list[0].Block)*int64(bs))
	if err != nil {
		// The log has it still: it must not be given up.
		j.Abort(err)
	}
	j.mu.Lock()
	for _, b := range list[:n] {
		b.writing = false
		// What was copied is committed, even if a newer transaction has taken
		// the buffer since: that one's commit puts it on its own list.
		if b.cp == t && err == nil {
			b.dropCheckpoint()
		}
	}
	j.wake()
	return n
}

// updateTail gives up the part of the log that is not needed any more. Before
// the superblock says so, everything that was checkpointed is durable; before
// the room is used again, the superblock is. Called with mu held and the
// checkpointing role.
func (j *Journal) updateTail() {
	gain := j.reclaimable()
	tid, block := j.logTail()
	if gain == 0 && tid == j.tailSeq || j.abortErr != nil {
		return
	}
	j.mu.Unlock()
	err := flush(j.dev)
	if err == nil {
		err = j.writeTail(tid, block)
	}
	if err != nil {
		j.Abort(err)
	}
	j.mu.Lock()
	if err == nil {
		j.free += gain
		j.wake()
	}
}
