// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"

	"lodger/abi"
)

// Recovery: fs/jbd2/recovery.c. Three passes over the log: scan finds its end,
// revoke collects the revoke records, replay writes blocks to their places. A
// log can be replayed any number of times; it is given up only after all that it
// holds is durable in its place.

// Recovery is what a recovery did (struct recovery_info).
type Recovery struct {
	Start, End TID // transactions replayed: Start up to but without End
	Replays    int // blocks written
	Revokes    int // revoke records found
	RevokeHits int // blocks not written because they were revoked
}

type pass int

const (
	passScan pass = iota
	passRevoke
	passReplay
)

// String names the pass in error messages.
func (p pass) String() string { return [...]string{"scan", "revoke", "replay"}[p] }

// recovery is the state of the three passes.
type recovery struct {
	j *Journal
	r *Recovery
	// revoked is the last transaction that revoked each block.
	revoked map[uint64]TID
	block   []byte // the log's block under work
	data    []byte // the logged block under work
	ended   bool   // the scan found the end
	failed  TID    // j_failed_commit, when corrupt is set
	corrupt bool
	// soft is the first error that did not stop the replay.
	soft error
}

// recover replays the log and gives the sequence number to go on with: one is
// left out, so that nothing of the transaction that was cut short is ever taken
// for a new one's.
func (j *Journal) recover(s *Superblock) (TID, error) {
	if s.Start == 0 {
		return s.Sequence + 1, nil
	}
	rec := j.newRecovery(s)
	if err := rec.run(s); err != nil {
		return 0, err
	}
	return rec.r.End + 1, nil
}

func (j *Journal) newRecovery(s *Superblock) *recovery {
	rec := &recovery{
		j: j, r: &j.Recovered, revoked: map[uint64]TID{},
		block: make([]byte, j.opt.Blocksize), data: make([]byte, j.opt.Blocksize),
	}
	rec.r.Start = s.Sequence
	return rec
}

func (rec *recovery) run(s *Superblock) error {
	err := rec.pass(s, passScan)
	if err == nil && rec.j.fmt.fastCommit() {
		err = rec.checkFastCommit()
	}
	// Linux replays what precedes a corrupt transaction, and then refuses the
	// mount; so does e2fsck.
	for _, p := range []pass{passRevoke, passReplay} {
		if err == nil {
			err = rec.pass(s, p)
		}
	}
	if err == nil {
		err = rec.soft
	}
	if ferr := flush(rec.j.dev); err == nil {
		err = ferr
	}
	if err == nil && rec.corrupt {
		err = corrupt("journal transaction %d is corrupt", rec.failed)
	}
	return err
}

// cursor is a place in the log. It counts its steps: a log of descriptors
// without a commit block would otherwise be walked round for ever.
type cursor struct {
	j     *Journal
	at    uint32
	steps int
}

// step gives the block under the cursor and moves on.
func (c *cursor) step() uint32 {
	at := c.at
	c.at, c.steps = c.j.wrap(c.at+1), c.steps+1
	return at
}

func (c *cursor) skip(n int) {
	c.steps += n
	size := c.j.logSpace()
	c.at = c.j.first + uint32((int(c.at-c.j.first)+n)%size)
}

// around reports whether the cursor has been once around the log.
func (c *cursor) around() bool { return c.steps >= c.j.logSpace() }

func (rec *recovery) read(p []byte, block uint32) error {
	off, _ := rec.j.log.at(block)
	return readFull(rec.j.dev, p, off)
}

// scan is what the scan pass remembers between blocks.
type scan struct {
	sum      uint32 // version 1's checksum of the transaction so far
	suspect  bool   // a block's checksum was wrong: decided at the commit block
	lastTime uint64 // the last commit's time
	dataBad  bool
}

// pass walks the log once (do_one_pass).
func (rec *recovery) pass(s *Superblock, p pass) error {
	tid := s.Sequence
	c := &cursor{j: rec.j, at: s.Start}
	st := &scan{sum: ^uint32(0)}
	for !c.around() {
		if p != passScan && tid.AtLeast(rec.r.End) {
			break
		}
		at := c.step()
		if err := rec.read(rec.block, at); err != nil {
			return err
		}
		h := parseHeader(rec.block)
		if h.magic != Magic || TID(h.sequence) != tid {
			break
		}
		var done bool
		var err error
		switch h.blocktype {
		case descriptorBlock:
			done, err = rec.descriptor(p, c, st, tid)
		case revokeBlock:
			err = rec.revokeBlock(p, st, tid)
		case commitBlock:
			if p == passScan {
				if done, err = rec.commit(st, tid); done || err != nil {
					break
				}
			}
			tid++
		default:
			done = true
		}
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	if p == passScan {
		if !rec.ended {
			rec.r.End = tid
		}
	} else if tid != rec.r.End && rec.soft == nil {
		rec.soft = fmt.Errorf("jbd2: recovery pass %v ended at transaction %d, expected %d: %w", p, tid, rec.r.End, abi.EIO)
	}
	return nil
}

// descriptor handles one descriptor block and the blocks that follow it.
func (rec *recovery) descriptor(p pass, c *cursor, st *scan, tid TID) (done bool, err error) {
	if !rec.j.fmt.tailOK(rec.block) {
		if p != passScan {
			return true, badCRC("invalid checksum of a descriptor block in transaction %d", tid)
		}
		st.suspect = true // perhaps a stale block: its commit block's time tells
	}
	switch {
	case p == passReplay:
		return false, rec.replay(c, tid)
	case p == passScan && rec.j.fmt.checksumV1():
		return rec.sumBlocks(c, st)
	case p == passScan && rec.j.fmt.asyncCommit() && rec.j.fmt.csumV2or3():
		return rec.checkBlocks(c, st, tid)
	}
	c.skip(rec.j.fmt.countTags(rec.block))
	return false, nil
}

// sumBlocks adds a descriptor and its blocks to version 1's checksum
// (calc_chksums).
func (rec *recovery) sumBlocks(c *cursor, st *scan) (done bool, err error) {
	st.sum = rec.j.crcBE.update(st.sum, rec.block)
	for range rec.j.fmt.countTags(rec.block) {
		if c.around() {
			return true, nil
		}
		if rec.read(rec.data, c.step()) != nil {
			return true, nil
		}
		st.sum = rec.j.crcBE.update(st.sum, rec.data)
	}
	return false, nil
}

// checkBlocks looks at the logged blocks' checksums during the scan.
//
// DEVIATION(linux): Linux does not, so that a power cut in an asynchronous
// commit of a journal with checksums of version 2 or 3, which wrote the commit
// block but not all of the others, makes its recovery fail in the replay pass.
func (rec *recovery) checkBlocks(c *cursor, st *scan, tid TID) (done bool, err error) {
	it := rec.j.fmt.tags(rec.block)
	for t, ok := it.next(); ok; t, ok = it.next() {
		if c.around() {
			return true, nil
		}
		if err := rec.read(rec.data, c.step()); err != nil {
			return true, nil
		}
		st.dataBad = st.dataBad || !rec.j.fmt.tagOK(t, tid, rec.data)
	}
	return false, nil
}

func (rec *recovery) revokeBlock(p pass, st *scan, tid TID) error {
	ok := rec.j.fmt.tailOK(rec.block)
	switch {
	case p == passScan:
		st.suspect = st.suspect || !ok
		return nil
	case p == passReplay:
		return nil
	case !ok:
		return badCRC("invalid checksum of a revoke block in transaction %d", tid)
	}
	return rec.j.fmt.revokes(rec.block, func(block uint64) {
		rec.r.Revokes++
		if old, ok := rec.revoked[block]; !ok || tid.After(old) {
			rec.revoked[block] = tid
		}
	})
}

// commit judges a commit block in the scan pass.
func (rec *recovery) commit(st *scan, tid TID) (done bool, err error) {
	now := be64(rec.block, commitSec)
	if st.suspect {
		// A stale block of the log's former life has an older time than the
		// commit before it; then the log just ends here.
		if now < st.lastTime {
			return true, nil
		}
		return true, badCRC("invalid checksum found in transaction %d", tid)
	}
	bad := st.dataBad || !rec.j.fmt.commitOK(rec.block)
	if rec.j.fmt.checksumV1() {
		if rec.ended {
			// A transaction after the one whose checksum was wrong: that was
			// no commit cut short, the log is damaged.
			rec.corrupt, rec.failed = true, rec.r.End
			return true, nil
		}
		bad = bad || !commitSumOK(rec.block, st.sum)
		st.sum = ^uint32(0)
	}
	if !bad {
		st.lastTime = now
		return false, nil
	}
	if now < st.lastTime {
		return true, nil
	}
	rec.ended, rec.r.End = true, tid
	if !rec.j.fmt.asyncCommit() {
		rec.corrupt, rec.failed = true, tid
		return true, nil
	}
	// With asynchronous commits the last one may well be incomplete. Version 1
	// goes on to see whether it was the last.
	return !rec.j.fmt.checksumV1(), nil
}

// replay writes the blocks of one descriptor to their places.
func (rec *recovery) replay(c *cursor, tid TID) error {
	j := rec.j
	it := j.fmt.tags(rec.block)
	for t, ok := it.next(); ok; t, ok = it.next() {
		at := c.step()
		if c.steps > j.logSpace() {
			return corrupt("transaction %d is longer than the log", tid)
		}
		if err := rec.read(rec.data, at); err != nil {
			rec.soften(err) // what can be recovered is; the failure is told at the end
			continue
		}
		if last, ok := rec.revoked[t.block]; ok && !tid.After(last) {
			rec.r.RevokeHits++
			continue
		}
		if !j.fmt.tagOK(t, tid, rec.data) {
			rec.soften(badCRC("invalid checksum recovering block %d from log block %d", t.block, at))
			continue
		}
		if t.block >= j.opt.Blocks || j.log.owns(t.block) {
			return corrupt("log block %d belongs to block %d, which is not the file system's", at, t.block)
		}
		if t.flags&flagEscape != 0 {
			put32(rec.data, 0, Magic)
		}
		if err := writeFull(j.dev, rec.data, int64(t.block)*int64(j.opt.Blocksize)); err != nil {
			return err
		}
		rec.r.Replays++
	}
	return nil
}

func (rec *recovery) soften(err error) {
	if rec.soft == nil {
		rec.soft = err
	}
}

// roError is the answer when a journal needs recovery and must not be written.
func roError(s *Superblock) error {
	return fmt.Errorf("jbd2: recovery required on a read-only device (log starts at block %d): %w", s.Start, abi.EROFS)
}
