// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"cmp"
	"slices"
	"sync"

	"lodger/abi"
	"lodger/block"
)

// ExtMajor is BLOCK_EXT_MAJOR: numbers of partitions beyond a disk's own minors.
const ExtMajor = 259

// Table is the block devices of one guest.
type Table struct {
	// Log is told what Linux prints: the partitions of a disk, what is wrong with a
	// table. May be nil; set it before the first Add.
	Log func(msg string)

	changeMu  sync.Mutex // see the package comment
	observers []*observer

	mu     sync.Mutex
	disks  []*Disk            // in the order of Add; guarded by mu
	byName map[string]*Device // guarded by mu
	byDev  map[uint64]*Device // by abi.Makedev; guarded by mu
	majors map[uint32]string  // guarded by mu
	seq    uint64             // the last diskseq; guarded by mu
}

// NewTable makes an empty table.
func NewTable() *Table {
	return &Table{
		byName: map[string]*Device{}, byDev: map[uint64]*Device{},
		majors: map[uint32]string{ExtMajor: "blkext"},
	}
}

// Config is what a driver says of a disk.
type Config struct {
	Name              string // without /dev: "ubda"
	Major, FirstMinor uint32
	Minors            int // numbers for the disk and its partitions; more are of ExtMajor
	// Device is what is behind the disk. nil: nothing yet, see Disk.SetDevice.
	Device    block.Device
	Serial    string
	Removable bool
	// Parent is the directory below /sys/devices whose block/ has the disk
	// ("platform/uml-blkdev.0"); "" means virtual.
	Parent string
	// NoPartScan: partitions are not looked for (GD_SUPPRESS_PART_SCAN), until
	// Disk.SetPartScan.
	NoPartScan bool
	Limits     Limits
	// Driver has the abilities DiskOpener, DiskReleaser, DiskIoctler, DiskAttributer,
	// Geometer.
	Driver any
}

// RegisterMajor gives a major number its name in /proc/devices.
func (t *Table) RegisterMajor(major uint32, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.majors[major] = name
}

// Major is a line of /proc/devices.
type Major struct {
	Number uint32
	Name   string
}

// Majors lists the registered major numbers, ascending.
func (t *Table) Majors() []Major {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Major
	for n, name := range t.majors {
		out = append(out, Major{n, name})
	}
	slices.SortFunc(out, func(a, b Major) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// Add makes a disk and its partitions (device_add_disk). abi.EBUSY: the name or
// the number is taken.
func (t *Table) Add(c Config) (*Disk, error) {
	if c.Name == "" || c.Minors < 0 {
		return nil, abi.EINVAL
	}
	t.changeMu.Lock()
	defer t.changeMu.Unlock()
	d := &Disk{t: t, cfg: c}
	d.setLimits(c.Limits, c.Device)
	d.partScan.Store(!c.NoPartScan)
	d.readahead.Store(defaultReadahead)
	d.whole = &Device{disk: d, name: c.Name}
	t.mu.Lock()
	err := t.number(d.whole)
	if err == nil {
		t.seq++
		d.seq.Store(t.seq)
		t.disks = append(t.disks, d)
	}
	t.mu.Unlock()
	if err != nil {
		return nil, err
	}
	d.setBack(c.Device)
	t.tell(Event{Added, d.whole})
	if c.Device != nil && !c.NoPartScan {
		_ = d.scan() // a disk that cannot be read has no partitions, but is there
	}
	return d, nil
}

// number gives a device its number and puts it into the tables; t.mu is held.
func (t *Table) number(d *Device) error {
	c := &d.disk.cfg
	if d.part < c.Minors {
		d.dev = abi.Makedev(c.Major, c.FirstMinor+uint32(d.part))
	} else {
		for minor := uint32(0); ; minor++ { // ida_alloc_range: the lowest free one
			if d.dev = abi.Makedev(ExtMajor, minor); t.byDev[d.dev] == nil {
				break
			}
		}
	}
	if t.byDev[d.dev] != nil || t.byName[d.name] != nil {
		return abi.EBUSY
	}
	t.byDev[d.dev], t.byName[d.name] = d, d
	return nil
}

// Remove takes a disk and its partitions away (del_gendisk). abi.EBUSY while any of
// them is open. What is behind it stays open: it is the driver's.
func (t *Table) Remove(d *Disk) error {
	t.changeMu.Lock()
	defer t.changeMu.Unlock()
	t.mu.Lock()
	i := slices.Index(t.disks, d)
	switch {
	case i < 0:
		t.mu.Unlock()
		return abi.ENXIO
	case d.whole.openers > 0:
		t.mu.Unlock()
		return abi.EBUSY
	}
	t.disks = slices.Delete(t.disks, i, i+1)
	gone := append(slices.Clone(d.parts), d.whole)
	d.parts = nil
	for _, x := range gone {
		t.drop(x)
	}
	t.mu.Unlock()
	for _, x := range gone {
		t.tell(Event{Removed, x})
	}
	return nil
}

// drop takes a device out of the tables; t.mu is held.
func (t *Table) drop(d *Device) {
	d.gone = true
	d.place.Store(nil)
	delete(t.byDev, d.dev)
	delete(t.byName, d.name)
}

// ByDev finds a device by its number; nil: there is none.
func (t *Table) ByDev(dev uint64) *Device {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byDev[dev]
}

// ByName finds a device by its name without /dev; nil: there is none.
func (t *Table) ByName(name string) *Device {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byName[name]
}

// Disks lists the disks in the order in which they came.
func (t *Table) Disks() []*Disk {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.disks)
}

// Devices lists each disk, followed by its partitions.
func (t *Table) Devices() []*Device {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*Device
	for _, d := range t.disks {
		out = append(append(out, d.whole), d.parts...)
	}
	return out
}

// Flush writes all disks back, as sync(2) does; it gives the first error.
func (t *Table) Flush() error {
	var first error
	for _, d := range t.Disks() {
		if err := d.whole.Flush(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (t *Table) log(msg string) {
	if t.Log != nil {
		t.Log(msg)
	}
}
