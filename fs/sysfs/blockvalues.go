// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"fmt"

	"lodger/block/bdev"
	"lodger/block/partitions"
)

// value is a file that shows something of a device.
type value struct {
	name string
	text func(d *bdev.Device) string
}

func same(s string) func(*bdev.Device) string { return func(*bdev.Device) string { return s } }

// commonValues are those of disks and partitions (block/genhd.c, partitions/core.c).
var commonValues = []value{
	{"alignment_offset", same("0\n")},
	{"dev", func(d *bdev.Device) string { return devText(d) + "\n" }},
	{"discard_alignment", same("0\n")},
	{"inflight", func(d *bdev.Device) string {
		r, w := d.Stat.Inflight()
		return fmt.Sprintf("%8d %8d\n", r, w)
	}},
	{"ro", func(d *bdev.Device) string { return bit(d.ReadOnly()) }},
	{"size", func(d *bdev.Device) string { return sectors(d.Size()) }},
	{"stat", statLine},
}

var partValues = []value{
	{"partition", func(d *bdev.Device) string { return fmt.Sprintln(d.Part()) }},
	{"start", func(d *bdev.Device) string { return sectors(d.Start()) }},
}

var diskValues = []value{
	{"capability", same("0\n")},
	{"diskseq", func(d *bdev.Device) string { return fmt.Sprintln(d.Disk().Seq()) }},
	{"events", same("")},
	{"events_async", same("")},
	{"events_poll_msecs", same("-1\n")},
	{"ext_range", func(d *bdev.Device) string {
		if !d.Disk().PartScan() {
			return "1\n"
		}
		return fmt.Sprintln(partitions.MaxParts)
	}},
	{"hidden", same("0\n")},
	{"partscan", func(d *bdev.Device) string { return bit(d.Disk().PartScan()) }},
	{"range", func(d *bdev.Device) string { return fmt.Sprintln(d.Disk().Config().Minors) }},
	{"removable", func(d *bdev.Device) string { return bit(d.Disk().Config().Removable) }},
}

// queueValue is a file of queue/ (block/blk-sysfs.c).
type queueValue struct {
	name string
	text func(l bdev.Limits) string
}

func always(s string) func(bdev.Limits) string { return func(bdev.Limits) string { return s } }

var queueValues = []queueValue{
	{"add_random", always("0\n")},
	{"chunk_sectors", always("0\n")},
	{"dax", always("0\n")},
	{"discard_granularity", func(l bdev.Limits) string { return fmt.Sprintln(l.DiscardGranularity) }},
	{"discard_max_bytes", func(l bdev.Limits) string { return fmt.Sprintln(l.MaxDiscard) }},
	{"discard_max_hw_bytes", func(l bdev.Limits) string { return fmt.Sprintln(l.MaxDiscard) }},
	{"discard_zeroes_data", always("0\n")},
	{"dma_alignment", always("0\n")},
	{"fua", always("0\n")},
	{"hw_sector_size", func(l bdev.Limits) string { return fmt.Sprintln(l.LogicalBlock) }},
	{"iostats", always("1\n")},
	{"logical_block_size", func(l bdev.Limits) string { return fmt.Sprintln(l.LogicalBlock) }},
	{"max_hw_sectors_kb", func(l bdev.Limits) string { return fmt.Sprintln(l.MaxHWSectors / 2) }},
	{"max_sectors_kb", func(l bdev.Limits) string { return fmt.Sprintln(l.MaxSectors / 2) }},
	{"minimum_io_size", func(l bdev.Limits) string { return fmt.Sprintln(l.IOMin) }},
	{"nr_requests", always("128\n")},
	{"optimal_io_size", func(l bdev.Limits) string { return fmt.Sprintln(l.IOOpt) }},
	{"physical_block_size", func(l bdev.Limits) string { return fmt.Sprintln(l.PhysicalBlock) }},
	{"rotational", func(l bdev.Limits) string { return bit(l.Rotational) }},
	{"scheduler", always("[none]\n")},
	{"stable_writes", always("0\n")},
	{"write_cache", func(l bdev.Limits) string {
		if l.WriteCache {
			return "write back\n"
		}
		return "write through\n"
	}},
	{"write_zeroes_max_bytes", func(l bdev.Limits) string { return fmt.Sprintln(l.MaxWriteZeroes) }},
	{"zone_append_max_bytes", always("0\n")},
	{"zone_write_granularity", always("0\n")},
	{"zoned", always("none\n")},
	{"nr_zones", always("0\n")},
}
