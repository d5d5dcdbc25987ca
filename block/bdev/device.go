// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"sync/atomic"

	"lodger/abi"
	"lodger/block"
	"lodger/block/partitions"
)

// Device is a disk or a partition that a guest can open: struct block_device. It is
// a block.Device with all abilities of what is behind it; those that this lacks
// answer as if they were absent.
type Device struct {
	disk *Disk
	part int // partition number, 0 for the whole disk
	name string
	dev  uint64
	info partitions.Partition // as the table said

	// place is where the device lies; nil when nothing is behind it. Writers hold
	// Table.mu.
	place         atomic.Pointer[block.Section]
	start, length int64       // of partitions, bytes; guarded by Table.mu
	readOnly      atomic.Bool // BLKROSET
	blockSize     atomic.Int64
	swap          atomic.Bool // a swap area: files may not write to it
	Stat          Stat

	gone    bool // guarded by Table.mu
	openers int  // of partitions too in the whole's; guarded by Table.mu
	holder  any  // who claimed it, or partClaimed; guarded by Table.mu
	holders int  // guarded by Table.mu
}

// Name is the name without /dev.
func (d *Device) Name() string { return d.name }

// Dev is the number, abi.Makedev.
func (d *Device) Dev() uint64 { return d.dev }

// Disk is the disk that the device is or is a part of.
func (d *Device) Disk() *Disk { return d.disk }

// Part is the partition number, 0 for a whole disk.
func (d *Device) Part() int { return d.part }

// Info is what the partition table says of a partition.
func (d *Device) Info() partitions.Partition { return d.info }

// Start is the first byte's place on the disk.
func (d *Device) Start() int64 {
	if s := d.place.Load(); s != nil {
		return s.Start()
	}
	return 0
}

// Size implements block.Device: whole sectors.
func (d *Device) Size() int64 {
	if s := d.place.Load(); s != nil {
		return s.Size()
	}
	return 0
}

// ReadOnly implements block.ReadOnlyer.
func (d *Device) ReadOnly() bool {
	if d.readOnly.Load() || d.disk.whole.readOnly.Load() {
		return true
	}
	s := d.place.Load()
	return s != nil && s.ReadOnly()
}

// SetReadOnly is BLKROSET. A device whose file can only be read stays read-only.
func (d *Device) SetReadOnly(ro bool) { d.readOnly.Store(ro) }

// SetSwap says whether the device is a swap area now. Whoever says so claims it.
func (d *Device) SetSwap(on bool) { d.swap.Store(on) }

// Waits implements block.Waiter.
func (d *Device) Waits() bool {
	s := d.place.Load()
	return s != nil && s.Waits()
}

// ReadAt implements block.Device.
func (d *Device) ReadAt(p []byte, off int64) (int, error) {
	s := d.place.Load()
	if s == nil {
		return 0, abi.EIO
	}
	defer d.begin(opRead, int64(len(p))).end()
	return s.ReadAt(p, off)
}

// writable is where the device lies, if it may be written.
func (d *Device) writable() (*block.Section, error) {
	s := d.place.Load()
	switch {
	case s == nil:
		return nil, abi.EIO
	case d.ReadOnly():
		return nil, abi.EROFS
	}
	return s, nil
}

// WriteAt implements block.Device.
func (d *Device) WriteAt(p []byte, off int64) (int, error) {
	s, err := d.writable()
	if err != nil {
		return 0, err
	}
	defer d.begin(opWrite, int64(len(p))).end()
	return s.WriteAt(p, off)
}

// Flush implements block.Flusher.
func (d *Device) Flush() error {
	s := d.place.Load()
	if s == nil {
		return nil
	}
	defer d.begin(opFlush, 0).end()
	return s.Flush()
}

// CanDiscard reports whether Discard is worth a call.
func (d *Device) CanDiscard() bool { return canDiscard(d.disk.Back()) }

// Discard implements block.Discarder.
func (d *Device) Discard(off, n int64) error {
	s, err := d.writable()
	if err != nil {
		return err
	}
	defer d.begin(opDiscard, n).end()
	return s.Discard(off, n)
}

// WriteZeroes implements block.Zeroer.
func (d *Device) WriteZeroes(off, n int64) error {
	s, err := d.writable()
	if err != nil {
		return err
	}
	defer d.begin(opWrite, n).end()
	return s.WriteZeroes(off, n)
}

// NextData implements block.Extents.
func (d *Device) NextData(off int64) (start, n int64, err error) {
	s := d.place.Load()
	if s == nil {
		return 0, 0, abi.EIO
	}
	return s.NextData(off)
}

// Locate implements block.Locator.
func (d *Device) Locate(off, n int64) (block.Run, error) {
	s := d.place.Load()
	if s == nil {
		return block.Run{}, abi.EIO
	}
	r, err := s.Locate(off, n)
	if d.ReadOnly() {
		r.Writable = false
	}
	return r, err
}

// Generation implements block.Mover.
func (d *Device) Generation() uint64 {
	if s := d.place.Load(); s != nil {
		return s.Generation()
	}
	return 0
}

// Own implements block.Mover.
func (d *Device) Own(off, n int64) error {
	s, err := d.writable()
	if err != nil {
		return err
	}
	return s.Own(off, n)
}

// Watch implements block.Mover: of the device as it lies now and of what it is
// resized to, but not of another device that is put behind the disk.
func (d *Device) Watch(w block.Watcher) (cancel func()) {
	if m, ok := d.disk.Back().(block.Mover); ok {
		return m.Watch(deviceWatcher{d, w})
	}
	return func() {}
}

type deviceWatcher struct {
	d *Device
	w block.Watcher
}

func (v deviceWatcher) clip(off, n int64) (int64, int64) {
	start := v.d.Start()
	from, to := max(off-start, 0), min(off+n-start, v.d.Size())
	return from, to - from
}

func (v deviceWatcher) BeginMove(off, n int64) {
	if off, n = v.clip(off, n); n > 0 {
		v.w.BeginMove(off, n)
	}
}

func (v deviceWatcher) EndMove(off, n int64) {
	if off, n = v.clip(off, n); n > 0 {
		v.w.EndMove(off, n)
	}
}
