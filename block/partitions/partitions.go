// SPDX-License-Identifier: Apache-2.0

// Package partitions reads partition tables: what Linux keeps in
// block/partitions/ (core.c, msdos.c, efi.c).
//
// # Model
//
// Scan looks at a device and gives its Table: GPT first, then DOS (MBR with
// extended and logical partitions), as check_part does. Reading again is a rescan
// (BLKRRPART); Diff tells what became of each partition. Partition.Of makes the
// sub-device.
//
// Every byte is hostile. What makes no sense is left out and told in
// Table.Problems; only a device that cannot be read is an error. Chains of logical
// partitions that loop end where they meet themselves.
//
// # Locks
//
// None: a Table is a value.
//
// # Left out
//
// BSD, Solaris, Minix and UnixWare slices inside DOS partitions, the other
// families of block/partitions/, DM6 and EZD geometry, device blocks other than
// 512 bytes; writing tables.
package partitions

import (
	"fmt"

	"lodger/block"
)

// MaxParts is DISK_MAX_PARTS: partition numbers are below it.
const MaxParts = 256

// Scheme is the kind of a table.
type Scheme string

// The kinds of tables.
const (
	None Scheme = ""
	DOS  Scheme = "dos"
	GPT  Scheme = "gpt"
)

// Table is what a scan found.
type Table struct {
	Scheme     Scheme
	UUID       string // disk GUID, or the DOS disk signature in 8 hex digits
	Partitions []Partition
	Problems   []string // what was left out or mended, for the log
}

// Partition is one partition.
type Partition struct {
	Number      int
	Start, Size int64  // bytes
	UUID        string // PARTUUID, as udev and root= write it
	Name        string // PARTLABEL, of GPT
	Type        string // GUID, or two hex digits
	Bootable    bool   // DOS: active; GPT: legacy BIOS bootable
	Extended    bool   // a DOS extended partition: only its first 1 KiB is shown
}

// Of gives the partition as a device.
func (p *Partition) Of(d block.Device) *block.Section { return block.NewSection(d, p.Start, p.Size) }

// Scan reads the table of a device. A device without one has an empty Table.
func Scan(d block.Device) (Table, error) {
	s := scan{d: d, sectors: d.Size() / block.SectorSize}
	if s.sectors < 1 {
		return Table{}, nil
	}
	mbr, err := s.sector(0)
	if err != nil {
		return Table{}, err
	}
	if protective(&mbr) {
		if err := s.gpt(); err != nil || s.t.Scheme != None {
			return s.t, err
		}
	}
	err = s.dos(&mbr)
	return s.t, err
}

// scan is a scan under way.
type scan struct {
	d       block.Device
	sectors int64
	t       Table
}

type sector [block.SectorSize]byte

func (s *scan) sector(n int64) (b sector, err error) {
	_, err = s.d.ReadAt(b[:], n*block.SectorSize)
	return b, err
}

func (s *scan) problem(format string, args ...any) {
	const most = 100 // a hostile table must not fill the log
	if len(s.t.Problems) < most {
		s.t.Problems = append(s.t.Problems, fmt.Sprintf(format, args...))
	}
}

// add puts a partition of size sectors at start into the table, cut to the device
// as add_partition and blk_add_partition in block/partitions/core.c do.
func (s *scan) add(p Partition, start, size uint64) {
	total := uint64(s.sectors)
	switch {
	case p.Number >= MaxParts:
		s.problem("p%d: only %d partitions are supported", p.Number, MaxParts-1)
		return
	case start >= total:
		s.problem("p%d start %d is beyond EOD", p.Number, start)
		return
	case size > total-start:
		s.problem("p%d size %d extends beyond EOD, truncated", p.Number, size)
		size = total - start
	}
	p.Start, p.Size = int64(start)*block.SectorSize, int64(size)*block.SectorSize
	s.t.Partitions = append(s.t.Partitions, p)
}

// Change is what a rescan means for one partition.
type Change struct {
	Number   int
	Old, New *Partition // nil: appeared, went
}

// Diff compares two scans. A partition that only got another name or flag is
// changed too; one whose place and size stay can keep its open files.
func Diff(old, now Table) []Change {
	var out []Change
	was := map[int]*Partition{}
	for i := range old.Partitions {
		was[old.Partitions[i].Number] = &old.Partitions[i]
	}
	for i := range now.Partitions {
		n := &now.Partitions[i]
		o := was[n.Number]
		delete(was, n.Number)
		if o == nil || *o != *n {
			out = append(out, Change{n.Number, o, n})
		}
	}
	for i := range old.Partitions {
		if o := &old.Partitions[i]; was[o.Number] == o {
			out = append(out, Change{o.Number, o, nil})
		}
	}
	return out
}
