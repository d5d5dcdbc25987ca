// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"fmt"
	"slices"
	"sync"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// Numbers.
const (
	Major        = 7
	Devices      = 8 // that there are from the beginning (CONFIG_BLK_DEV_LOOP_MIN_COUNT)
	controlMinor = 237
	maxDevices   = 1 << 12 // that a guest can have
)

// Driver is the loop devices of a guest. Make it with New.
type Driver struct {
	t *bdev.Table

	mu      sync.Mutex
	devices []*device // by number; guarded by mu
}

// New adds the first n loop devices to a guest's block devices.
func New(t *bdev.Table, n int) (*Driver, error) {
	d := &Driver{t: t}
	t.RegisterMajor(Major, "loop")
	for i := range n {
		if _, err := d.add(i); err != nil {
			return nil, fmt.Errorf("add loop%d: %w", i, err)
		}
	}
	return d, nil
}

// Control is /dev/loop-control.
func (d *Driver) Control() fs.CharDevice {
	return fs.CharDevice{Major: 10, Minor: controlMinor, Name: "loop-control", Mode: 0o660,
		Open: func(*fs.Context, fs.Path, int) (fs.FileOps, error) { return control{d}, nil }}
}

func (d *Driver) find(n int) (int, bool) {
	return slices.BinarySearchFunc(d.devices, n, func(x *device, n int) int { return x.n - n })
}

// add makes device n, or with a negative n the first one that is not there (loop_add).
func (d *Driver) add(n int) (*device, error) {
	d.mu.Lock()
	if n < 0 {
		for n = 0; n < len(d.devices) && d.devices[n].n == n; n++ {
		}
	}
	i, there := d.find(n)
	switch {
	case there:
		d.mu.Unlock()
		return nil, abi.EEXIST
	case n >= 1<<20: // no minor number
		d.mu.Unlock()
		return nil, abi.ENOSPC
	case len(d.devices) >= maxDevices:
		d.mu.Unlock()
		return nil, abi.ENOMEM
	}
	x := &device{d: d, n: n}
	x.shown.Store(&shown{})
	x.mu.Lock() // nobody finds it half made
	defer x.mu.Unlock()
	d.devices = slices.Insert(d.devices, i, x)
	d.mu.Unlock()
	disk, err := d.t.Add(bdev.Config{Name: fmt.Sprint("loop", n), Major: Major, FirstMinor: uint32(n), Minors: 1, NoPartScan: true, Driver: x})
	if err != nil {
		d.forget(x)
		return nil, err
	}
	x.disk = disk
	return x, nil
}

func (d *Driver) forget(x *device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.devices = slices.DeleteFunc(d.devices, func(y *device) bool { return x == y })
}

// remove is loop_control_remove.
func (d *Driver) remove(n int) error {
	if n < 0 {
		return abi.EINVAL
	}
	d.mu.Lock()
	i, there := d.find(n)
	if !there {
		d.mu.Unlock()
		return abi.ENODEV
	}
	x := d.devices[i]
	d.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.disk == nil {
		return abi.ENODEV
	}
	if x.back != nil {
		return abi.EBUSY
	}
	if err := d.t.Remove(x.disk); err != nil {
		return err
	}
	x.disk = nil
	d.forget(x)
	return nil
}

// free gives the first device that is bound to nothing, a new one if need be
// (loop_control_get_free).
func (d *Driver) free() (int, error) {
	d.mu.Lock()
	for _, x := range d.devices {
		if !x.shown.Load().bound {
			d.mu.Unlock()
			return x.n, nil
		}
	}
	d.mu.Unlock()
	x, err := d.add(-1)
	if err != nil {
		return 0, err
	}
	return x.n, nil
}

// control is an open /dev/loop-control.
type control struct{ d *Driver }

// Ioctl implements fs.Ioctler: loop_control_ioctl.
func (c control) Ioctl(ctx *fs.Context, cmd uint32, arg uint64, _ fs.UserMemory) (uint64, error) {
	const (
		loopCtlAdd     = 0x4c80
		loopCtlRemove  = 0x4c81
		loopCtlGetFree = 0x4c82
	)
	switch n := int(int32(arg)); cmd {
	case loopCtlAdd:
		x, err := c.d.add(n)
		if err != nil {
			return 0, err
		}
		return uint64(x.n), nil
	case loopCtlRemove:
		return 0, c.d.remove(n)
	case loopCtlGetFree:
		n, err := c.d.free()
		return uint64(n), err
	}
	return 0, abi.ENOSYS
}
