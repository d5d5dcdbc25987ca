// SPDX-License-Identifier: Apache-2.0

// Package erofs is Linux's fs/erofs: the enhanced read-only file system of
// Documentation/filesystems/erofs.rst.
//
// # Model
//
// Metadata lies in the image as it is and is read through a cache of blocks. A file is
// plain (one run of blocks), inline (the same, with its end behind the inode), chunks
// (each somewhere, or a hole), or compressed.
//
// Of a compressed file every logical cluster (a block) has an index, full or packed
// (zindex.go): it begins an extent (HEAD, or PLAIN when that was not worth
// compressing) or continues one (NONHEAD). zmap.go makes an extent of them: so many
// bytes of the file, which so many bytes of the image (a physical cluster) give. Its
// end may be behind the indexes (ztailpacking), or in the packed inode (fragments). An
// extent is decompressed as a whole and kept in a cache.
//
// Uncompressed runs are mapped where they lie on the host, so that all guests of one
// image share its page cache; what is not so is mapped from a copy.
//
// Everything read is hostile: a structure is copied and checked before it is used, and
// no more than maxExtent bytes are ever decompressed for one extent, of at most
// maxCluster.
//
// # Locks
//
// None but the caches'.
//
// # Left out
//
// Algorithms other than LZ4, several devices, long attribute prefixes, the 48-bit
// layout, metadata boxes, file-backed domains and fscache: such an image is refused
// with the feature's name.
package erofs
