// SPDX-License-Identifier: Apache-2.0

package block_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/blocktest"
)

func open(t *testing.T, path string, opt block.Options) *block.File {
	t.Helper()
	f, err := block.OpenFile(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func image(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	f, err := block.CreateFile(path, size, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileReadWrite(t *testing.T) {
	f := open(t, image(t, 1<<20), block.Options{})
	want := bytes.Repeat([]byte("sector"), 100)
	if n, err := f.WriteAt(want, 4000); n != len(want) || err != nil {
		t.Fatal(n, err)
	}
	got := make([]byte, len(want))
	if n, err := f.ReadAt(got, 4000); n != len(want) || err != nil || !bytes.Equal(got, want) {
		t.Fatal(n, err)
	}
	for _, off := range []int64{-1, 1<<20 - 1, 1 << 20, 1 << 62} {
		if _, err := f.ReadAt(got, off); err != abi.EIO {
			t.Errorf("read at %d: %v", off, err)
		}
		if _, err := f.WriteAt(got, off); err != abi.EIO {
			t.Errorf("write at %d: %v", off, err)
		}
		if err := f.Discard(off, 100); err != abi.EIO {
			t.Errorf("discard at %d: %v", off, err)
		}
		if err := f.WriteZeroes(off, 100); err != abi.EIO {
			t.Errorf("zero at %d: %v", off, err)
		}
	}
	if err := f.Flush(); err != nil {
		t.Error(err)
	}
}

// TestFileCutShort: the host file became shorter under the disk.
func TestFileCutShort(t *testing.T) {
	path := image(t, 1<<20)
	f := open(t, path, block.Options{})
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if n, err := f.ReadAt(make([]byte, 2000), 0); n != 1000 || err != abi.EIO {
		t.Error(n, err)
	}
}

// TestFileHoles: what is discarded or zeroed reads as zeroes and the discarded
// part takes no room on the host.
func TestFileHoles(t *testing.T) {
	const size = 1 << 20
	path := image(t, size)
	f := open(t, path, block.Options{})
	if _, n, err := f.NextData(0); n != 0 || err != nil {
		t.Fatal("a new image is no hole:", n, err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{7}, size), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Discard(64<<10, 128<<10); err != nil {
		t.Skip("no holes here:", err)
	}
	if err := block.WriteZeroes(f, 512<<10, 4096); err != nil {
		t.Fatal(err)
	}
	start, n, err := f.NextData(0)
	if start != 0 || n != 64<<10 || err != nil {
		t.Error(start, n, err)
	}
	start, _, err = f.NextData(64 << 10)
	if start != 192<<10 || err != nil {
		t.Error(start, err)
	}
	got := make([]byte, size)
	if _, err := f.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	for i, c := range got {
		hole := i >= 64<<10 && i < 192<<10 || i >= 512<<10 && i < 516<<10
		if hole != (c == 0) {
			t.Fatalf("byte %d is %d", i, c)
		}
	}
}

func TestFileRefusals(t *testing.T) {
	path := image(t, 8192)
	r := open(t, path, block.Options{ReadOnly: true, NoTrim: true})
	if _, err := r.WriteAt([]byte{1}, 0); err != abi.EROFS {
		t.Error(err)
	}
	if err := r.Discard(0, 512); err != abi.EROFS {
		t.Error(err)
	}
	if _, err := block.OpenFile(path+".none", block.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := block.OpenFile("/dev/null", block.Options{}); !errors.Is(err, abi.EINVAL) {
		t.Error(err)
	}
	if _, err := block.CreateFile(path, 1, block.Options{}); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	r.Close()
	n := open(t, path, block.Options{NoTrim: true})
	if err := n.Discard(0, 512); err != abi.EOPNOTSUPP || n.CanDiscard() {
		t.Error(err, n.CanDiscard())
	}
}

// TestLocks is UML's table: whoever writes is alone.
func TestLocks(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second block.Options
		ok            bool
	}{
		{"two writers", block.Options{}, block.Options{}, false},
		{"writer, reader", block.Options{}, block.Options{ReadOnly: true}, false},
		{"reader, writer", block.Options{ReadOnly: true}, block.Options{}, false},
		{"readers", block.Options{ReadOnly: true}, block.Options{ReadOnly: true}, true},
		{"writer, shared writer", block.Options{}, block.Options{Shared: true}, true},
		{"shared writer, writer", block.Options{Shared: true}, block.Options{}, true},
	} {
		path := image(t, 8192)
		a := open(t, path, c.first)
		b, err := block.OpenFile(path, c.second)
		var locked *block.LockedError
		if c.ok != (err == nil) || !c.ok && !errors.As(err, &locked) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			b.Close()
		} else if !strings.Contains(err.Error(), path) || !errors.Is(err, abi.EAGAIN) {
			t.Errorf("%s: %v", c.name, err)
		}
		a.Close()
		if b, err = block.OpenFile(path, block.Options{}); err != nil {
			t.Errorf("%s: the lock stayed: %v", c.name, err)
		} else {
			b.Close()
		}
	}
}

// TestLockAgainstUML: POSIX locks, as UML takes them, count, and their holder is
// told. This program, started again, takes one.
func TestLockAgainstUML(t *testing.T) {
	if path := os.Getenv("BLOCK_TEST_LOCK"); path != "" {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK})
		}
		fmt.Println("held:", err)
		io.Copy(io.Discard, os.Stdin)
		return
	}
	path := image(t, 8192)
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockAgainstUML$")
	cmd.Env = append(os.Environ(), "BLOCK_TEST_LOCK="+path)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	const held = "held: <nil>"
	if b := make([]byte, len(held)); true {
		if _, err := io.ReadFull(out, b); err != nil || string(b) != held {
			t.Fatalf("%q %v", b, err)
		}
	}
	_, err := block.OpenFile(path, block.Options{})
	var locked *block.LockedError
	if !errors.As(err, &locked) || locked.Holder != cmd.Process.Pid {
		t.Error(err)
	}
}

func TestSection(t *testing.T) {
	path := image(t, 1<<20)
	f := open(t, path, block.Options{})
	s := block.NewSection(f, 63*512, 100*512)
	if _, err := s.WriteAt([]byte("hello"), 10); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := f.ReadAt(got, 63*512+10); err != nil || string(got) != "hello" {
		t.Error(string(got), err)
	}
	if _, err := s.WriteAt(got, 100*512-4); err != abi.EIO {
		t.Error("beyond the end:", err)
	}
	r, err := s.Locate(512, 1<<20)
	if err != nil || r.FD != f.FD() || r.Off != 64*512 || r.Len != 99*512 || !r.Writable {
		t.Error(r, err)
	}
	if err := s.WriteZeroes(0, 512); err != nil {
		t.Error(err)
	}
	if err := s.Discard(99*512, 1024); err != abi.EIO {
		t.Error(err)
	}
	if start, n, err := s.NextData(0); err != nil || n > s.Size()-start {
		t.Error(start, n, err)
	}
	if cut := block.NewSection(f, 1<<20-512, 4096); cut.Size() != 512 {
		t.Error(cut.Size())
	}
	if out := block.NewSection(f, 1<<21, 4096); out.Size() != 0 {
		t.Error(out.Size())
	}
}

// TestFallbacks: what a device without abilities does.
func TestFallbacks(t *testing.T) {
	type plain struct{ block.Device } // hides the abilities
	m := blocktest.NewMem(bytes.Repeat([]byte{9}, 1<<17))
	d := plain{m}
	if err := block.WriteZeroes(d, 100, 100<<10); err != nil {
		t.Fatal(err)
	}
	for i, c := range m.Bytes() {
		if (i >= 100 && i < 100+100<<10) != (c == 0) {
			t.Fatal(i, c)
		}
	}
	if err := block.Discard(d, 0, 512); err != abi.EOPNOTSUPP {
		t.Error(err)
	}
	if _, err := block.Locate(d, 0, 512); err != abi.EOPNOTSUPP {
		t.Error(err)
	}
	if start, n, err := block.NextData(d, 512); start != 512 || n != 1<<17-512 || err != nil {
		t.Error(start, n, err)
	}
	if block.Flush(d) != nil || block.ReadOnly(d) || block.Own(d, 0, 1) != nil || block.Close(d) != nil {
		t.Error("defaults")
	}
}

func TestFileDoesNotAllocate(t *testing.T) {
	f := open(t, image(t, 1<<20), block.Options{})
	var d block.Device = block.NewSection(f, 512, 1<<19)
	buf := make([]byte, 4096)
	if n := testing.AllocsPerRun(100, func() {
		d.WriteAt(buf, 8192)
		d.ReadAt(buf, 8192)
		block.Locate(d, 8192, 4096)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
