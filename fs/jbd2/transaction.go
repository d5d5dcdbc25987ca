// SPDX-License-Identifier: Apache-2.0

package jbd2

// State is a transaction's (t_state), by Linux's names.
type State int

const (
	TNone         State = iota // no transaction has work to do
	TRunning                   // T_RUNNING
	TLocked                    // T_LOCKED
	TFlush                     // T_FLUSH
	TCommit                    // T_COMMIT
	TCommitDFlush              // T_COMMIT_DFLUSH
	TCommitJFlush              // T_COMMIT_JFLUSH
	TFinished                  // T_FINISHED
)

// Transaction is transaction_t. All of it is guarded by Journal.mu; once it is
// past T_LOCKED, what only the driver uses may be read by it without.
type Transaction struct {
	tid     TID
	state   State
	updates int // open handles
	// credits is what open handles may yet use and what is filed already
	// (t_outstanding_credits); revokeCredits the same in revoke records.
	credits, revokeCredits int

	buffers []*Buffer           // filed here: Buffer.tx or Buffer.next is this
	revokes map[uint64]struct{} // blocks to revoke
	ordered map[OrderedData]*extent
	done    []func(error) // when committed or aborted

	logStart uint32    // its first block in the log
	logLen   int       // blocks in the log, the commit block included
	dirty    []*Buffer // what goes to the log; the driver's
	sum      uint32    // version 1's checksum; the driver's

	cp        []*Buffer // committed, not yet in their places
	stopTimer func() bool
}

// OrderedData is a file with data that must be on the device before the
// transaction that makes it reachable commits (struct jbd2_inode).
type OrderedData interface {
	// SubmitData writes what is dirty of the bytes from start up to end. A
	// barrier follows.
	SubmitData(start, end int64) error
}

type extent struct{ start, end int64 }

// need is how many log blocks a transaction takes at most.
func (j *Journal) need(blocks, revokes int) int {
	return blocks + ceil(blocks, j.tagCap()) + ceil(revokes, j.fmt.revokesPerBlock()) + 1
}

func ceil(n, per int) int { return (n + per - 1) / per }

// begin makes a new running transaction (jbd2_get_transaction).
func (j *Journal) begin() *Transaction {
	t := &Transaction{tid: j.nextTID, state: TRunning, sum: ^uint32(0)}
	j.nextTID++
	j.running, j.started = t, true
	if j.opt.Timer != nil && j.opt.CommitInterval > 0 {
		tid := t.tid
		t.stopTimer = j.opt.Timer.After(j.opt.CommitInterval, func() { _ = j.CompleteTransaction(tid) })
	}
	return t
}

// unfile takes a buffer off the running transaction's list.
func (t *Transaction) unfile(b *Buffer) {
	last := t.buffers[len(t.buffers)-1]
	t.buffers[b.pos] = last
	last.pos = b.pos
	t.buffers[len(t.buffers)-1] = nil
	t.buffers = t.buffers[:len(t.buffers)-1]
}

// addCheckpoint puts a committed buffer on t's list, away from an older one's.
func (t *Transaction) addCheckpoint(b *Buffer) {
	b.dropCheckpoint()
	b.cp, b.cpPos = t, len(t.cp)
	t.cp = append(t.cp, b)
}

// dropCheckpoint: the block needs to be written no more.
func (b *Buffer) dropCheckpoint() {
	t := b.cp
	if t == nil {
		return
	}
	last := t.cp[len(t.cp)-1]
	t.cp[b.cpPos] = last
	last.cpPos = b.cpPos
	t.cp[len(t.cp)-1] = nil
	t.cp = t.cp[:len(t.cp)-1]
	b.cp = nil
}
