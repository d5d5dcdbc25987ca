// SPDX-License-Identifier: Apache-2.0

// Package squashfs is Linux's fs/squashfs: version 4.0 of the format of
// Documentation/filesystems/squashfs.rst, read.
//
// # Model
//
// All metadata (inodes, directories, tables) is a chain of blocks of 8 KiB, each
// compressed; a cursor reads across them (metadata.go). File data is blocks of up to
// 1 MiB, whose sizes stand in the inode, and tails of files packed into fragments.
// Decompressed blocks of all sorts are in one cache of a mount.
//
// Decompressors are the standard library's (gzip) and other libraries' (xz, zstd,
// lzo), and lib/lz4. They are guarded: what one gives back is at most what was asked
// for, and a panic in one is a read error.
//
// An inode is identified by its place in the inode table, so that two places that
// claim one number are two inodes. Its numbers are those of the disk.
//
// Everything read is hostile. Cursors only go forward and end with the device, so
// that whatever a size claims, no more is walked than there is; no size of the disk
// is allocated before as much was read.
//
// # Locks
//
// inode.mu guards the block list's index, open directories their place: both leaves
// but for the cache's.
//
// # Left out
//
// Versions 1 to 3 and LZMA (Linux refuses them too), xz with branch filters
// (mksquashfs -Xbcj: the library lacks them, EIO), NFS export tables. errors=panic is
// accepted and does what errors=continue does.
package squashfs
