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
// All changes of metadata happen in a handle of a Journal (journal.go). The
// Journal that is built in, used without one, writes dirty buffers at sync.
//
// Everything read from the Device is hostile. A structure is checked when it is
// read (checksum, magic, bounds, order, block numbers against the metadata's
// own places), and the code that walks it later stays within its bytes whatever
// they are, since one block can be made to serve two masters. What is found
// broken goes through FS.corrupt, which obeys the errors= policy.
//
// # Locks, outermost first
//
//	FS.mu        read: look-ups, listings, file reads; write: every change
//	  inode.mu   leaf but for cache.mu: an inode's attributes and pin count. A
//	             change needs FS.mu for writing and inode.mu; who holds either
//	             may read. Access times need only inode.mu.
//	  cache.mu   leaf: which buffers are in memory
//	  FS.inodeMu leaf: which inodes are in memory
//	  FS.stateMu leaf: the error state
//
// One lock for all changes is Linux's i_rwsem, jbd2 barrier and group locks in
// one: a guest's calls come one after the other anyway.
//
// # Left out
//
// A file is mapped from the image page by page where its blocks allow it
// (mapped.go). Nobody is told yet when blocks that a process maps are freed:
// whoever wires mappings of writable images must unmap before truncation.
//
// Quotas (such file systems are mounted read-only, as by a Linux without
// CONFIG_QUOTA), encryption, casefolding and verity (refused by name),
// bigalloc, shared blocks and multi-mount protection (read-only), delayed
// allocation (preallocation keeps files together), resizing, making inline
// files (they are read; a change moves them to blocks), sharing of attribute
// blocks and of values' inodes (shared ones are unshared when changed), changing
// a file between extents and block map, project ids, MOVE_EXT, fast commits.
package ext4
