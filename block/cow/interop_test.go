// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/abi"
	"lodger/block"
	"lodger/internal/need"
)

// run runs a program in dir and gives its output; ok says whether it succeeded.
func run(t *testing.T, dir, name string, args ...string) (out string, ok bool) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	b, err := cmd.CombinedOutput()
	return string(b), err == nil
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCreateLikeMkcow: the same bytes and the same size as uml_mkcow's, with
// absolute, relative and linked names.
func TestCreateLikeMkcow(t *testing.T) {
	need.Program(t, "uml_mkcow")
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(top, "images")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Symlink("images", filepath.Join(top, "dirlink")), os.Symlink("base", filepath.Join(sub, "link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(top)
	for _, size := range []int64{0, 1, 511, 512, 4096, 1000000, 1000100, 16 << 20, 128<<20 + 512} {
		write(t, "images/base", nil)
		if err := os.Truncate("images/base", size); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"images/base", "images/link", "dirlink/base", filepath.Join(sub, "base"), "./images/../images/base"} {
			os.Remove("theirs")
			os.Remove("ours")
			if out, ok := run(t, top, "uml_mkcow", "theirs", name); !ok {
				t.Fatal(name, out)
			}
			f, _, err := Create("ours", name, block.Options{})
			if err != nil {
				t.Fatal(name, err)
			}
			f.Close()
			if a, b := read(t, "theirs"), read(t, "ours"); !bytes.Equal(a, b) {
				t.Errorf("size %d, base %s: %d and %d bytes that differ", size, name, len(a), len(b))
			}
		}
	}
	st, err := os.Stat("ours")
	if err != nil || st.Mode().Perm() != 0o644 {
		t.Error(st.Mode(), err)
	}
	if _, _, err := Create("ours", "images/base", block.Options{}); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
}

// TestTheyReadOurs: uml_moo merges what we wrote, of every version; its raw output
// ends after the last sector that is not zero, so the disk's is not.
func TestTheyReadOurs(t *testing.T) {
	need.Program(t, "uml_moo")
	const size = 1 << 20
	for name, h := range samples() {
		if name == "v1 big" {
			continue // only on big-endian hosts
		}
		dir := t.TempDir()
		base, path := filepath.Join(dir, "base"), filepath.Join(dir, "cow")
		write(t, base, pattern(size))
		if err := h.SetBacking(base); err != nil {
			t.Fatal(err)
		}
		write(t, path, fresh(t, h))
		d, err := Open(path, Config{})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, off := range []int64{0, 65536 - 512, 300000, size - 512} {
			if _, err := d.WriteAt(bytes.Repeat([]byte{0xc0, 0xee}, 256), off); err != nil {
				t.Fatal(name, err)
			}
		}
		want := content(t, d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if out, ok := run(t, dir, "uml_moo", "cow", "merged"); !ok {
			t.Error(name, out)
		} else if !bytes.Equal(read(t, filepath.Join(dir, "merged")), want) {
			t.Errorf("%s: merged by uml_moo, it is another disk", name)
		}
		if out, ok := run(t, dir, "uml_moo", "-d", "cow"); !ok {
			t.Error(name, out)
		} else if !bytes.Equal(read(t, base), want) {
			t.Errorf("%s: merged in place by uml_moo, it is another disk", name)
		}
	}
}

// TestWeReadTheirs: a file of uml_mkcow with sectors and bits put in by hand, as
// UML does.
func TestWeReadTheirs(t *testing.T) {
	need.Program(t, "uml_mkcow")
	const size = 300*512 + 100
	dir := t.TempDir()
	write(t, filepath.Join(dir, "base"), pattern(size))
	if out, ok := run(t, dir, "uml_mkcow", "cow", "base"); !ok {
		t.Fatal(out)
	}
	path := filepath.Join(dir, "cow")
	raw, want := read(t, path), pattern(size)
	for _, s := range []int{0, 7, 8, 100, 299, 300} {
		sector := bytes.Repeat([]byte{byte(200 + s%8)}, min(512, size-s*512))
		copy(raw[12288+s*512:], sector)
		copy(want[s*512:], sector)
		raw[8192+s/8] |= 1 << (s % 8)
	}
	write(t, path, raw)
	d, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !bytes.Equal(content(t, d), want) {
		t.Error("content differs")
	}
	if d.Owned() != 6 {
		t.Error(d.Owned())
	}
}

func made(t *testing.T) (base, path string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	base, path = filepath.Join(dir, "base"), filepath.Join(dir, "cow")
	write(t, base, pattern(1<<20))
	f, _, err := Create(path, base, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return base, path
}

func TestMismatch(t *testing.T) {
	base, path := made(t)
	then := time.Unix(1600000000, 5)
	if err := os.Chtimes(base, then, then); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Config{})
	var m *MismatchError
	if !errors.As(err, &m) || m.What != "mtime" || m.Base != 1600000000 || m.Path != path || !errors.Is(err, abi.EINVAL) {
		t.Fatal(err)
	}
	for _, part := range []string{"mtime mismatch (", "of COW header vs backing file", "rebase --unsafe"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	d, err := Open(path, Config{AnyMtime: true})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if err := os.Truncate(base, 1<<20-512); err != nil {
		t.Fatal(err)
	}
	if _, err = Open(path, Config{AnyMtime: true}); !errors.As(err, &m) || m.What != "size" {
		t.Error(err)
	}
	os.Remove(base)
	if _, err = Open(path, Config{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), base) {
		t.Error(err)
	}
}

// TestChoice: which base is used when the user names one.
func TestChoice(t *testing.T) {
	base, path := made(t)
	dir := filepath.Dir(base)
	open := func(name string) (backing string, warned string) {
		t.Helper()
		d, err := Open(path, Config{Base: name, Warn: func(s string) { warned += s + "\n" }})
		if err != nil {
			t.Fatal(name, err)
		}
		defer d.Close()
		h, err := ReadHeader(path)
		if err != nil || h.Backing != d.Header().Backing {
			t.Error(h.Backing, d.Header().Backing, err)
		}
		return h.Backing, warned
	}
	link, other, wrong := filepath.Join(dir, "link"), filepath.Join(dir, "other"), filepath.Join(dir, "wrong")
	if err := os.Link(base, link); err != nil {
		t.Fatal(err)
	}
	st, _ := os.Stat(base)
	write(t, other, pattern(1<<20))
	os.Chtimes(other, st.ModTime(), st.ModTime())
	write(t, wrong, pattern(1<<20-512))
	for _, c := range []struct{ name, want, warn string }{
		{"", base, ""},
		{base, base, ""},
		{link, base, ""}, // the same file
		{wrong, base, "Backing file mismatch"},
		{other, other, "Switching backing file to '" + other},
		{"", other, ""}, // it stays
	} {
		if got, warned := open(c.name); got != c.want || (c.warn == "") != (warned == "") || !strings.Contains(warned, c.warn) {
			t.Errorf("%q: %s, %s", c.name, got, warned)
		}
	}
}

// TestSwitchOldVersion: switching the base of version 1 and 2 files leaves their
// bitmap alone, over which UML writes a version 3 header.
func TestSwitchOldVersion(t *testing.T) {
	for _, v := range []int{1, 2} {
		base, path := made(t)
		h := header(v, 1<<20)
		if err := h.SetBacking(base); err != nil {
			t.Fatal(err)
		}
		write(t, path, fresh(t, h))
		d, err := Open(path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		d.WriteAt([]byte("kept"), 0)
		d.Close()
		other := base + ".other"
		if err := os.Rename(base, other); err != nil {
			t.Fatal(err)
		}
		if d, err = Open(path, Config{Base: other}); err != nil {
			t.Fatal(err)
		}
		if got := content(t, d); string(got[:4]) != "kept" || d.Header().Version != v {
			t.Errorf("version %d: %q", d.Header().Version, got[:4])
		}
		d.Close()
	}
}

// TestBaseIsLocked: a base in use by COW files cannot be written, and the other
// way round.
func TestBaseIsLocked(t *testing.T) {
	base, path := made(t)
	d, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var locked *block.LockedError
	if _, err := block.OpenFile(base, block.Options{}); !errors.As(err, &locked) {
		t.Error(err)
	}
	if _, err := Open(path, Config{}); !errors.As(err, &locked) {
		t.Error("a second guest of one COW file:", err)
	}
	d.Close()
	w, err := block.OpenFile(base, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := Open(path, Config{}); !errors.As(err, &locked) || locked.Path != base {
		t.Error(err)
	}
}

// TestLocate: bytes are where Locate says, in the base and in the COW file.
func TestLocate(t *testing.T) {
	_, path := made(t)
	d, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.WriteAt([]byte("new"), 100<<10); err != nil {
		t.Fatal(err)
	}
	want := content(t, d)
	runs := 0
	for off := int64(0); off < d.Size(); runs++ {
		r, err := d.Locate(off, d.Size()-off)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, r.Len)
		f := d.base.(*block.File)
		if r.Writable {
			f = d.file.(*block.File)
		}
		if f.FD() != r.FD {
			t.Error("a descriptor of neither")
		}
		if _, err := f.ReadAt(got, r.Off); err != nil || !bytes.Equal(got, want[off:off+r.Len]) {
			t.Errorf("at %d: other bytes, %v", off, err)
		}
		if r.Off%4096 != 0 {
			t.Errorf("at %d: unaligned %d", off, r.Off)
		}
		off += r.Len
	}
	if runs != 3 {
		t.Error(runs)
	}
	if _, err := d.Locate(d.Size(), 1); err != abi.EIO {
		t.Error(err)
	}
}

func TestNoChains(t *testing.T) {
	_, path := made(t)
	if _, _, err := Create(path+"2", path, block.Options{}); err == nil || !strings.Contains(err.Error(), "COW file itself") {
		t.Error(err)
	}
}

// TestMapAcrossMove: what a mapper does. It maps the base, is told of the copy-up,
// maps the COW file, and sees what is written and read.
func TestMapAcrossMove(t *testing.T) {
	_, path := made(t)
	d, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const at = 132 << 10
	m := &mapper{t: t, d: d, at: at}
	m.remap()
	defer func() { syscall.Munmap(m.mem) }()
	defer d.Watch(m)()
	was := m.mem[0]
	if _, err := d.WriteAt([]byte("far away"), 0); err != nil || m.moved {
		t.Error("told of another run", err)
	}
	if _, err := d.WriteAt([]byte("beside"), at+4096); err != nil || !m.moved || !m.run.Writable {
		t.Error("not told", err)
	}
	if m.mem[0] != was {
		t.Error("the copy-up changed a byte")
	}
	copy(m.mem, "stored")
	got := make([]byte, 6)
	if _, err := d.ReadAt(got, at); err != nil || string(got) != "stored" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := d.WriteAt([]byte("written"), at); err != nil || string(m.mem[:7]) != "written" {
		t.Errorf("%q %v", m.mem[:7], err)
	}
}

// mapper keeps one page of a disk mapped.
type mapper struct {
	t     *testing.T
	d     *Device
	at    int64
	run   block.Run
	mem   []byte
	moved bool
}

func (m *mapper) remap() {
	r, err := m.d.Locate(m.at, 4096)
	if err != nil || r.Len != 4096 {
		m.t.Fatal(r, err)
	}
	prot := syscall.PROT_READ
	if r.Writable {
		prot |= syscall.PROT_WRITE
	}
	mem, err := syscall.Mmap(r.FD, r.Off, 4096, prot, syscall.MAP_SHARED)
	if err != nil {
		m.t.Fatal(err)
	}
	m.run, m.mem = r, mem
}

func (m *mapper) hit(off, n int64) bool { return off < m.at+4096 && m.at < off+n }

func (m *mapper) BeginMove(off, n int64) {
	if m.hit(off, n) {
		syscall.Munmap(m.mem)
		m.moved = true
	}
}

func (m *mapper) EndMove(off, n int64) {
	if m.hit(off, n) {
		m.remap()
	}
}
