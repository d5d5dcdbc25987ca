// SPDX-License-Identifier: Apache-2.0

package jbd2

// Freezing, emptying and closing.

// LockUpdates keeps new handles out and waits until the open ones are stopped
// (jbd2_journal_lock_updates), which freezing is for.
func (j *Journal) LockUpdates() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.barrier > 0 {
		j.cond.Wait()
	}
	j.barrier++
	for j.updates > 0 {
		j.cond.Wait()
	}
}

// UnlockUpdates lets handles start again.
func (j *Journal) UnlockUpdates() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.barrier--
	j.wake()
}

// Flush commits everything, writes it to its place and leaves an empty log, so
// that the device can be used without recovery (jbd2_journal_flush). The caller
// has no handle open.
func (j *Journal) Flush() error {
	j.LockUpdates()
	defer j.UnlockUpdates()
	return j.flushLocked()
}

func (j *Journal) flushLocked() error {
	if err := j.ForceCommit(); err != nil {
		return err
	}
	if err := j.Checkpoint(); err != nil {
		return err
	}
	j.mu.Lock()
	empty := j.flushed
	j.mu.Unlock()
	if empty {
		return nil
	}
	if err := j.markEmpty(); err != nil {
		j.Abort(err)
		return err
	}
	return nil
}

// Destroy is the unmount (jbd2_journal_destroy): after it the log is empty and
// the journal refuses handles. An aborted journal stays as the medium has it,
// for recovery. Callbacks of OnCommit are over when it returns, so none may call it.
func (j *Journal) Destroy() error {
	j.LockUpdates()
	err := j.flushLocked()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running != nil || j.committing != nil {
		// Aborted: nothing of these will be written; their waiters are told.
		if j.running != nil {
			j.request(j.running.tid)
		}
		j.drive(func() bool { return !j.due() })
	}
	for j.driving { // somebody else is at the callbacks of the last commit
		j.cond.Wait()
	}
	for _, t := range j.checkpoints {
		for _, b := range t.cp {
			b.cp = nil
		}
		t.cp = nil
	}
	j.checkpoints, j.staging, j.spare, j.cpStaging = nil, nil, nil, nil
	j.destroyed = true
	j.barrier--
	j.wake()
	return err
}
