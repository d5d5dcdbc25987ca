// SPDX-License-Identifier: Apache-2.0

package jbd2

import "lodger/abi"

// The journal's superblock on disk, and what changes it.

// writeSuperblock writes the superblock through the device's cache. All that
// changes lies in its first sector, so a power cut leaves the old or the new one.
func (j *Journal) writeSuperblock() error { return j.updateSuperblock(func() {}) }

// updateSuperblock calls change, with mu held, and writes what results.
func (j *Journal) updateSuperblock(change func()) error {
	j.sbMu.Lock()
	defer j.sbMu.Unlock()
	j.mu.Lock()
	change()
	start := j.tail
	if j.flushed {
		start = 0
	}
	put32(j.sb, sbSequence, uint32(j.tailSeq))
	put32(j.sb, sbStart, start)
	f := j.fmt.Features
	j.mu.Unlock()
	return j.putSuperblock(f)
}

// putSuperblock seals and writes it. Called with sbMu held.
func (j *Journal) putSuperblock(f Features) error {
	sealSuperblock(j.sb, f)
	off, _ := j.log.at(0)
	return writeThrough(j.dev, j.sb[:superblockSize], off)
}

// writeTail moves the log's tail (jbd2_journal_update_sb_log_tail).
func (j *Journal) writeTail(tid TID, block uint32) error {
	return j.updateSuperblock(func() { j.tailSeq, j.tail = tid, block })
}

// markEmpty says that the log holds nothing (jbd2_mark_journal_empty). Nothing
// is running, committing or to be checkpointed.
func (j *Journal) markEmpty() error {
	return j.updateSuperblock(func() {
		j.tailSeq, j.tail = j.nextTID, j.head
		j.free = j.logSpace()
		j.flushed = true
	})
}

// Abort makes the journal refuse everything from now on and records the error in
// the superblock, for e2fsck and the next mount (jbd2_journal_abort).
func (j *Journal) Abort(err error) {
	j.mu.Lock()
	if j.abortErr != nil {
		j.mu.Unlock()
		return
	}
	j.abortErr = err
	j.wake()
	j.mu.Unlock()

	// Only the number changes: the tail stays where the medium has it. That
	// this write may fail too is in the nature of the case.
	j.sbMu.Lock()
	put32(j.sb, sbErrno, uint32(-int32(errnoOf(err))))
	j.mu.Lock()
	f := j.fmt.Features
	j.mu.Unlock()
	_ = j.putSuperblock(f)
	j.sbMu.Unlock()
	if j.opt.OnAbort != nil {
		j.opt.OnAbort(err)
	}
}

// Aborted is the error that the journal was aborted with, or nil.
func (j *Journal) Aborted() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.abortErr
}

// Errno is the error that an earlier life recorded in the superblock: the file
// system needs a check (jbd2_journal_errno).
func (j *Journal) Errno() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.errno
}

// ClearErr removes it, when the file system has it in its own superblock
// (jbd2_journal_clear_err).
func (j *Journal) ClearErr() error {
	return j.updateSuperblock(func() {
		j.errno = nil
		put32(j.sb, sbErrno, 0)
	})
}

// Features is what the journal's superblock says.
func (j *Journal) Features() Features {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fmt.Features
}

// SetFeatures adds and removes features, as ext4 does when it mounts for
// writing: revoke always, 64bit and csum_v3 as the file system's own are
// (jbd2_journal_set_features, jbd2_journal_clear_features). The log must be
// empty and unused, since its blocks would change their format; version 1
// superblocks have no features.
func (j *Journal) SetFeatures(add, remove Features) error {
	j.mu.Lock()
	f, uuid := j.fmt.Features, j.fmt.uuid
	v2 := be32(j.sb, 4) == superblockV2
	busy := j.started || !j.flushed && j.tail != j.head
	j.mu.Unlock()
	n := Features{
		Compat:   f.Compat&^remove.Compat | add.Compat,
		Incompat: f.Incompat&^remove.Incompat | add.Incompat,
		ROCompat: f.ROCompat,
	}
	if add.csumV2or3() {
		n.Compat &^= FeatureCompatChecksum
	}
	if n == f {
		return nil
	}
	switch err := n.check(); {
	case err != nil:
		return err
	case !v2:
		return invalid("a version 1 journal has no features")
	case busy:
		return abi.EBUSY
	case n.fastCommit() != f.fastCommit():
		return invalid("the fast-commit area is mkfs's business")
	}
	return j.updateSuperblock(func() {
		j.setFormat(n, uuid)
		put32(j.sb, sbCompat, n.Compat)
		put32(j.sb, sbIncompat, n.Incompat)
		if n.csumV2or3() {
			j.sb[sbChecksumType] = checksumCRC32C
		}
	})
}
