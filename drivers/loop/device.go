// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// device is a loop device: struct loop_device.
type device struct {
	d *Driver
	n int

	mu    sync.Mutex // see the package comment
	disk  *bdev.Disk // nil once it was removed; guarded by mu
	back  *backing   // nil: bound to nothing; guarded by mu
	st    status     // guarded by mu
	ends  bool       // nobody may open it any more (Lo_rundown); guarded by mu
	shown atomic.Pointer[shown]
}

// shown is a copy of the state for who may not take mu.
type shown struct {
	bound, ends bool
	back        *backing
	st          status
}

// publish copies the state; mu is held.
func (x *device) publish() {
	x.shown.Store(&shown{bound: x.back != nil, ends: x.ends, back: x.back, st: x.st})
}

// limits is loop_reconfigure_limits, with a logical block size.
func limits(blockSize int) bdev.Limits { return bdev.Limits{LogicalBlock: blockSize, WriteCache: true} }

// bind is loop_configure. file's reference is taken over if it succeeds. blockSize 0 is
// the usual one. write tells how the device was opened by the one who binds it.
func (x *device) bind(ctx *fs.Context, file *fs.File, st status, blockSize int, write bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.disk == nil {
		return abi.ENXIO
	}
	if x.back != nil {
		return abi.EBUSY
	}
	if err := x.validate(file, false); err != nil {
		return err
	}
	if blockSize != 0 && !validBlockSize(blockSize) {
		return abi.EINVAL
	}
	if !file.Writable() || !write {
		st.flags |= flagReadOnly
	}
	back, err := newBacking(ctx, file, st.offset, st.limit, st.flags&flagReadOnly != 0)
	if err != nil {
		return err
	}
	if blockSize == 0 {
		blockSize = 512
	}
	x.back, x.st, x.ends = back, st, false
	x.publish()
	x.disk.SetDevice(back, limits(blockSize), true)
	x.scan()
	return nil
}

// scan looks for partitions if that is wished (loop_reread_partitions); mu is held.
func (x *device) scan() {
	if x.st.flags&flagPartScan == 0 {
		return
	}
	x.disk.SetPartScan(true)
	// Busy is the one thing that can be in the way; Linux only logs it.
	_ = x.disk.Rescan(x.disk.Whole().Holder())
}

// clear is __loop_clr_fd; mu is held, and nobody has the device open, or only the one
// who clears it.
func (x *device) clear() {
	back := x.back
	x.back, x.st, x.ends = nil, status{}, false
	x.publish()
	x.disk.SetDevice(nil, limits(512), true)
	_ = x.disk.DropPartitions() // none is open
	x.disk.SetPartScan(false)
	back.close()
}

// unbind is loop_clr_fd: at once when the caller alone has the device open, else when
// the last one closes it.
func (x *device) unbind() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.back == nil || x.ends {
		return abi.ENXIO
	}
	x.st.flags |= flagAutoclear
	x.ends = x.disk.Whole().Openers() == 1
	x.publish()
	return nil
}

// OpenDisk implements bdev.DiskOpener: lo_open.
func (x *device) OpenDisk(*bdev.Device, bool) error {
	if x.shown.Load().ends {
		return abi.ENXIO
	}
	return nil
}

// ReleaseDisk implements bdev.DiskReleaser: lo_release.
func (x *device) ReleaseDisk(*bdev.Device) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.back != nil && (x.ends || x.st.flags&flagAutoclear != 0) && x.disk.Whole().Openers() == 0 {
		x.clear()
	}
}

// setStatus is loop_set_status.
func (x *device) setStatus(st status) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.back == nil || x.ends {
		return abi.ENXIO
	}
	moved := st.offset != x.st.offset || st.limit != x.st.limit
	scan := x.st.flags&flagPartScan == 0 && st.flags&flagPartScan != 0
	st.flags = x.st.flags&^clearableFlags | st.flags&settableFlags
	x.st = st
	if moved {
		if err := x.resize(); err != nil {
			return err
		}
	}
	x.publish()
	if scan {
		x.scan()
	}
	return nil
}

// resize puts the part of the file that the status says behind the disk; mu is held.
// I/O on its way ends on the old one, which shares the file.
func (x *device) resize() error {
	back, err := x.back.part(x.st.offset, x.st.limit)
	if err != nil {
		return err
	}
	x.back = back
	x.publish()
	x.disk.SetDevice(back, x.disk.Limits(), false)
	return nil
}

// setCapacity is loop_set_capacity: the file's size has changed.
func (x *device) setCapacity() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.back == nil {
		return abi.ENXIO
	}
	return x.resize()
}

// setDirect is loop_set_dio.
func (x *device) setDirect(on bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.back == nil {
		return abi.ENXIO
	}
	x.st.flags &^= flagDirectIO
	if on {
		x.st.flags |= flagDirectIO
	}
	x.publish()
	return nil
}

func validBlockSize(n int) bool { return n >= 512 && n <= 4096 && n&(n-1) == 0 }

// setBlockSize is loop_set_block_size.
func (x *device) setBlockSize(n int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.back == nil:
		return abi.ENXIO
	case !validBlockSize(n):
		return abi.EINVAL
	case x.disk.Limits().LogicalBlock != n:
		x.disk.SetLimits(limits(n))
	}
	return nil
}

// change is loop_change_fd: another file of the same size, for a device that cannot be
// written. file's reference is taken over if it succeeds.
func (x *device) change(ctx *fs.Context, file *fs.File) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.back == nil || x.ends:
		return abi.ENXIO
	case x.st.flags&flagReadOnly == 0:
		return abi.EINVAL
	}
	if err := x.validate(file, true); err != nil {
		return err
	}
	back, err := newBacking(ctx, file, x.st.offset, x.st.limit, true)
	if err != nil {
		return err
	}
	// The old file may have become shorter; the device is as large as it was.
	if size, err := sizeOf(x.back.file, x.st.offset, x.st.limit); err != nil || back.size != size {
		return abi.EINVAL
	}
	back.size = x.back.size
	old := x.back
	x.back = back
	x.publish()
	x.disk.SetDevice(back, x.disk.Limits(), true)
	old.close()
	if x.st.flags&flagPartScan != 0 {
		x.scan()
	}
	return nil
}
