// SPDX-License-Identifier: Apache-2.0

// Package loop is loop devices: Linux's drivers/block/loop.c.
//
// # Model
//
// A Driver is the loop devices of a guest, /dev/loop-control and those that it was
// told to make. A device that is bound to a file has a backing behind its bdev.Disk: a
// block.Device that reads and writes the guest's open file, whatever file system or
// device that is of. Nothing is kept between: a write to the device is a write to the
// file, a discard punches a hole in it, a flush is its fsync.
//
// # Waiting, and how nothing waits for itself
//
// What a file system above a loop device reads and writes happens inside its own
// operations, with its locks held, and calls the file system below: the locks of the
// one above come before those of the one below. That this never goes round is what
// dependsOn sees to: the file that a device is given may not lie, by whatever way, on
// that device.
//
// An operation below may have to wait for more than a queue (fs.ErrMustWait), and
// cannot be given up in the middle of one above. So the backing always lets it wait
// (Context.MayWait), and says so by block.Waiter: who writes to the device, or changes
// a file system on it, does that only on a goroutine where it may wait, and gives
// fs.ErrMustWait before it begins elsewhere. Reads are done on any goroutine: no file
// system waits to read.
//
// # Locks
//
//	Driver.mu      which devices there are; not held over calls into bdev
//	  device.mu    a device's state; held over binding and letting go, and so outside
//	               bdev's locks. DiskAttrs and OpenDisk, which bdev calls with its own,
//	               only read the atomic copy of the state
//	backing.mu     read: over I/O; write: to end it. Outside the locks of the file's
//	               file system, inside those of one on the device
//
// # Left out
//
// Transfer functions (Linux has none any more); direct I/O is remembered and shown, and makes no difference, since there is
// no page cache between; uevents of binding beyond bdev's.
package loop
