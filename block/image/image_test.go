// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
	"lodger/internal/need"
)

const size = 3<<20 + 512

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i/512*3 + i%253 + 1)
	}
	return b
}

// lab is a base, a COW file over it, and what the disk should hold.
type lab struct {
	t               *testing.T
	dir, base, path string
	want            []byte
}

func newLab(t *testing.T) *lab {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t, dir, filepath.Join(dir, "base"), filepath.Join(dir, "cow"), pattern(size)}
	l.ok(os.WriteFile(l.base, l.want, 0o644))
	l.ok(CreateCOW(l.path, l.base))
	l.write([]byte("first"), 0)
	l.write([]byte("middle"), 1<<20+300)
	l.write([]byte("last"), size-4)
	return l
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) write(p []byte, off int64) {
	l.t.Helper()
	d, err := cow.Open(l.path, cow.Config{})
	l.ok(err)
	_, err = d.WriteAt(p, off)
	l.ok(err)
	l.ok(d.Close())
	copy(l.want[off:], p)
}

func (l *lab) check(what string) {
	l.t.Helper()
	d, err := openAny(l.path)
	if err != nil {
		l.t.Fatal(what, err)
	}
	defer block.Close(d)
	got := make([]byte, d.Size())
	if _, err := d.ReadAt(got, 0); err != nil || !bytes.Equal(got, l.want) {
		l.t.Errorf("%s: another content, %v", what, err)
	}
}

func (l *lab) file(name string) []byte {
	l.t.Helper()
	b, err := os.ReadFile(name)
	l.ok(err)
	return b
}

// watch checks progress: it grows and ends at its total.
type watch struct{ done, total, calls int64 }

func (w *watch) tell(t *testing.T) Progress {
	return func(done, total int64) {
		if done < w.done || done > total {
			t.Errorf("progress from %d to %d of %d", w.done, done, total)
		}
		w.done, w.total = done, total
		w.calls++
	}
}

func (w *watch) ended(t *testing.T) {
	t.Helper()
	if w.calls == 0 || w.done != w.total {
		t.Errorf("progress ended at %d of %d", w.done, w.total)
	}
}

func TestCreateRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := CreateRaw(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	i, err := Inspect(path)
	if err != nil || i.Format != "raw" || i.Size != 1<<40 || i.Allocated > 1<<20 {
		t.Errorf("%+v %v", i, err)
	}
	if err := CreateRaw(path, 512); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	for _, n := range []int64{-512, 513} {
		if err := CreateRaw(path+"2", n); !errors.Is(err, abi.EINVAL) {
			t.Error(err)
		}
	}
}

func TestInspect(t *testing.T) {
	l := newLab(t)
	i, err := Inspect(l.path)
	if err != nil || i.Format != "cow" || i.Size != size || i.Header.Backing != l.base || i.BaseState != nil || i.Owned != 2*64<<10+512 {
		t.Errorf("%+v %v", i, err)
	}
	then := time.Unix(1, 0)
	l.ok(os.Chtimes(l.base, then, then))
	var m *cow.MismatchError
	if i, err = Inspect(l.path); err != nil || !errors.As(i.BaseState, &m) {
		t.Errorf("%+v %v", i, err)
	}
	os.Remove(l.base)
	if i, err = Inspect(l.path); err != nil || !errors.Is(i.BaseState, os.ErrNotExist) {
		t.Errorf("%+v %v", i, err)
	}
}

func TestCommit(t *testing.T) {
	for _, version := range []int{1, 2, 3} {
		l := newLab(t)
		if version < 3 {
			h, err := cow.HeaderFor(l.base)
			l.ok(err)
			h.Version = version
			raw, err := h.Encode()
			l.ok(err)
			l.ok(os.WriteFile(l.path, append(raw, make([]byte, h.FileSize()-int64(len(raw)))...), 0o644))
			l.want = pattern(size)
			l.write([]byte("first"), 0)
		}
		var w watch
		l.ok(Commit(context.Background(), l.path, w.tell(t)))
		w.ended(t)
		if !bytes.Equal(l.file(l.base), l.want) {
			t.Errorf("version %d: the base is something else", version)
		}
		l.check("after")
		i, err := Inspect(l.path)
		if err != nil || i.Owned != 0 || i.BaseState != nil || i.Allocated > 64<<10 || i.Header.Version != version {
			t.Errorf("version %d: %+v %v", version, i, err)
		}
		l.write([]byte("again"), 5000)
		l.check("written again")
	}
}

// TestCommitInterrupted: a commit that was cut leaves a disk that no guest opens,
// and the next call finishes it.
func TestCommitInterrupted(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(context.Background())
	err := Commit(ctx, l.path, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// The base has changed, and its time with it.
	now := time.Unix(1700000000, 0)
	l.ok(os.Chtimes(l.base, now, now))
	if _, err := cow.Open(l.path, cow.Config{}); !errors.Is(err, abi.EBUSY) || !strings.Contains(err.Error(), "lodger disk commit") {
		t.Error(err)
	}
	if err := Rebase(context.Background(), l.path, l.base, true, nil); !errors.Is(err, abi.EBUSY) {
		t.Error(err)
	}
	if r, err := Check(l.path, nil); err != nil || len(r.Problems) != 2 {
		t.Errorf("%+v %v", r, err)
	}
	l.ok(Commit(context.Background(), l.path, nil))
	if !bytes.Equal(l.file(l.base), l.want) {
		t.Error("the base is something else")
	}
	l.check("after")
}

func TestCommitRefusals(t *testing.T) {
	l := newLab(t)
	reader, err := block.OpenFile(l.base, block.Options{ReadOnly: true}) // as another guest
	l.ok(err)
	var locked *block.LockedError
	if err := Commit(context.Background(), l.path, nil); !errors.As(err, &locked) || locked.Path != l.base {
		t.Error(err)
	}
	reader.Close()
	then := time.Unix(5, 0)
	l.ok(os.Chtimes(l.base, then, then))
	var m *cow.MismatchError
	if err := Commit(context.Background(), l.path, nil); !errors.As(err, &m) {
		t.Error(err)
	}
	if err := Commit(context.Background(), l.base, nil); !errors.Is(err, cow.ErrNotCOW) {
		t.Error(err)
	}
	if _, err := os.Stat(cow.Marker(l.path)); err == nil {
		t.Error("a refused commit is marked as begun")
	}
}

func TestRebase(t *testing.T) {
	l := newLab(t)
	other := filepath.Join(l.dir, "other")
	b := pattern(size)
	for i := 2 << 20; i < 2<<20+100; i++ {
		b[i] ^= 0xff
	}
	l.ok(os.WriteFile(other, b, 0o644))
	before, _ := Inspect(l.path)
	var w watch
	l.ok(Rebase(context.Background(), l.path, other, false, w.tell(t)))
	w.ended(t)
	l.check("rebased")
	i, err := Inspect(l.path)
	if err != nil || i.Header.Backing != other || i.Owned != before.Owned+64<<10 {
		t.Errorf("%+v %v", i, err)
	}
	os.Remove(l.base) // nobody needs it
	l.check("without the old base")

	// A touched base: the safe way refuses, the other mends.
	then := time.Unix(99, 0)
	l.ok(os.Chtimes(other, then, then))
	if err := Rebase(context.Background(), l.path, other, false, nil); err == nil || !strings.Contains(err.Error(), "mtime") {
		t.Error(err)
	}
	l.ok(Rebase(context.Background(), l.path, other, true, nil))
	l.check("mended")

	small := filepath.Join(l.dir, "small")
	l.ok(CreateRaw(small, 512))
	if err := Rebase(context.Background(), l.path, small, true, nil); !errors.Is(err, abi.EINVAL) || !strings.Contains(err.Error(), "convert") {
		t.Error(err)
	}
}

func TestConvert(t *testing.T) {
	l := newLab(t)
	flat, back := filepath.Join(l.dir, "flat"), filepath.Join(l.dir, "back")
	var w watch
	l.ok(Convert(context.Background(), l.path, flat, "", w.tell(t)))
	w.ended(t)
	if !bytes.Equal(l.file(flat), l.want) {
		t.Error("flattened to something else")
	}
	w = watch{}
	l.ok(Convert(context.Background(), flat, back, l.base, w.tell(t)))
	w.ended(t)
	if i, err := Inspect(back); err != nil || i.Owned != 2*64<<10+512 {
		t.Errorf("%+v %v", i, err)
	}
	l.path = back
	l.check("raw to COW")
	if err := Convert(context.Background(), back, flat, "", nil); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	small := filepath.Join(l.dir, "small")
	l.ok(CreateRaw(small, 512))
	if err := Convert(context.Background(), flat, back+"2", small, nil); !errors.Is(err, abi.EINVAL) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Convert(ctx, flat, back+"2", "", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(back + "2"); err == nil {
		t.Error("a failed conversion left its file")
	}
}

// TestConvertSparse: holes of raw images and of bases stay holes.
func TestConvertSparse(t *testing.T) {
	dir := t.TempDir()
	base, path, flat := filepath.Join(dir, "base"), filepath.Join(dir, "cow"), filepath.Join(dir, "flat")
	for _, err := range []error{CreateRaw(base, 1<<32), CreateCOW(path, base)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := cow.Open(path, cow.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d.WriteAt([]byte("x"), 3<<30)
	d.Close()
	if err := Convert(context.Background(), path, flat, "", nil); err != nil {
		t.Fatal(err)
	}
	i, err := Inspect(flat)
	if err != nil || i.Size != 1<<32 || i.Allocated > 64<<10 {
		t.Errorf("%+v %v", i, err)
	}
}

func TestCheck(t *testing.T) {
	l := newLab(t)
	var w watch
	if r, err := Check(l.path, w.tell(t)); err != nil || len(r.Problems)+len(r.Notes) > 0 || r.Loose != 0 {
		t.Errorf("%+v %v", r, err)
	}
	w.ended(t)
	poke := func(off int64, b ...byte) {
		t.Helper()
		f, err := os.OpenFile(l.path, os.O_RDWR, 0)
		l.ok(err)
		_, err = f.WriteAt(b, off)
		l.ok(errors.Join(err, f.Close()))
	}
	lay := func() cow.Layout { i, err := Inspect(l.path); l.ok(err); return i.Layout }()
	for _, c := range []struct {
		name, problem, note string
		spoil               func()
	}{
		{"loose data", "", "data without bits", func() { poke(lay.DataOffset+2<<20, 1) }},
		{"stray bits", "", "behind the last", func() { poke(lay.BitmapOffset+lay.BitmapLen-1, 0xff) }},
		{"cut", "beyond the file's end", "the file has", func() { l.ok(os.Truncate(l.path, lay.DataOffset+size-512)) }},
		{"base gone", "base: ", "", func() { os.Remove(l.base) }},
		{"bitmap gone", "within its bitmap", "", func() { l.ok(os.Truncate(l.path, lay.BitmapOffset+1)) }},
		{"align 0", "alignment of 0", "", func() { poke(24, 0, 0, 0, 0) }},
	} {
		c.spoil()
		r, err := Check(l.path, nil)
		if p, n := strings.Join(r.Problems, "\n"), strings.Join(r.Notes, "\n"); err != nil || !strings.Contains(p, c.problem) || !strings.Contains(n, c.note) ||
			(c.problem == "") != (p == "") {
			t.Errorf("%s: %+v %v", c.name, r, err)
		}
	}
}

// TestLikeMoo: uml_moo and Convert flatten a COW file in the same way.
func TestLikeMoo(t *testing.T) {
	need.Program(t, "uml_moo")
	l := newLab(t)
	theirs, ours := filepath.Join(l.dir, "theirs"), filepath.Join(l.dir, "ours")
	if out, err := exec.Command("uml_moo", l.path, theirs).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	l.ok(Convert(context.Background(), l.path, ours, "", nil))
	if !bytes.Equal(l.file(theirs), l.file(ours)) {
		t.Error("uml_moo makes another disk")
	}
}

// TestNoHeaderFromGuest: a guest's bytes never become the header of a raw image.
func TestNoHeaderFromGuest(t *testing.T) {
	l := newLab(t)
	l.write([]byte("OOOM\x00\x00\x00\x03"), 0)
	if err := Commit(context.Background(), l.path, nil); !errors.Is(err, abi.EPERM) {
		t.Error(err)
	}
	flat := filepath.Join(l.dir, "flat")
	if err := Convert(context.Background(), l.path, flat, "", nil); !errors.Is(err, abi.EPERM) {
		t.Error(err)
	}
	for _, name := range []string{flat, cow.Marker(l.path)} {
		if _, err := os.Stat(name); err == nil {
			t.Error(name, "was made")
		}
	}
	l.check("after")
}
