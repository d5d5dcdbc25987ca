// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/bdev"
	"lodger/block/cow"
	"lodger/internal/need"
)

func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// try opens what a switch says and gives what it warned of.
func try(t *testing.T, arg string) (*Disk, string, error) {
	t.Helper()
	s, err := Parse(arg)
	if err != nil {
		t.Fatal(err)
	}
	var said string
	d, err := Open(s, func(m string) { said += m + "\n" })
	if err == nil {
		t.Cleanup(func() { d.Close() })
	}
	return d, said, err
}

func TestOpenRaw(t *testing.T) {
	path := file(t, "disk", make([]byte, 10000))
	d, said, err := try(t, "c="+path+",,SN-1")
	if err != nil {
		t.Fatal(err)
	}
	if d.Name() != "ubdc" || d.Spec.Serial != "SN-1" || d.Size() != 19*512 || !strings.Contains(said, "272 bytes") {
		t.Error(d.Name(), d.Size(), said)
	}
	if _, err := d.WriteAt(make([]byte, 1), 19*512); err != abi.EIO {
		t.Error(err)
	}
	if _, _, err := try(t, "d="+path); !errors.Is(err, abi.EAGAIN) || !strings.Contains(err.Error(), "ubdd: ") {
		t.Error("a second writer:", err)
	}
	if _, said, err := try(t, "dc="+path); err != nil || !strings.Contains(said, "Not locking \""+path+"\" on the host") {
		t.Error(said, err)
	}
	d.Close()
	if d, _, err := try(t, "er="+path); err != nil || !d.ReadOnly() {
		t.Error(err)
	}
	if _, _, err := try(t, "e="); !errors.Is(err, abi.ENXIO) {
		t.Error(err)
	}
	if _, _, err := try(t, "e="+path+".none"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestOpenReadOnlyFile: what may not be written is opened for reading, as UML does.
func TestOpenReadOnlyFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everything")
	}
	path := file(t, "disk", make([]byte, 512))
	os.Chmod(path, 0o444)
	if d, _, err := try(t, "a="+path); err != nil || !d.ReadOnly() {
		t.Error(err)
	}
}

func TestOpenCOW(t *testing.T) {
	base := file(t, "base", bytes.Repeat([]byte("base"), 4096))
	path := base + ".cow"
	if _, _, err := try(t, "0r="+path+","+base); !errors.Is(err, abi.ENOENT) {
		t.Error("made although read-only:", err)
	}
	d, said, err := try(t, "0="+path+","+base)
	if err != nil || !strings.Contains(said, "Creating \""+path+"\" as COW file for \""+base+"\"") {
		t.Fatal(said, err)
	}
	if _, ok := d.Whole().(*cow.Device); !ok {
		t.Error("no COW disk")
	}
	if _, err := d.WriteAt([]byte("mine"), 512); err != nil {
		t.Fatal(err)
	}
	// Another guest of the same base, at the same time.
	if other, _, err := try(t, "0="+path+"2:"+base); err != nil {
		t.Error(err)
	} else if got := make([]byte, 4); true {
		if _, err := other.ReadAt(got, 512); err != nil || string(got) != "base" {
			t.Error(string(got), err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// The header says enough; the base is found.
	again, _, err := try(t, "0="+path)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := again.ReadAt(got, 512); err != nil || string(got) != "mine" {
		t.Error(string(got), err)
	}
	again.Close()
	// d: the COW file's own bytes.
	raw, _, err := try(t, "0d="+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ReadAt(got, 0); err != nil || string(got) != "OOOM" {
		t.Error(string(got), err)
	}
	if _, ok := raw.Whole().(*block.File); !ok {
		t.Error("flag d gives a COW disk")
	}
}

// TestOpenBadCOW: what UML would use as a raw disk is refused.
func TestOpenBadCOW(t *testing.T) {
	bad := file(t, "bad", append([]byte("OOOM\x00\x00\x00\x07"), make([]byte, 8192)...))
	if _, _, err := try(t, "0="+bad); err == nil || !strings.Contains(err.Error(), "version 7") {
		t.Error(err)
	}
	if _, _, err := try(t, "0d="+bad); err != nil {
		t.Error(err)
	}
	raw := file(t, "raw", make([]byte, 8192))
	base := file(t, "base", make([]byte, 8192))
	if _, _, err := try(t, "0="+raw+","+base); !errors.Is(err, abi.EINVAL) || !strings.Contains(err.Error(), "no COW file") {
		t.Error(err)
	}
	if _, _, err := try(t, "0="+raw+".new,"+base+".none"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat(raw + ".new"); err == nil {
		t.Error("a COW file without base was made")
	}
}

// TestRescan: partitions of a disk over a COW file, changed from within.
func TestRescan(t *testing.T) {
	need.Program(t, "sfdisk")
	base := file(t, "base", make([]byte, 16<<20))
	table := func(script string) []byte {
		t.Helper()
		path := file(t, "table", make([]byte, 16<<20))
		cmd := exec.Command("sfdisk", "-q", path)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(string(out))
		}
		b, _ := os.ReadFile(path)
		return b[:4096]
	}
	d, _, err := try(t, "0="+base+".cow,"+base)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := d.Register(bdev.NewTable())
	if err != nil {
		t.Fatal(err)
	}
	if disk.Partition(1) != nil {
		t.Error("a partition of nothing")
	}
	if _, err := d.WriteAt(table("label: dos\nstart=63, size=1000\nsize=2MiB\n"), 0); err != nil {
		t.Fatal(err)
	}
	if err := disk.Rescan(nil); err != nil || len(disk.Partitions()) != 2 {
		t.Fatal(disk.Partitions(), err)
	}
	p := disk.Partition(1)
	if p == nil || p.Name() != "ubda1" || p.Size() != 1000*512 || p.Start() != 63*512 || p.Dev() != abi.Makedev(98, 1) {
		t.Fatal(p)
	}
	if _, err := p.WriteAt([]byte("in"), 0); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Locate(0, 512); err != nil || !r.Writable || r.Off%4096 != 63*512%4096 {
		t.Error(r, err)
	}
	got := make([]byte, 2)
	if _, err := d.ReadAt(got, 63*512); err != nil || string(got) != "in" {
		t.Error(string(got), err)
	}
	if _, err := d.WriteAt(table("label: dos\nstart=63, size=1000\n"), 0); err != nil {
		t.Fatal(err)
	}
	if err := disk.Rescan(nil); err != nil || len(disk.Partitions()) != 1 {
		t.Errorf("%v %v", disk.Partitions(), err)
	}
}

// TestGuestCannotMakeCOW: no sequence of writes makes a raw disk a COW file that
// shows the guest a file of the host's at its next boot.
func TestGuestCannotMakeCOW(t *testing.T) {
	secret := file(t, "secret", bytes.Repeat([]byte("secret.."), 64))
	path := file(t, "disk", make([]byte, 1<<20))
	h, err := cow.HeaderFor(secret)
	if err != nil {
		t.Fatal(err)
	}
	v3, _ := h.Encode()
	h.Version = 1
	v1, _ := h.Encode()
	d, said, err := try(t, "0="+path)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range [][]byte{v3, v1, append([]byte("MOOO"), v1[4:]...)} {
		for _, step := range []int{len(raw), 3, 2, 1} {
			d.WriteZeroes(0, 8192)
			for at := len(raw); at > 0; { // from the end, which is slyer
				n := min(step, at)
				at -= n
				if _, err := d.WriteAt(raw[at:at+n], int64(at)); err != nil && err != abi.EPERM {
					t.Fatal(err)
				}
			}
			if _, err := cow.ReadHeader(path); err == nil {
				t.Fatalf("%d bytes at a time, the disk became a COW file", step)
			}
		}
	}
	if r, err := d.Locate(0, 4096); err != nil || r.Writable {
		t.Error("the first page can be mapped for writing", r, err)
	}
	if r, err := d.Locate(128<<10, 4096); err != nil || !r.Writable {
		t.Error(r, err)
	}
	if _, err := d.WriteAt([]byte("anything else"), 0); err != nil {
		t.Error(err)
	}
	d.Close()
	if said != "" {
		t.Error("said before it happened:", said)
	}
	// With flag d the user says what it is, and so does every later boot.
	if d, _, err = try(t, "0d="+path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.WriteAt(v3, 0); err != nil {
		t.Error(err)
	}
}
