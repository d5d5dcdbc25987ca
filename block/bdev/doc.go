// SPDX-License-Identifier: Apache-2.0

// Package bdev is the block devices that a guest sees: Linux's block/bdev.c,
// genhd.c, fops.c, ioctl.c and partitions/core.c.
//
// # Model
//
// A guest has one Table. A driver adds a Disk (struct gendisk) with a
// block.Device behind it; the table reads its partitions, and the disk and each
// partition is a Device (struct block_device) with a number and a name. Observers
// hear of every Device that comes, changes or goes: devtmpfs and sysfs follow.
//
// A Device is a block.Device itself, for file systems and swap above it; a guest's
// open file is a file. Who wants it alone claims it, for a holder: a mount, swap, a
// loop device, an open with O_EXCL (bd_prepare_to_claim). Opens without O_EXCL are
// never refused.
//
// What a driver adds to a disk (its own ioctls, what happens at open and close) is
// found by type assertion at Config.Driver: DiskOpener, DiskReleaser, DiskIoctler,
// DiskAttributer, Geometer.
//
// There is no page cache here: reads and writes of a device go to what is behind it
// at once, where a file system above and the host see the same bytes.
//
// # Locks
//
//	Table.changeMu  what exists: held over scans, and while observers are called,
//	                which may look but not change
//	  Table.mu      the tables, open counts and claims; a leaf, never held over I/O
//
// Size and place of a device are read without locks. file.mu is a leaf.
//
// # Left out
//
// Request queues (see package block) and so elevators, zones, integrity, trace;
// media events; freezing; mappings of partitions and COW files; write protection of mounted devices
// (CONFIG_BLK_DEV_WRITE_MOUNTED=n); secure erase; persistent reservations.
package bdev
