// SPDX-License-Identifier: Apache-2.0

// Package cow is copy-on-write disks in User-mode Linux's own format: what
// arch/um/drivers/cow_user.c and the bitmap part of ubd_kern.c do, and the Debian
// tools uml_mkcow and uml_moo.
//
// # Model
//
// A COW file is a header (path, size and modification time of the base), a bitmap
// with one bit for each sector, and room for all data. A sector whose bit is set is
// owned: it is read from the COW file. Everything else is read from the base, which
// is never written. Versions 1, 2, 3 and the broken 64-bit 3 are read and written
// to; new files are version 3, byte for byte those of uml_mkcow.
//
// A write into sectors that are not owned copies up the aligned run of 64 KiB around
// it, so that mappings and host extents stay long. The bitmap is in memory, in pages
// that exist only where something is owned, and a bit never goes from 1 to 0.
//
// # Durability
//
// Data goes to the COW file at once, bits only in Flush: it writes the data back
// (fdatasync), then those bits that were set before that, then them. So a bit that
// the host's disk has is always of data that the disk has: after a crash, at any
// point, each sector is old (base or earlier data) or new. UML writes both without
// order, and shows whatever the host had in place after a crash of the host.
//
// # Locks, outermost first
//
//	Device.flushMu   one Flush at a time; held over host syncs
//	Device.mu        copy-up: whoever makes sectors owned, and moves; held over host
//	                 reads and writes, not over syncs
//	  (a Watcher's, inside its methods)
//	  Device.wmu     leaf: the list of watchers
//
// Reads, and writes into owned sectors, take none: bits and bitmap pages are
// atomic, and a bit is set after the data is in place.
//
// # Left out
//
// Chains (a base that is a COW file itself is refused), giving bits back on
// discard: a discarded run is punched but stays owned.
package cow
