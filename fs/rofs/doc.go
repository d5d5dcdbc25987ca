// SPDX-License-Identifier: Apache-2.0

// Package rofs is what the file systems share that can only be read (squashfs,
// erofs, isofs): an inode table, a cache of decoded bytes, copies of files for
// mappings, and what all mounts have in common. In Linux these are the inode cache,
// the page cache and get_tree_bdev.
//
// # Model
//
// What such a file system holds never changes, so nothing here is ever made
// invalid. Inodes are known by weak pointers: one value as long as anybody holds
// it. Cache keeps the bytes used last, up to a number of bytes. A Copy is a memfd
// with those parts of a file that somebody maps, filled when they are first asked
// for, kept as long as the inode.
//
// # Locks
//
// One leaf mutex each in Inodes and Cache, not held while a device is read; who
// comes at the same time reads twice. Copy.mu is held over the reads that fill it.
//
// # Left out
//
// Readahead: it is the host's.
package rofs
