// SPDX-License-Identifier: Apache-2.0

package bdev

import "lodger/abi"

// partClaimed is the holder of a whole disk of which only partitions are claimed
// (bd_may_claim, the function, is in Linux).
type partClaimed struct{}

// mayClaim is bd_may_claim; Table.mu is held. A nil holder is nobody's.
func (d *Device) mayClaim(holder any) bool {
	if d.holder != nil {
		return d.holder == holder
	}
	w := d.disk.whole
	return w == d || w.holder == nil || w.holder == partClaimed{}
}

// Acquire opens a device for the kernel's own use (bdev_open): with a holder it is
// claimed for that alone. The same holder may come again. abi.ENXIO: the device went
// or is empty; abi.EBUSY: somebody else claimed it, or a partition of it, or the
// disk that it is on. Each success needs a Release.
func (d *Device) Acquire(holder any, write bool) error {
	o, asks := d.disk.cfg.Driver.(DiskOpener)
	if asks {
		if err := o.OpenDisk(d, write); err != nil {
			return err
		}
	}
	if err := d.acquire(holder); err != nil {
		if asks {
			d.tellReleased()
		}
		return err
	}
	return nil
}

func (d *Device) acquire(holder any) error {
	t, w := d.disk.t, d.disk.whole
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case d.gone:
		return abi.ENXIO
	case holder != nil && !d.mayClaim(holder):
		return abi.EBUSY
	case d.part != 0 && d.Size() == 0:
		return abi.ENXIO
	}
	if holder != nil {
		d.claim(holder)
	}
	w.openers++
	if w != d {
		d.openers++
	}
	if d.openers == 1 {
		d.initBlockSize()
	}
	return nil
}

// claim is bd_finish_claiming; Table.mu is held.
func (d *Device) claim(holder any) {
	w := d.disk.whole
	w.holders++
	if w.holder == nil {
		w.holder = partClaimed{}
	}
	if w != d {
		d.holders++
	}
	d.holder = holder
}

// Release ends one Acquire of the same holder.
func (d *Device) Release(holder any) {
	d.release(holder)
	d.tellReleased()
}

func (d *Device) release(holder any) {
	t, w := d.disk.t, d.disk.whole
	t.mu.Lock()
	defer t.mu.Unlock()
	if holder != nil {
		d.unclaim()
	}
	w.openers--
	if w != d {
		d.openers--
	}
}

// unclaim is bd_end_claim; Table.mu is held.
func (d *Device) unclaim() {
	w := d.disk.whole
	w.holders--
	if w != d {
		if d.holders--; d.holders == 0 {
			d.holder = nil
		}
	}
	if w.holders == 0 {
		w.holder = nil
	}
}

func (d *Device) tellReleased() {
	if r, ok := d.disk.cfg.Driver.(DiskReleaser); ok {
		r.ReleaseDisk(d)
	}
}

// Openers is how often the device is open, in files and in the kernel; a disk's
// partitions count too.
func (d *Device) Openers() int {
	d.disk.t.mu.Lock()
	defer d.disk.t.mu.Unlock()
	return d.openers
}

// Holder is who claimed the device; nil: nobody. Mount finds there the file system
// that it has already.
func (d *Device) Holder() any {
	d.disk.t.mu.Lock()
	defer d.disk.t.mu.Unlock()
	if d.holder == (partClaimed{}) {
		return nil
	}
	return d.holder
}

// initBlockSize is set_init_blocksize: the largest power of two up to a page that
// divides the size.
func (d *Device) initBlockSize() {
	const page = 4096
	bs := int64(d.disk.Limits().LogicalBlock)
	for size := d.Size(); bs < page && size&bs == 0; {
		bs *= 2
	}
	d.blockSize.Store(bs)
}
