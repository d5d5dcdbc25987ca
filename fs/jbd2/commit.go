// SPDX-License-Identifier: Apache-2.0

package jbd2

// The commit: fs/jbd2/commit.c, as steps. One goroutine at a time makes one
// (Journal.driving).

// due reports whether a commit is going on or asked for.
func (j *Journal) due() bool {
	return j.committing != nil || j.running != nil && j.commitRequest.AtLeast(j.running.tid)
}

// blocked reports whether the commit waits for somebody: for handles to stop,
// or for a checkpoint write of a freed block, which must not land after the
// commit allows the block's next use.
func (j *Journal) blocked() bool {
	if t := j.committing; t != nil {
		if t.state != TCommitJFlush {
			return false
		}
		for _, b := range t.buffers {
			if b.as == forgotten && b.writing {
				return true
			}
		}
		return false
	}
	return j.running.state == TLocked && j.running.updates > 0
}

// Step makes the commit's next move and tells the state that its transaction is
// in now. ok is false when there was none to make: nothing asked for a commit,
// somebody else is at it, or it waits for open handles.
func (j *Journal) Step() (s State, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.driving || !j.due() || j.blocked() {
		return j.state(), false
	}
	return j.step(), true
}

// state is that of the transaction which is to commit next.
func (j *Journal) state() State {
	switch {
	case j.committing != nil:
		return j.committing.state
	case j.running != nil:
		return j.running.state
	}
	return TNone
}

// step makes a move that is due and not blocked. Called with mu held, which it
// gives up over I/O.
func (j *Journal) step() State {
	j.driving = true
	defer func() {
		j.driving = false
		j.wake()
	}()
	t := j.committing
	if t == nil {
		t = j.running
		if t.state == TRunning {
			j.lock(t)
		} else {
			j.switchTransaction(t)
		}
		return t.state
	}
	if j.abortErr != nil {
		t.state = TFinished
		j.finish(t)
		return t.state
	}
	move, next := j.writeOrdered, TCommit
	switch t.state {
	case TCommit:
		move, next = j.writeLog, TCommitDFlush
	case TCommitDFlush:
		move, next = j.writeBarrier, TCommitJFlush
	case TCommitJFlush:
		move, next = j.writeCommit, TFinished
	}
	j.mu.Unlock()
	err := move(t)
	if err != nil {
		j.Abort(err)
	}
	j.mu.Lock()
	if err != nil {
		next = TFinished
	}
	t.state = next
	if next == TFinished {
		j.finish(t)
	}
	return next
}

// lock keeps new handles out (T_LOCKED).
func (j *Journal) lock(t *Transaction) {
	t.state = TLocked
	if t.stopTimer != nil {
		t.stopTimer()
		t.stopTimer = nil
	}
}

// switchTransaction makes the locked transaction the committing one, with its
// final size and place in the log; handles may start a new one (T_FLUSH).
func (j *Journal) switchTransaction(t *Transaction) {
	kept := t.buffers[:0]
	for _, b := range t.buffers {
		// No newer transaction exists yet: each of these has tx == t.
		if b.as == reserved {
			b.tx = nil // access was granted and not used
			continue
		}
		if b.as == dirty {
			t.dirty = append(t.dirty, b)
			b.logged = false
		}
		kept = append(kept, b)
	}
	clear(t.buffers[len(kept):])
	t.buffers = kept
	t.logStart = j.head
	t.logLen = j.need(len(t.dirty), len(t.revokes))
	j.head = j.ahead(t.logStart, t.logLen)
	j.free -= t.logLen
	j.running, j.committing = nil, t
	t.state = TFlush
}

// ahead is the log block n behind another.
func (j *Journal) ahead(block uint32, n int) uint32 {
	return j.first + uint32((int(block-j.first)+n)%j.logSpace())
}

// writeOrdered sends the data that the transaction makes reachable on its way.
// The superblock first says that the log is no longer empty: both are durable
// before the commit block is, by the barrier between.
func (j *Journal) writeOrdered(t *Transaction) error {
	j.mu.Lock()
	first := j.flushed
	j.flushed = false
	type item struct {
		d OrderedData
		extent
	}
	items := make([]item, 0, len(t.ordered))
	for d, e := range t.ordered {
		items = append(items, item{d, *e})
	}
	j.mu.Unlock()
	if first {
		if err := j.writeSuperblock(); err != nil {
			return err
		}
	}
	for _, it := range items {
		// As in Linux the journal itself survives lost data, whose owner has
		// the error for its fsync.
		if err := it.d.SubmitData(it.start, it.end); err != nil && j.opt.AbortOnDataError {
			return err
		}
	}
	return nil
}

// writeLog writes everything but the commit block.
func (j *Journal) writeLog(t *Transaction) error {
	if t.logLen == 1 {
		return nil
	}
	w := j.newLogWriter(t.logStart, t.logLen-1)
	if err := w.writeRevokes(t); err != nil {
		return err
	}
	if err := w.writeMetadata(t); err != nil {
		return err
	}
	return w.flush()
}

// writeBarrier makes it durable: a commit block must never be on the medium
// before what it vouches for.
func (j *Journal) writeBarrier(*Transaction) error { return flush(j.dev) }

// writeCommit writes the commit block through the device's cache.
func (j *Journal) writeCommit(t *Transaction) error {
	w := j.newLogWriter(j.ahead(t.logStart, t.logLen-1), 1)
	b := w.next()
	j.fmt.putCommit(b, t.tid, j.now(), t.sum)
	off, _ := j.log.at(w.at)
	return writeThrough(j.dev, b, off)
}

func (j *Journal) now() int64 {
	if j.opt.Timer == nil {
		return 0
	}
	return max(j.opt.Timer.Realtime(), 0)
}

// finish ends a commit: buffers wait for their checkpoint, or belong to the
// running transaction now; waiters are told. Called with mu held, which it gives
// up for the callbacks.
func (j *Journal) finish(t *Transaction) {
	for _, b := range t.buffers {
		switch {
		case j.abortErr != nil:
			j.thaw(b)
		case b.as == dirty:
			t.addCheckpoint(b)
		case b.as == forgotten:
			b.dropCheckpoint()
		}
		b.tx, b.as, b.next, b.nextAs = b.next, b.nextAs, nil, reserved
		b.logged = false
	}
	t.buffers, t.dirty, t.ordered, t.revokes = nil, nil, nil, nil
	if len(t.cp) > 0 {
		j.checkpoints = append(j.checkpoints, t)
	}
	j.dropFinished()
	j.committing = nil
	j.commitSeq = t.tid
	done, err := t.done, j.waitErr()
	t.done = nil
	j.wake()
	ahead := j.opt.Background && j.free < j.logSpace()/2 && j.abortErr == nil && !j.cpSpawned
	j.mu.Unlock()
	if ahead {
		j.spawnReclaim(0)
	}
	for _, f := range done {
		f(err)
	}
	j.mu.Lock()
}
