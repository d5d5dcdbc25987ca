// SPDX-License-Identifier: Apache-2.0

// Package block is the block layer: what Linux keeps in block/ and in
// include/linux/blkdev.h.
//
// # Model
//
// A Device is a row of bytes that can be read and written. It has no queue and no
// requests: whoever calls does the work, on its own goroutine, and the host's page
// cache and elevator do what Linux's block layer does beside that. Whatever else a
// device can do (flush, discard, write zeroes, say where its bytes lie) is a small
// interface found by type assertion; the functions of the same name ask for it and
// do without where that is possible.
//
//	File        a host file or block device (drivers/block/loop.c, ubd)
//	Section     a part of a device: a partition
//	block/cow   copy-on-write over a shared base, in UML's formats
//
// Offsets and lengths are in bytes. A size need not be a multiple of SectorSize;
// what a guest is shown is rounded down (set_capacity in ubd_add).
//
// # Durability
//
// A write that returned is seen by every later read, and by the host. It survives
// a power cut once Flush has returned; before that each sector of SectorSize is old
// or new, in any order. Flush is a barrier: what was written before it is never
// missing while something written after it is there.
//
// # Where bytes lie
//
// Locator tells a run's host descriptor and offset, so that file reads and mappings
// use the host's page cache directly. A run can move only when a copy-on-write
// device copies it up: watchers are told before (and stop whoever maps the run)
// and after (and map it anew), and the generation changes.
//
// # Locks
//
// File and Section have none: the host orders what runs at the same time. Those of
// copy-on-write devices are in block/cow. A Watcher is called with a device's locks
// held and may only read and locate.
//
// # Left out
//
// Request queues, merging, plugging, I/O priorities, zoned devices, integrity
// data, encryption, persistent reservations; gendisk and sysfs are the drivers'.
package block
