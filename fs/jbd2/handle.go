// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"

	"lodger/abi"
	"lodger/lib/wait"
)

// Handle is one operation's part of a transaction (handle_t): all that it
// changes is on disk after a crash, or nothing.
type Handle struct {
	j       *Journal
	t       *Transaction
	ref     int // how many Starts joined
	credits int // blocks that it may yet change
	revokes int // blocks that it may yet revoke
	sync    bool
}

// reason is why a handle cannot start now.
type reason int

const (
	startOK     reason = iota
	startWait          // somebody's UnlockUpdates
	startCommit        // the running transaction must commit first
	startRoom          // the log is short of room
)

// verdict is a reason; want is how much room in the log would do.
type verdict struct {
	why  reason
	want int
}

// Start opens a handle that will change at most blocks blocks and revoke at
// most revokes (jbd2_journal_start). With outer, which the caller has open
// already, it joins that one; each Start has its Stop. It may wait for a commit
// and for checkpoints, and does their work itself.
func (j *Journal) Start(outer *Handle, blocks, revokes int) (*Handle, error) {
	for {
		h, v, err := j.tryStart(outer, blocks, revokes)
		if h != nil || err != nil {
			return h, err
		}
		switch v.why {
		case startCommit:
			j.commitRunning()
		case startRoom:
			if err := j.reclaim(v.want); err != nil {
				return nil, err
			}
		case startWait:
			j.mu.Lock()
			for j.barrier > 0 && !j.destroyed {
				j.cond.Wait()
			}
			j.mu.Unlock()
		}
	}
}

// TryStart is Start that never waits: with abi.EAGAIN the caller adds itself to
// Room, tries again, and sleeps. What it waits for is already being done on
// another goroutine.
func (j *Journal) TryStart(outer *Handle, blocks, revokes int) (*Handle, error) {
	h, v, err := j.tryStart(outer, blocks, revokes)
	if h != nil || err != nil {
		return h, err
	}
	switch v.why {
	case startCommit:
		j.mu.Lock()
		if j.running != nil {
			j.request(j.running.tid)
		}
		j.mu.Unlock()
		j.spawn()
	case startRoom:
		j.spawnReclaim(v.want)
	}
	return nil, abi.EAGAIN
}

// Room is the queue that is notified when a TryStart may succeed.
func (j *Journal) Room() *wait.Queue { return &j.room }

func (j *Journal) tryStart(outer *Handle, blocks, revokes int) (*Handle, verdict, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if outer != nil {
		outer.ref++
		return outer, verdict{}, nil
	}
	size := blocks + ceil(revokes, j.fmt.revokesPerBlock())
	switch {
	case j.abortErr != nil || j.destroyed:
		return nil, verdict{}, abi.EROFS
	case blocks < 0 || revokes < 0 || size > j.maxTxn:
		return nil, verdict{}, fmt.Errorf("jbd2: handle wants %d credits, at most %d: %w", size, j.maxTxn, abi.ENOSPC)
	case revokes > 0 && !j.fmt.revoke():
		return nil, verdict{}, invalid("the journal has no revoke feature")
	}
	h := &Handle{j: j, ref: 1}
	if v := j.join(h, blocks, revokes); v.why != startOK {
		return nil, v, nil
	}
	return h, verdict{}, nil
}

// join puts a handle into the running transaction (start_this_handle).
func (j *Journal) join(h *Handle, blocks, revokes int) verdict {
	if j.barrier > 0 {
		return verdict{why: startWait}
	}
	if t := j.running; t != nil && t.state != TRunning {
		return verdict{why: startCommit}
	}
	// A transaction always has the room in the log that it may come to need.
	if v := j.fits(blocks, revokes); v.why != startOK {
		return v
	}
	t := j.running
	if t == nil {
		t = j.begin()
	}
	t.credits += blocks
	t.revokeCredits += revokes
	t.updates++
	j.updates++
	h.t, h.credits, h.revokes = t, blocks, revokes
	return verdict{}
}

// fits says whether the running transaction can take so many more blocks.
func (j *Journal) fits(blocks, revokes int) verdict {
	if t := j.running; t != nil {
		blocks += t.credits
		revokes += t.revokeCredits
		if blocks+ceil(revokes, j.fmt.revokesPerBlock()) > j.maxTxn {
			return verdict{why: startCommit}
		}
	}
	if want := j.need(blocks, revokes); want >= j.free {
		return verdict{startRoom, want}
	}
	return verdict{}
}

// MaxTransactionBuffers is the most credits that one handle can have
// (j_max_transaction_buffers); truncate and the like work in pieces below it.
func (j *Journal) MaxTransactionBuffers() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.maxTxn
}

// Grow lets blocks below n be journalled, when the device has become larger.
func (j *Journal) Grow(n uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opt.Blocks = max(j.opt.Blocks, n)
}

// TID is the handle's transaction: what fsync waits for.
func (h *Handle) TID() TID { return h.t.tid }

// Credits is how many blocks the handle may yet change.
func (h *Handle) Credits() int { return h.credits }

// RevokeCredits is how many blocks the handle may yet revoke.
func (h *Handle) RevokeCredits() int { return h.revokes }

// Extend asks for more (jbd2_journal_extend). It never waits; when it reports
// false the caller stops at a consistent place and calls Restart.
func (h *Handle) Extend(blocks, revokes int) (bool, error) {
	j := h.j
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.abortErr != nil:
		return false, abi.EROFS
	case revokes > 0 && !j.fmt.revoke():
		return false, invalid("the journal has no revoke feature")
	case h.t.state != TRunning || j.fits(blocks, revokes).why != startOK:
		return false, nil
	}
	h.t.credits += blocks
	h.t.revokeCredits += revokes
	h.credits += blocks
	h.revokes += revokes
	return true, nil
}

// Restart ends the handle's part in its transaction and goes on in one that has
// room (jbd2_journal_restart). What was done so far may commit by itself. After
// an error the handle can only be stopped.
func (h *Handle) Restart(blocks, revokes int) error {
	j := h.j
	j.mu.Lock()
	j.leave(h)
	j.mu.Unlock()
	n, err := j.Start(nil, blocks, revokes)
	if err != nil {
		return err
	}
	h.t, h.credits, h.revokes = n.t, n.credits, n.revokes
	return nil
}

// SetSync makes Stop wait until the transaction is committed (h_sync).
func (h *Handle) SetSync() { h.sync = true }

// Stop ends the handle (jbd2_journal_stop); of joined ones the last does.
func (h *Handle) Stop() error {
	j := h.j
	j.mu.Lock()
	h.ref--
	if h.ref > 0 {
		j.mu.Unlock()
		return nil
	}
	t := h.t
	j.leave(h)
	err := j.abortErr
	j.mu.Unlock()
	if err != nil {
		return abi.EIO
	}
	if h.sync && t != nil {
		return j.CompleteTransaction(t.tid)
	}
	return nil
}

// leave gives unused credits back and takes the handle off its transaction.
func (j *Journal) leave(h *Handle) {
	t := h.t
	if t == nil {
		return
	}
	t.credits -= h.credits
	t.revokeCredits -= h.revokes
	h.t, h.credits, h.revokes = nil, 0, 0
	t.updates--
	j.updates--
	if t.updates == 0 && t.state == TLocked || j.barrier > 0 {
		j.wake()
	}
}

// OnCommit calls f when the handle's transaction is durable, or with the error
// when it never will be; on any goroutine, with no lock held. ext4 frees blocks
// there (j_commit_callback).
func (h *Handle) OnCommit(f func(error)) {
	h.j.mu.Lock()
	defer h.j.mu.Unlock()
	h.t.done = append(h.t.done, f)
}

// Order makes the transaction's commit wait for the data of a file, bytes start
// up to end (jbd2_journal_inode_ranged_write).
func (h *Handle) Order(d OrderedData, start, end int64) {
	h.j.mu.Lock()
	defer h.j.mu.Unlock()
	t := h.t
	if t.ordered == nil {
		t.ordered = map[OrderedData]*extent{}
	}
	if e := t.ordered[d]; e != nil {
		e.start, e.end = min(e.start, start), max(e.end, end)
		return
	}
	t.ordered[d] = &extent{start, end}
}

// ReleaseOrdered forgets a file that is going away
// (jbd2_journal_release_jbd_inode). A commit that is just calling it goes on.
func (j *Journal) ReleaseOrdered(d OrderedData) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, t := range []*Transaction{j.running, j.committing} {
		if t != nil {
			delete(t.ordered, d)
		}
	}
}

// wake tells everybody who may wait that something changed.
func (j *Journal) wake() {
	j.cond.Broadcast()
	j.room.Notify(^wait.Mask(0))
}
