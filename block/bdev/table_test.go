// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/blocktest"
)

// mbr writes a DOS table of {start, sectors} to a disk.
func mbr(t testing.TB, d block.Device, parts ...[2]uint32) {
	t.Helper()
	b := make([]byte, 512)
	b[510], b[511] = 0x55, 0xaa
	for i, p := range parts {
		e := b[0x1be+16*i:]
		e[4] = 0x83
		binary.LittleEndian.PutUint32(e[8:], p[0])
		binary.LittleEndian.PutUint32(e[12:], p[1])
	}
	if _, err := d.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
}

const testSectors = 2048

func addDisk(t testing.TB, tab *Table, n int, parts ...[2]uint32) *Disk {
	t.Helper()
	m := blocktest.NewMem(make([]byte, testSectors*512))
	mbr(t, m, parts...)
	d, err := tab.Add(Config{Name: "ubd" + string(rune('a'+n)), Major: 98, FirstMinor: uint32(16 * n), Minors: 16, Device: m})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func want(t testing.TB, err, wanted error, what string) {
	t.Helper()
	if err != wanted {
		t.Errorf("%s: %v, not %v", what, err, wanted)
	}
}

// show tells the table's state in one line.
func show(tab *Table) string {
	var out []string
	for _, d := range tab.Devices() {
		out = append(out, fmt.Sprintf("%s %d:%d %d+%d", d.Name(), abi.Major(d.Dev()), abi.Minor(d.Dev()), d.Start()/512, d.Size()/512))
	}
	return fmt.Sprint(out)
}

func TestTable(t *testing.T) {
	tab := NewTable()
	var log []string
	tab.Log = func(s string) { log = append(log, s) }
	a := addDisk(t, tab, 0, [2]uint32{8, 100}, [2]uint32{108, 200})
	addDisk(t, tab, 1)
	if got := show(tab); got != "[ubda 98:0 0+2048 ubda1 98:1 8+100 ubda2 98:2 108+200 ubdb 98:16 0+2048]" {
		t.Error(got)
	}
	if !slices.Equal(log, []string{" ubda: ubda1 ubda2", " ubdb:"}) {
		t.Errorf("%q", log)
	}
	if d := tab.ByDev(abi.Makedev(98, 2)); d == nil || d != tab.ByName("ubda2") || d.Part() != 2 || d.Disk() != a {
		t.Error(d)
	}
	if _, err := tab.Add(Config{Name: "ubda", Major: 7, Minors: 1}); err != abi.EBUSY {
		t.Error("a name twice:", err)
	}
	if _, err := tab.Add(Config{Name: "x", Major: 98, Minors: 1}); err != abi.EBUSY {
		t.Error("a number twice:", err)
	}
	p := tab.ByName("ubda1")
	want(t, p.Acquire(nil, false), nil, "open")
	want(t, tab.Remove(a), abi.EBUSY, "remove an open disk")
	p.Release(nil)
	want(t, tab.Remove(a), nil, "remove")
	want(t, p.Acquire(nil, false), abi.ENXIO, "open what is gone")
	want(t, tab.Remove(a), abi.ENXIO, "remove twice")
	if got := show(tab); got != "[ubdb 98:16 0+2048]" {
		t.Error(got)
	}
	if _, err := p.ReadAt(make([]byte, 512), 0); err != abi.EIO {
		t.Error(err)
	}
}

// TestExtendedNumbers: partitions beyond a disk's minors, and names of disks that
// end in a digit.
func TestExtendedNumbers(t *testing.T) {
	tab := NewTable()
	m := blocktest.NewMem(make([]byte, testSectors*512))
	mbr(t, m, [2]uint32{8, 8}, [2]uint32{16, 8})
	if _, err := tab.Add(Config{Name: "loop0", Major: 7, Minors: 1, Device: m}); err != nil {
		t.Fatal(err)
	}
	if got := show(tab); got != "[loop0 7:0 0+2048 loop0p1 259:0 8+8 loop0p2 259:1 16+8]" {
		t.Error(got)
	}
	d := tab.Disks()[0]
	want(t, d.DeletePartition(1), nil, "delete")
	want(t, d.AddPartition(7, 512*100, 512), nil, "add")
	if got := show(tab); got != "[loop0 7:0 0+2048 loop0p2 259:1 16+8 loop0p7 259:0 100+1]" {
		t.Error(got)
	}
}

// TestClaims: bd_may_claim's rules.
func TestClaims(t *testing.T) {
	tab := NewTable()
	d := addDisk(t, tab, 0, [2]uint32{8, 100}, [2]uint32{108, 200})
	w, p1, p2 := d.Whole(), d.Partition(1), d.Partition(2)
	mount, swap := new(int), new(int)
	want(t, p1.Acquire(mount, true), nil, "claim a partition")
	want(t, p1.Acquire(mount, true), nil, "again")
	want(t, p1.Acquire(swap, true), abi.EBUSY, "by another")
	want(t, p2.Acquire(swap, true), nil, "another partition")
	want(t, w.Acquire(swap, true), abi.EBUSY, "the disk of a claimed partition")
	want(t, w.Acquire(nil, true), nil, "the disk, shared")
	if h := w.Holder(); h != nil {
		t.Error(h)
	}
	if h := p1.Holder(); h != mount {
		t.Error(h)
	}
	w.Release(nil)
	p2.Release(swap)
	p1.Release(mount)
	want(t, w.Acquire(swap, true), abi.EBUSY, "one claim is left")
	p1.Release(mount)
	want(t, w.Acquire(swap, true), nil, "none is left")
	want(t, p1.Acquire(mount, true), abi.EBUSY, "a partition of a claimed disk")
	want(t, p1.Acquire(nil, true), nil, "shared")
	p1.Release(nil)
	w.Release(swap)
	if n := w.Openers(); n != 0 {
		t.Error(n, "openers")
	}
	want(t, p1.Acquire(mount, true), nil, "free again")
}

func TestPartitions(t *testing.T) {
	tab := NewTable()
	d := addDisk(t, tab, 0, [2]uint32{8, 100}, [2]uint32{108, 200})
	var events []string
	cancel := tab.Observe(func(e Event) { events = append(events, fmt.Sprint([]string{"+", "=", "-"}[e.Kind], e.Device.Name())) })
	if !slices.Equal(events, []string{"+ubda", "+ubda1", "+ubda2"}) {
		t.Error(events)
	}
	events = nil
	p := d.Partition(1)
	p.Acquire(nil, false)
	want(t, d.Rescan(nil), abi.EBUSY, "an open partition")
	want(t, d.DeletePartition(1), abi.EBUSY, "delete an open one")
	want(t, d.ResizePartition(1, 8*512, 50*512), nil, "resize an open one")
	want(t, d.ResizePartition(1, 9*512, 50*512), abi.EINVAL, "move it")
	want(t, d.ResizePartition(1, 8*512, 101*512), abi.EBUSY, "into the next")
	want(t, d.ResizePartition(3, 8*512, 1*512), abi.ENXIO, "resize none")
	want(t, d.DeletePartition(3), abi.ENXIO, "delete none")
	want(t, d.AddPartition(3, 100*512, 20*512), abi.EBUSY, "overlap")
	want(t, d.AddPartition(1, 1000*512, 20*512), abi.EBUSY, "number in use")
	want(t, d.AddPartition(256, 1000*512, 20*512), abi.EINVAL, "number too large")
	want(t, d.AddPartition(9, 1000*512, 20*512), nil, "add")
	p.Release(nil)
	holder := new(int)
	d.Whole().Acquire(holder, false)
	want(t, d.Rescan(nil), abi.EBUSY, "a claimed disk")
	mbr(t, d.Whole(), [2]uint32{500, 10})
	want(t, d.Rescan(holder), nil, "by who claimed it")
	if got := show(tab); got != "[ubda 98:0 0+2048 ubda1 98:1 500+10]" {
		t.Error(got)
	}
	if !slices.Equal(events, []string{"=ubda1", "+ubda9", "-ubda1", "-ubda2", "-ubda9", "+ubda1", "=ubda"}) {
		t.Error(events)
	}
	cancel()
	d.SetPartScan(false)
	want(t, d.Rescan(holder), abi.EINVAL, "no scanning")
	if len(events) != 7 {
		t.Error("told after cancel")
	}
}

// TestUnreadableTable: a disk that cannot be read is there, without partitions.
func TestUnreadableTable(t *testing.T) {
	tab := NewTable()
	var log []string
	tab.Log = func(s string) { log = append(log, s) }
	m := blocktest.NewMem(make([]byte, testSectors*512))
	mbr(t, m, [2]uint32{8, 100})
	f := blocktest.NewFaulty(m)
	d, err := tab.Add(Config{Name: "ubda", Major: 98, Minors: 16, Device: f})
	if err != nil || len(d.Partitions()) != 1 {
		t.Fatal(err, d.Partitions())
	}
	f.Add(blocktest.Fault{Ops: blocktest.Read, Off: 0, Len: 512})
	want(t, d.Rescan(nil), abi.EIO, "rescan")
	if got := show(tab); got != "[ubda 98:0 0+2048]" || len(log) != 2 {
		t.Error(got, log)
	}
}

// TestSetDevice: what is behind a disk comes, shrinks and goes.
func TestSetDevice(t *testing.T) {
	tab := NewTable()
	d, err := tab.Add(Config{Name: "loop0", Major: 7, Minors: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := d.Whole()
	seq := d.Seq()
	if _, err := w.ReadAt(make([]byte, 1), 0); err != abi.EIO || w.Size() != 0 {
		t.Error(err, w.Size())
	}
	d.SetDevice(blocktest.NewMem(make([]byte, 1500)), Limits{}, true)
	if w.Size() != 1024 || d.Seq() <= seq {
		t.Error(w.Size(), d.Seq())
	}
	if _, err := w.ReadAt(make([]byte, 1024), 0); err != nil {
		t.Error(err)
	}
	if s := w.Stat.StatLine(); s[0] != 1 || s[2] != 2 || len(s) != 17 {
		t.Error(s)
	}
	d.SetDevice(nil, Limits{}, true)
	if err := w.Flush(); err != nil || w.Size() != 0 {
		t.Error(err)
	}
}
