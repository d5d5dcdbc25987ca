// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"fmt"
	"slices"
	"sync/atomic"

	"lodger/abi"
	"lodger/block"
	"lodger/block/partitions"
)

// Disk is a disk: struct gendisk.
type Disk struct {
	t         *Table
	cfg       Config
	limits    atomic.Pointer[Limits]
	whole     *Device
	seq       atomic.Uint64
	partScan  atomic.Bool
	readahead atomic.Int64 // sectors
	back      atomic.Pointer[backing]

	parts  []*Device        // by number; guarded by t.mu
	scheme partitions.Table // as last read; guarded by t.mu
}

// backing holds an interface value for an atomic pointer.
type backing struct {
	d     block.Device
	moves bool // its runs can move
}

// moves reports whether writes may have to wait for those who map what moves.
func (d *Disk) moves() bool {
	b := d.back.Load()
	return b != nil && b.moves
}

// Abilities of Config.Driver. They are called without locks held.
type (
	// DiskOpener is asked before a device of the disk is opened.
	DiskOpener interface {
		OpenDisk(d *Device, write bool) error
	}
	// DiskReleaser is told after a device of the disk was closed.
	DiskReleaser interface {
		ReleaseDisk(d *Device)
	}
	// DiskAttributer has files of its own in the disk's directory in sysfs. It is
	// asked again when the disk changes.
	DiskAttributer interface {
		DiskAttrs(d *Disk) []Attr
	}
	// Geometer answers HDIO_GETGEO.
	Geometer interface {
		Geometry(d *Device) (heads, sectors byte, cylinders uint16)
	}
)

// Attr is a file in sysfs: below the disk's directory, or in Dir there. Its text has
// a line feed.
type Attr struct {
	Dir, Name string
	Show      func() (string, error)
}

// Name is the disk's name without /dev.
func (d *Disk) Name() string { return d.cfg.Name }

// Table is the table that the disk is in.
func (d *Disk) Table() *Table { return d.t }

// Whole is the device of the whole disk.
func (d *Disk) Whole() *Device { return d.whole }

// Config is what the driver said when it added the disk.
func (d *Disk) Config() Config { return d.cfg }

// Driver is Config.Driver.
func (d *Disk) Driver() any { return d.cfg.Driver }

// Limits tells what requests the disk takes.
func (d *Disk) Limits() Limits { return *d.limits.Load() }

func (d *Disk) setLimits(l Limits, b block.Device) {
	l = l.withDefaults(b)
	d.limits.Store(&l)
}

// Seq is the disk's sequence number: another one whenever another medium is behind
// it (BLKGETDISKSEQ).
func (d *Disk) Seq() uint64 { return d.seq.Load() }

// Readahead is BLKRAGET, in sectors. It is only remembered: the host reads ahead.
func (d *Disk) Readahead() int64 { return d.readahead.Load() }

// SetReadahead is BLKRASET.
func (d *Disk) SetReadahead(sectors int64) { d.readahead.Store(sectors) }

// Back is what is behind the disk; nil: nothing.
func (d *Disk) Back() block.Device {
	if b := d.back.Load(); b != nil {
		return b.d
	}
	return nil
}

// Partitions lists the disk's partitions by number.
func (d *Disk) Partitions() []*Device {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	return slices.Clone(d.parts)
}

// Partition finds a partition by its number; nil: there is none.
func (d *Disk) Partition(n int) *Device {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	return d.partLocked(n)
}

func (d *Disk) partLocked(n int) *Device {
	i, ok := slices.BinarySearchFunc(d.parts, n, func(p *Device, n int) int { return p.part - n })
	if !ok {
		return nil
	}
	return d.parts[i]
}

// PartScan reports whether partitions are looked for.
func (d *Disk) PartScan() bool { return d.partScan.Load() }

// SetPartScan has partitions looked for from now on, or no more (LO_FLAGS_PARTSCAN).
func (d *Disk) SetPartScan(on bool) { d.partScan.Store(on) }

// SetLimits changes the limits (LOOP_SET_BLOCK_SIZE); only while nobody else uses
// the disk.
func (d *Disk) SetLimits(l Limits) { d.setLimits(l, d.Back()) }

// SetDevice puts another device with its limits behind the disk, or none (nil), or tells that the
// size of the present one changed (set_capacity_and_notify). Partitions stay as
// they are until Rescan. newMedium: it is another medium (inc_diskseq). Whoever
// reads or maps the old device must be done with it.
func (d *Disk) SetDevice(b block.Device, l Limits, newMedium bool) {
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	if newMedium {
		d.t.mu.Lock()
		d.t.seq++
		d.seq.Store(d.t.seq)
		d.t.mu.Unlock()
	}
	d.setLimits(l, b)
	was := d.whole.Size()
	d.setBack(b)
	if now := d.whole.Size(); b != nil && now != was {
		d.t.log(fmt.Sprintf("%s: detected capacity change from %d to %d", d.cfg.Name, was/block.SectorSize, now/block.SectorSize))
	}
	d.t.tell(Event{Changed, d.whole})
}

// setBack places the disk and its partitions on b; changeMu is held.
func (d *Disk) setBack(b block.Device) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if b == nil {
		d.back.Store(nil)
		d.whole.place.Store(nil)
		for _, p := range d.parts {
			p.place.Store(nil)
		}
		return
	}
	_, moves := bottom(b).(block.Mover)
	d.back.Store(&backing{b, moves})
	d.whole.place.Store(block.NewSection(b, 0, b.Size()&^(block.SectorSize-1)))
	for _, p := range d.parts {
		p.place.Store(block.NewSection(b, p.start, p.length))
	}
}

// partName is disk_name: ubda1, but loop0p1.
func (d *Disk) partName(n int) string {
	name := d.cfg.Name
	if c := name[len(name)-1]; c >= '0' && c <= '9' {
		name += "p"
	}
	return name + itoa(n)
}

// Scheme is the partition table as it was last read.
func (d *Disk) Scheme() partitions.Table {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	return d.scheme
}

// rescanBusy is the part of disk_scan_partitions that refuses; t.mu is held.
func (d *Disk) rescanBusy(holder any) error {
	switch {
	case d.whole.gone:
		return abi.ENXIO
	case slices.ContainsFunc(d.parts, func(p *Device) bool { return p.openers > 0 }):
		return abi.EBUSY
	case !d.whole.mayClaim(holder):
		return abi.EBUSY
	}
	return nil
}
