// SPDX-License-Identifier: Apache-2.0

// Package isofs is Linux's fs/isofs: ISO 9660 with the Rock Ridge extensions, or with
// Joliet's names, or with neither.
//
// # Model
//
// A directory is a row of records in blocks of 2 KiB; a record says where a file's
// extent lies, and is all there is of an inode. So an inode is named by its record's
// place (of a directory: that of its own first record), as isofs_get_ino does. With
// Rock Ridge a record is followed by entries that tell what POSIX knows (rock.go).
//
// Rock Ridge is preferred, then Joliet, then plain names, made lower case and without
// version (map=normal).
//
// A file's data is mapped where it lies on the host if that is aligned to pages, else
// from a copy.
//
// Everything read is hostile: records are checked against their block, continuation
// areas and sections of a file are bounded in number.
//
// # Locks
//
// None but the caches'.
//
// # Left out
//
// High Sierra, multi-session discs (session=, sbsector=), blocks of other sizes,
// interleaved files (Linux refuses them too), zisofs (the compressed bytes are shown, as
// by a Linux without CONFIG_ZISOFS), the options that other systems' habits need
// (cruft, iocharset: names are UTF-8, check=relaxed, map=acorn).
package isofs
