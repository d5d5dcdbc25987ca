// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/block"
	"lodger/block/partitions"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Rescan reads the partition table anew (BLKRRPART). abi.EBUSY while a partition is
// open or the disk is claimed by another than holder (nil: by anybody); abi.EINVAL
// where partitions are not looked for; abi.EIO when the table cannot be read, and then
// there are none.
func (d *Disk) Rescan(holder any) error {
	if !d.PartScan() {
		return abi.EINVAL
	}
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	d.t.mu.Lock()
	if err := d.rescanBusy(holder); err != nil {
		d.t.mu.Unlock()
		return err
	}
	old := d.parts
	d.parts = nil
	for _, p := range old {
		d.t.drop(p)
	}
	d.t.mu.Unlock()
	for _, p := range old {
		d.t.tell(Event{Removed, p})
	}
	err := d.scan()
	d.t.tell(Event{Changed, d.whole})
	return err
}

// DropPartitions takes all partitions away, without reading a table (loop devices
// that are detached); abi.EBUSY while one is open.
func (d *Disk) DropPartitions() error {
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	d.t.mu.Lock()
	if slices.ContainsFunc(d.parts, func(p *Device) bool { return p.openers > 0 }) {
		d.t.mu.Unlock()
		return abi.EBUSY
	}
	old := d.parts
	d.parts, d.scheme = nil, partitions.Table{}
	for _, p := range old {
		d.t.drop(p)
	}
	d.t.mu.Unlock()
	for _, p := range old {
		d.t.tell(Event{Removed, p})
	}
	return nil
}

// scan reads the table and makes the partitions, of which there are none; changeMu
// is held.
func (d *Disk) scan() error {
	if d.Back() == nil {
		return nil
	}
	table, err := partitions.Scan(d.whole)
	if err != nil {
		d.t.log(fmt.Sprintf("%s: unable to read partition table: %v", d.cfg.Name, err))
		return abi.EIO
	}
	d.t.mu.Lock()
	d.scheme = table
	d.t.mu.Unlock()
	var names strings.Builder
	for _, p := range table.Partitions {
		names.WriteString(" " + d.partName(p.Number))
		x, err := d.addPart(p)
		if err != nil {
			d.t.log(fmt.Sprintf("%s: p%d could not be added: %v", d.cfg.Name, p.Number, err))
			continue
		}
		d.t.tell(Event{Added, x})
	}
	for _, p := range table.Problems {
		d.t.log(d.cfg.Name + ": " + p)
	}
	if table.Scheme != partitions.None {
		d.t.log(" " + d.cfg.Name + ":" + names.String())
	}
	return nil
}

// addPart is add_partition; changeMu is held.
func (d *Disk) addPart(p partitions.Partition) (*Device, error) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	b := d.Back()
	switch {
	case d.whole.gone || b == nil:
		return nil, abi.ENXIO
	case p.Number >= partitions.MaxParts:
		return nil, abi.EINVAL
	case d.partLocked(p.Number) != nil:
		return nil, abi.EBUSY
	}
	x := &Device{disk: d, part: p.Number, name: d.partName(p.Number), start: p.Start, length: p.Size, info: p}
	x.readOnly.Store(d.whole.readOnly.Load())
	if err := d.t.number(x); err != nil {
		return nil, err
	}
	x.place.Store(block.NewSection(b, p.Start, p.Size))
	i, _ := slices.BinarySearchFunc(d.parts, x.part, func(p *Device, n int) int { return p.part - n })
	d.parts = slices.Insert(d.parts, i, x)
	return x, nil
}

// overlaps is partition_overlaps: with any partition but number skip; t.mu is held.
func (d *Disk) overlaps(start, length int64, skip int) bool {
	return slices.ContainsFunc(d.parts, func(p *Device) bool {
		return p.part != skip && start < p.start+p.length && p.start < start+length
	})
}

// AddPartition makes a partition that no table need have (BLKPG_ADD_PARTITION);
// start and length in bytes, checked. abi.EBUSY: it overlaps another, or the number
// is taken.
func (d *Disk) AddPartition(n int, start, length int64) error {
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	d.t.mu.Lock()
	busy := d.overlaps(start, length, 0)
	d.t.mu.Unlock()
	if busy {
		return abi.EBUSY
	}
	p, err := d.addPart(partitions.Partition{Number: n, Start: start, Size: length})
	if err != nil {
		return err
	}
	d.t.tell(Event{Added, p})
	return nil
}

// DeletePartition forgets a partition (BLKPG_DEL_PARTITION). abi.ENXIO: there is
// none; abi.EBUSY: it is open.
func (d *Disk) DeletePartition(n int) error {
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	d.t.mu.Lock()
	p := d.partLocked(n)
	var err error
	switch {
	case p == nil:
		err = abi.ENXIO
	case p.openers > 0:
		err = abi.EBUSY
	default:
		d.parts = slices.DeleteFunc(slices.Clone(d.parts), func(x *Device) bool { return x == p })
		d.t.drop(p)
	}
	d.t.mu.Unlock()
	if err == nil {
		d.t.tell(Event{Removed, p})
	}
	return err
}

// ResizePartition changes a partition's length, also while it is in use
// (BLKPG_RESIZE_PARTITION). abi.ENXIO: there is none; abi.EINVAL: it starts
// elsewhere; abi.EBUSY: it would overlap another.
func (d *Disk) ResizePartition(n int, start, length int64) error {
	d.t.changeMu.Lock()
	defer d.t.changeMu.Unlock()
	d.t.mu.Lock()
	p, b := d.partLocked(n), d.Back()
	var err error
	switch {
	case p == nil || b == nil:
		err = abi.ENXIO
	case p.start != start:
		err = abi.EINVAL
	case d.overlaps(start, length, n):
		err = abi.EBUSY
	default:
		p.length = length
		p.place.Store(block.NewSection(b, start, length))
	}
	d.t.mu.Unlock()
	if err == nil {
		d.t.tell(Event{Changed, p})
	}
	return err
}
