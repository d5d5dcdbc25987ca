// SPDX-License-Identifier: Apache-2.0

// Package ext4 is Linux's fs/ext4: the second, third and fourth extended file
// systems, read and written in the format that
// Documentation/filesystems/ext4 (the "disk layout") describes.
//
// # Model
//
// An FS is one mounted image on a Device, a plain range of bytes. Metadata
// (super block, group descriptors, bitmaps, inode tables, extent and indirect
// blocks, directories, attribute blocks, link texts) lives in the cache of
// buffers (buffer.go). File data is never cached here: reads and writes go
// straight to the Device at the place where the block map says the bytes lie,
// so that the host's page cache is the only one.
//
// All changes of metadata happen in a handle (journal.go), which is one of the
// journal's (package jbd2), where the file system has one; else changed buffers
// wait for the next sync (writeout.go). A Buffer has a jbd2.Buffer of the same bytes. The journal
// is opened, and replayed, by the mount (journalload.go, on read-only mounts too);
// needs_recovery is on the disk before anything is in the log, and goes when the
// log is empty: unmount, remount read-only.
//
// data=ordered and data=writeback are one: data goes to the Device before the
// handle that makes it visible ends, and the commit's barrier lies between.
// data=journal, and the attribute j, send data through buffers and log
// (journaldata.go); such files are mapped by memory copy only.
//
// Nobody waits for a commit, or for room in the log, with FS.mu held, but for an
// operation that turns out to need a second handle when it has done half of its
// work (change.go). An operation whose Context may not wait gives
// fs.ErrMustWait before it has changed anything; what is likely to need many
// handles (freeing large files, O_SYNC) gives it at once. fsync waits for the
// transaction of the inode's last change; many who wait share a commit.
//
// An error of the disk while metadata is written aborts the journal: the mount is
// read-only from then on, and super block and journal note it. errors= says
// what broken structures do (error.go). A super block is taken to be written
// whole, as on Linux: it has one checksum over two sectors.
//
// A mounted file system can be made larger (resize.go), group by group.
//
// Everything read from the Device is hostile. A structure is checked when it is
// read (checksum, magic, bounds, order, block numbers against the metadata's
// own places), and the code that walks it later stays within its bytes whatever
// they are, since one block can be made to serve two masters. What is found
// broken goes through FS.corrupt, which obeys the errors= policy.
//
// # Locks, outermost first
//
//	FS.syncMu    one sync at a time where there is no journal; unmounts
//	FS.mu        read: look-ups, listings, file reads; write: every change
//	  inode.mu   leaf but for cache.mu: an inode's attributes and pin count. A
//	             change needs FS.mu for writing and inode.mu; who holds either
//	             may read. Access times need only inode.mu.
//	  cache.mu   leaf: which buffers are in memory
//	  FS.inodeMu leaf: which inodes are in memory
//	  FS.stateMu leaf: the error state
//
// The journal's own locks are leaves below FS.mu and cache.mu: a commit never takes
// a lock of the file system. FS.crew counts the goroutines and timers at work.
//
// One lock for all changes is Linux's i_rwsem, jbd2 barrier and group locks in
// one: a guest's calls come one after the other anyway.
//
// # Left out
//
// Holes and unwritten blocks are not allocated so that a mapping may be direct, and a
// base is not copied up for a write to a file that is mapped from it: both become
// memory copies (mapped.go), which are as right, and cost memory. collapse and insert
// shift a copy's bytes in place, so that pages which a private mapping has of its own
// stay; Linux drops them.
//
// Quotas (such file systems are mounted read-only, as by a Linux without
// CONFIG_QUOTA), encryption, casefolding and verity (refused by name),
// bigalloc, shared blocks and multi-mount protection (read-only), delayed
// allocation (preallocation keeps files together), making inline
// files (they are read; a change moves them to blocks), sharing of attribute
// blocks and of values' inodes (shared ones are unshared when changed), changing
// a file between extents and block map, project ids, MOVE_EXT, fast commits.
package ext4
