// SPDX-License-Identifier: Apache-2.0

// Package jbd2 is the journal of ext3 and ext4: what Linux keeps in fs/jbd2.
// The disk format is that of Documentation/filesystems/ext4/journal.rst, byte
// for byte, so that Linux and e2fsprogs replay what was written here and the
// other way round.
//
// # Model
//
// Linux's own. A Journal is a circular log on a Device, at blocks that a Map
// names (the journal is usually a file of the same file system). The file
// system keeps its metadata in Buffers, and changes them under a Handle: Start
// (with an upper bound of the blocks it will change, its credits), GetWriteAccess
// before and DirtyMetadata after each change, Stop. All handles of a while share
// one transaction, which is written to the log as a whole or not at all. Its
// states are Linux's:
//
//	T_RUNNING    handles join it
//	T_LOCKED     no new handles; the open ones come to their end
//	T_FLUSH      ordered data and revoke records are written, a new running
//	             transaction may start
//	T_COMMIT     copies of the metadata are written to the log
//	T_COMMIT_DFLUSH  barrier: everything above is durable
//	T_COMMIT_JFLUSH  the commit record is written through to the medium
//	T_FINISHED   its buffers wait for their checkpoint
//
// Step performs one of these moves and never waits, which is how tests drive a
// commit. LogWaitCommit performs them on the caller's goroutine (many waiters of
// one transaction share one commit), LogStartCommit and OnCommit on a goroutine
// that Options.Go starts, which ends with the commit. Nothing runs, and no timer
// is armed, while no transaction is running.
//
// A checkpoint writes committed buffers to their own places, so that the log's
// tail can move. It happens when Start finds the log short of room, and when
// Checkpoint, Flush or Destroy is called; and on another goroutine, before anybody
// has to wait for it, when a commit leaves less than half of the log free
// (Options.Background).
//
// # Buffers and copies
//
// The journal copies a buffer when it logs or checkpoints it and never reads
// Data otherwise. GetWriteAccess on a buffer that a committing transaction has
// not yet logged keeps a copy for the log first (Linux's b_frozen_data). So Data
// stays at one address, and needs only the file system's own locks.
//
// # Rules of use
//
// One goroutine at a time uses a Handle. Who has a handle open must not wait for
// a commit or start a second handle except by joining (Start's outer). A lock
// that somebody holds over Start must not be taken with a handle open. There is
// one Buffer for a block as long as its Busy is true. A freed block is not used
// again before the transaction that freed it has committed (Handle.OnCommit).
//
// # Locks, outermost first
//
//	Journal.sbMu     one superblock write
//	  Journal.mu     all state in memory; not held over I/O or callbacks
//
// Besides these there are two roles that one goroutine takes and others wait for:
// who drives a commit (Journal.driving) and who checkpoints (Journal.checkpointing).
// The checkpointer may drive a commit; a committer waits for the checkpointer
// only while a write of it is in flight.
//
// # Left out
//
// Writing fast commits and replaying them (a log that holds some is refused by
// name), asynchronous commits (the feature is read; commits here are always
// ordered by a barrier), external journals (refused), reserved handles, the
// batching delay of synchronous handles (j_min_batch_time), statistics.
package jbd2
