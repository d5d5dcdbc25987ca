// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"os"
	"path/filepath"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/blocktest"
	"lodger/fs"
)

// open opens the device through the table as a guest does.
func open(t *testing.T, tab *Table, minor uint32, flags int) *file {
	t.Helper()
	ops, err := tab.Open(nil, fs.Path{}, abi.Makedev(98, minor), flags)
	if err != nil {
		t.Fatal(err)
	}
	return ops.(*file)
}

// counting counts barriers.
type counting struct {
	*blocktest.Mem
	flushes int
}

func (c *counting) Flush() error {
	c.flushes++
	return nil
}

// TestFlushReachesTheDisk: fsync, O_DSYNC writes and sync of the table are barriers,
// and only where the caller may wait.
func TestFlushReachesTheDisk(t *testing.T) {
	r := &counting{Mem: blocktest.NewMem(make([]byte, testSectors*512))}
	tab := NewTable()
	if _, err := tab.Add(Config{Name: "ubda", Major: 98, Minors: 16, Device: r}); err != nil {
		t.Fatal(err)
	}
	now, later := &fs.Context{}, &fs.Context{MayWait: true}
	plain, synced := open(t, tab, 0, abi.O_RDWR), open(t, tab, 0, abi.O_RDWR|abi.O_DSYNC)
	defer plain.Release()
	defer synced.Release()
	p := make([]byte, 512)
	if n, err := plain.WriteAt(now, p, 0); n != 512 || err != nil || r.flushes != 0 {
		t.Error(n, err, r.flushes)
	}
	if _, err := synced.WriteAt(now, p, 0); err != fs.ErrMustWait {
		t.Error(err)
	}
	if n, err := synced.WriteAt(later, p, 0); n != 512 || err != nil || r.flushes != 1 {
		t.Error(n, err, r.flushes)
	}
	want(t, plain.Fsync(now, false), fs.ErrMustWait, "fsync")
	want(t, plain.Fsync(later, false), nil, "fsync")
	want(t, tab.Flush(), nil, "sync")
	if r.flushes != 3 {
		t.Error(r.flushes)
	}
}

// TestWhatCanBeMapped: a mapping shows the device's own bytes only, and by a descriptor
// that can write only if the mapping may.
func TestWhatCanBeMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := block.OpenFile(path, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	mbr(t, raw, [2]uint32{8, 8})
	add := func(name string, minor uint32, d block.Device) *Disk {
		tab := NewTable()
		disk, err := tab.Add(Config{Name: name, Major: 98, FirstMinor: minor, Minors: 16, Device: d})
		if err != nil {
			t.Fatal(err)
		}
		return disk
	}
	disk := add("ubda", 0, block.NewSection(raw, 0, raw.Size()))
	f := open(t, disk.Table(), 0, abi.O_RDWR)
	defer f.Release()
	if fd, off, err := f.MapFD(4096, 4096, true, true, false); fd != raw.FD() || off != 4096 || err != nil {
		t.Error(fd, off, err)
	}
	fd, off, err := f.MapFD(8192, 4096, false, true, false)
	if fd == raw.FD() || off != 8192 || err != nil {
		t.Error(fd, off, err)
	}
	if again, _, _ := f.MapFD(0, 4096, true, false, false); again != fd {
		t.Error("another descriptor to read:", fd, again)
	}
	part := open(t, disk.Table(), 1, abi.O_RDWR)
	defer part.Release()
	if _, _, err := part.MapFD(0, 4096, false, false, false); err != abi.ENODEV {
		t.Error("a partition:", err)
	}
	disk.Whole().SetReadOnly(true)
	if _, _, err := f.MapFD(0, 4096, false, true, false); err != abi.EINVAL {
		t.Error("read-only, and the file is open for writing:", err)
	}
	for name, d := range map[string]block.Device{
		"a part of a file":  block.NewSection(raw, 0, 4096),
		"another place":     block.NewSection(raw, 4096, 4096),
		"no file":           blocktest.NewMem(make([]byte, 8192)),
		"a file of no size": block.NewSection(raw, 0, 0),
	} {
		disk := add("ubdb", 16, d)
		f := open(t, disk.Table(), 16, abi.O_RDONLY)
		if _, _, err := f.MapFD(0, 4096, false, false, false); err != abi.ENODEV {
			t.Errorf("%s: %v", name, err)
		}
		f.Release()
	}
}
