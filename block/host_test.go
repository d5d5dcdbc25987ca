// SPDX-License-Identifier: Apache-2.0

package block_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lodger/block"
	"lodger/internal/need"
)

// TestBlockDevice: a block device of the host as a disk.
func TestBlockDevice(t *testing.T) {
	need.Root(t)
	need.Program(t, "losetup")
	const size = 1 << 20
	out, err := exec.Command("losetup", "-f", "--show", image(t, size)).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices here: %v: %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	defer exec.Command("losetup", "-d", dev).Run()
	f, err := block.OpenFile(dev, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != size {
		t.Error(f.Size())
	}
	want := bytes.Repeat([]byte{5}, size)
	if _, err := f.WriteAt(want, 0); err != nil {
		t.Fatal(err)
	}
	if start, n, err := f.NextData(4096); start != 4096 || n != size-4096 || err != nil {
		t.Error(start, n, err)
	}
	if err := block.WriteZeroes(f, 8192, 4096); err != nil {
		t.Error(err)
	}
	clear(want[8192:12288])
	if err := f.Discard(64<<10, 64<<10); err == nil {
		clear(want[64<<10 : 128<<10])
	}
	if err := f.Flush(); err != nil {
		t.Error(err)
	}
	got := make([]byte, size)
	if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Error("content differs", err)
	}
	if _, err := f.WriteAt(got[:1], size); err == nil {
		t.Error("written beyond the end")
	}
}

// TestZeroesOnTmpfs: a file system that knows no ZERO_RANGE.
func TestZeroesOnTmpfs(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "block")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	f, err := block.CreateFile(filepath.Join(dir, "disk"), 64<<10, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := bytes.Repeat([]byte{5}, 64<<10)
	for range 2 { // the second time it is known
		if _, err := f.WriteAt(want, 0); err != nil {
			t.Fatal(err)
		}
		if err := block.WriteZeroes(f, 1000, 10000); err != nil {
			t.Fatal(err)
		}
		clear(want[1000:11000])
		got := make([]byte, len(want))
		if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Error("content differs", err)
		}
	}
}

// TestMapping: a mapping of a located run and the device are the same bytes.
func TestMapping(t *testing.T) {
	f := open(t, image(t, 64<<10), block.Options{})
	r, err := block.Locate(f, 8192, 4096)
	if err != nil {
		t.Fatal(err)
	}
	m, err := syscall.Mmap(r.FD, r.Off, int(r.Len), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(m)
	if _, err := f.WriteAt([]byte("by write"), 8192); err != nil || string(m[:8]) != "by write" {
		t.Errorf("%q %v", m[:8], err)
	}
	copy(m[100:], "by store")
	got := make([]byte, 8)
	if _, err := f.ReadAt(got, 8292); err != nil || string(got) != "by store" {
		t.Errorf("%q %v", got, err)
	}
}
