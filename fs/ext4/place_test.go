// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
)

// hostDisk is a Device in a host file, which can tell where its bytes lie.
type hostDisk struct {
	*os.File
	size int64
}

func (d *hostDisk) Size() int64  { return d.size }
func (d *hostDisk) Flush() error { return d.Sync() }

func (d *hostDisk) HostRange(off, length int64, _ bool) (int, int64, int64, bool) {
	return int(d.Fd()), off, length, true
}

// TestDirectMap: whole pages in one run are mapped from the image, and
// holes from a copy, whose stores are written back.
func TestDirectMap(t *testing.T) {
	img := filepath.Join(t.TempDir(), "img")
	if err := os.WriteFile(img, mkfs(t, "8M", "-t", "ext4", "-b", "4096").data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(img, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &hostDisk{f, 8 << 20}
	sb, err := ext4.New(fs.New(0), d, ext4.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, sb.VFS, sb)
	e.Write("/f", string(bytes.Repeat([]byte("0123456789abcdef"), 2050)))
	h, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	fd, off, err := h.MapFD(4096, 8192, true, true, false)
	e.Must(err)
	if fd != int(f.Fd()) || off%4096 != 0 {
		t.Errorf("not mapped from the image: %d %d", fd, off)
	}
	p := make([]byte, 16)
	if _, err := f.ReadAt(p, off); err != nil || string(p) != "0123456789abcdef" {
		t.Errorf("%q at the place of the mapping", p)
	}
	fd, off, err = h.MapFD(32768, 4096, true, true, false)
	e.Must(err)
	if fd != int(f.Fd()) {
		t.Errorf("the tail is not mapped from the image")
	}
	if _, err := syscall.Pwrite(fd, []byte("junk"), off+100); err != nil { // behind the end
		t.Fatal(err)
	}
	e.Must(h.Truncate(e.Ctx, 40000))
	if s := e.Read("/f"); s[32868:32872] != "\x00\x00\x00\x00" {
		t.Error("what was stored behind the end shows")
	}
	fd, off, err = h.MapFD(36864, 4096, true, true, false)
	e.Must(err)
	if fd == int(f.Fd()) || off != 36864 {
		t.Errorf("a hole is mapped from the image")
	}
	if _, err := syscall.Pwrite(fd, []byte("STORED"), off); err != nil { // as a mapping would
		t.Fatal(err)
	}
	if e.Read("/f")[36864:36870] != "STORED" {
		t.Error("a store is not read")
	}
	h.DecRef()
	if e.Read("/f")[36864:36870] != "STORED" {
		t.Error("a store is lost at the last close")
	}
	if err := sb.Ops.(*ext4.FS).Close(); err != nil {
		t.Error(err)
	}
	b, _ := os.ReadFile(img)
	fsck(t, &disk{data: b})
}

// TestContiguous: files that grow in turns stay in few runs.
func TestContiguous(t *testing.T) {
	for _, k := range []kind{kinds()[0], kinds()[3], kinds()[4]} {
		d := mkfs(t, "64M", k.args...)
		v, sb := mount(t, d, ext4.Options{})
		e := env(t, v, sb)
		var files []*fs.File
		for _, n := range []string{"/a", "/b", "/c"} {
			f, err := e.Open(n, abi.O_CREAT|abi.O_WRONLY, 0o600)
			e.Must(err)
			files = append(files, f)
		}
		for range 1000 {
			for _, f := range files {
				_, err := f.Write(e.Ctx, make([]byte, 4096))
				e.Must(err)
			}
		}
		for _, f := range files {
			runs := 0
			e.Must(f.Ops().(interface {
				Runs(func(ext4.Run) bool) error
			}).Runs(func(ext4.Run) bool { runs++; return true }))
			t.Logf("%s: %d runs", k.name, runs)
			if runs > 16 {
				t.Errorf("%s: %d runs", k.name, runs)
			}
			f.DecRef()
		}
		closed(t, sb, d)
	}
}

// TestAlignment: a file written in large requests lies in the image as its pages lie in
// the file, so that the host maps it in large pages.
func TestAlignment(t *testing.T) {
	e := fstest.New(t, maker(kind{"aligned", []string{"-t", "ext4", "-b", "4096"}}, "64M"))
	for n := range 5 { // small ones push the next file's goal off the boundary
		e.Write(fmt.Sprintf("/small%d", n), "x")
		name := fmt.Sprintf("/large%d", n)
		f, err := e.Open(name, abi.O_CREAT|abi.O_RDWR, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		buf := bytes.Repeat([]byte("large"), 128<<10/5+1)[:128<<10]
		for off := range 16 {
			if _, err := f.Pwrite(e.Ctx, buf, int64(off*len(buf))); err != nil {
				t.Fatal(err)
			}
		}
		r, ok := f.Ops().(interface {
			Runs(emit func(ext4.Run) bool) error
		})
		if !ok {
			t.Fatal("no Runs")
		}
		if err := r.Runs(func(r ext4.Run) bool {
			if (r.Physical-r.Logical)%32 != 0 {
				t.Errorf("%s: block %d lies at %d", name, r.Logical, r.Physical)
			}
			return true
		}); err != nil {
			t.Error(err)
		}
		f.DecRef()
	}
}
