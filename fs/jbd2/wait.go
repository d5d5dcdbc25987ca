// SPDX-License-Identifier: Apache-2.0

package jbd2

import "lodger/abi"

// Asking for commits and waiting for them.

// request notes that a transaction shall commit.
func (j *Journal) request(tid TID) {
	if j.running != nil && j.running.tid == tid && tid.After(j.commitRequest) {
		j.commitRequest = tid
	}
}

// drive makes the commit's steps, or waits for who does, until done says so.
// Called with mu held.
func (j *Journal) drive(done func() bool) {
	for !done() {
		if j.driving || !j.due() || j.blocked() {
			j.cond.Wait()
			continue
		}
		j.step()
	}
}

// spawn has a goroutine drive the commits that were asked for.
func (j *Journal) spawn() {
	j.mu.Lock()
	start := !j.spawned && j.due()
	j.spawned = j.spawned || start
	j.mu.Unlock()
	if start {
		j.opt.Go(func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.drive(func() bool { return !j.due() })
			j.spawned = false
		})
	}
}

// waitErr is what a waiter gets: fsync on an aborted journal says EIO.
func (j *Journal) waitErr() error {
	if j.abortErr != nil {
		return abi.EIO
	}
	return nil
}

// LogStartCommit has a transaction committed on another goroutine and does not
// wait (jbd2_log_start_commit).
func (j *Journal) LogStartCommit(tid TID) {
	j.mu.Lock()
	j.request(tid)
	j.mu.Unlock()
	j.spawn()
}

// CompleteTransaction commits a transaction, on this goroutine if nobody is at
// it, and returns when it is durable (jbd2_complete_transaction). The caller
// has no handle open.
func (j *Journal) CompleteTransaction(tid TID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.request(tid)
	j.drive(func() bool { return j.settled(tid) })
	return j.waitErr()
}

// settled reports whether a transaction is neither running nor committing.
func (j *Journal) settled(tid TID) bool {
	return !(j.running != nil && j.running.tid == tid || j.committing != nil && j.committing.tid == tid)
}

// LogWaitCommit waits until a transaction that somebody asked for is durable
// (jbd2_log_wait_commit).
func (j *Journal) LogWaitCommit(tid TID) error { return j.CompleteTransaction(tid) }

// OnCommit has a transaction committed on another goroutine and calls f then;
// at once when it is durable already. f runs with no lock of the journal held.
func (j *Journal) OnCommit(tid TID, f func(error)) {
	j.mu.Lock()
	for _, t := range []*Transaction{j.running, j.committing} {
		if t != nil && t.tid == tid {
			t.done = append(t.done, f)
			j.request(tid)
			j.mu.Unlock()
			j.spawn()
			return
		}
	}
	err := j.waitErr()
	j.mu.Unlock()
	f(err)
}

// Newest is the transaction that a sync of everything must wait for; ok is
// false when all is committed.
func (j *Journal) Newest() (tid TID, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.running != nil:
		return j.running.tid, true
	case j.committing != nil:
		return j.committing.tid, true
	}
	return j.commitSeq, false
}

// ForceCommit commits what is running and returns when it and everything before
// is durable (jbd2_journal_force_commit).
func (j *Journal) ForceCommit() error {
	if tid, ok := j.Newest(); ok {
		return j.CompleteTransaction(tid)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.waitErr()
}

// TransCommitted reports whether a transaction is durable.
func (j *Journal) TransCommitted(tid TID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.settled(tid)
}

// TransWillSendDataBarrier reports whether the commit of tid is yet to flush the
// device, so that an fsync whose data is written needs no flush of its own
// (jbd2_trans_will_send_data_barrier).
func (j *Journal) TransWillSendDataBarrier(tid TID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running != nil && j.running.tid == tid {
		return true
	}
	return j.committing != nil && j.committing.tid == tid && j.committing.state < TCommitDFlush
}

// commitRunning gets the running transaction out of the way of new handles.
func (j *Journal) commitRunning() {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.running
	if t == nil {
		return
	}
	j.request(t.tid)
	j.drive(func() bool { return j.running != t })
}
