// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/blocktest"
)

// pattern is a base whose sectors differ from each other.
func pattern(size int64) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i/512*7 + i%251 + 1)
	}
	return b
}

// fresh gives an empty COW file for a header, in memory.
func fresh(t testing.TB, h Header) []byte {
	t.Helper()
	raw, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, h.FileSize())
	copy(b, raw)
	return b
}

func header(version int, size int64) Header {
	h := samples()["v3"]
	switch version {
	case 1:
		h = samples()["v1 little"]
	case 2:
		h = samples()["v2"]
	}
	h.Size = size
	return h
}

func device(t testing.TB, h Header, file, base block.Device) *Device {
	t.Helper()
	d, err := New(file, base, h)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func content(t testing.TB, d block.Device) []byte {
	t.Helper()
	b := make([]byte, d.Size())
	if _, err := d.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRandomHistory compares a COW disk with plain memory over a random history,
// for every version, sector sizes and odd disk sizes, with reopening in between.
func TestRandomHistory(t *testing.T) {
	for _, c := range []struct {
		name       string
		version    int
		size, sect int64
	}{
		{"v1", 1, 1 << 20, 512}, {"v2", 2, 1 << 20, 512}, {"v3", 3, 1 << 20, 512},
		{"v3 partial sector", 3, 1<<20 + 100, 512}, {"v3 of 4 KiB", 3, 1 << 20, 4096},
		{"v3 odd", 3, 300*512 + 1, 512}, {"v3 of two bitmap pages", 3, 17 << 20, 512}, {"v3 tiny", 3, 700, 512},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			h := header(c.version, c.size)
			h.SectorSize = c.sect
			want := pattern(c.size)
			base := blocktest.NewMem(pattern(c.size))
			file := blocktest.NewMem(fresh(t, h))
			d := device(t, h, file, base)
			for i := range 300 {
				off := rng.Int64N(c.size)
				n := min(1+rng.Int64N(1<<uint(rng.IntN(18))), c.size-off)
				if rng.IntN(2) == 0 { // as a guest does
					off &^= 511
					n = min(roundUp(n, 512), c.size-off)
				}
				switch op := rng.IntN(10); {
				case op < 5:
					p := make([]byte, n)
					for j := range p {
						p[j] = byte(rng.Uint32())
					}
					if _, err := d.WriteAt(p, off); err != nil {
						t.Fatal(err)
					}
					copy(want[off:], p)
				case op < 6:
					if err := d.WriteZeroes(off, n); err != nil {
						t.Fatal(err)
					}
					clear(want[off : off+n])
				case op < 7:
					if err := d.Own(off, n); err != nil {
						t.Fatal(err)
					}
				case op < 8 && i%20 == 0:
					if err := d.Flush(); err != nil {
						t.Fatal(err)
					}
					d = device(t, h, file, base)
				default:
					p := make([]byte, n)
					if _, err := d.ReadAt(p, off); err != nil || !bytes.Equal(p, want[off:off+n]) {
						t.Fatalf("step %d: read %d at %d: %v", i, n, off, err)
					}
				}
			}
			if !bytes.Equal(content(t, d), want) {
				t.Error("content differs at the end")
			}
			if err := d.Flush(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(content(t, device(t, h, file, base)), want) {
				t.Error("content differs after reopening")
			}
			if !bytes.Equal(base.Bytes(), pattern(c.size)) {
				t.Error("the base was written to")
			}
		})
	}
}

// TestCopyUpRuns: a small write owns the aligned 64 KiB around it, and only that.
func TestCopyUpRuns(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	d := device(t, h, blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size)))
	if _, err := d.WriteAt([]byte{1}, 200<<10); err != nil {
		t.Fatal(err)
	}
	if n := d.Owned() * 512; n != 64<<10 {
		t.Errorf("%d bytes owned", n)
	}
	for _, c := range []struct {
		off, n int64
		owned  bool
	}{{0, 192 << 10, false}, {192 << 10, 64 << 10, true}, {256 << 10, size - 256<<10, false}} {
		if n, owned := d.OwnedRun(c.off, size); n != c.n || owned != c.owned {
			t.Errorf("at %d: %d %v", c.off, n, owned)
		}
	}
}

// TestBitmapLayout: sector s is bit s%8 of byte s/8, and there only after Flush.
func TestBitmapLayout(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	file := blocktest.NewMem(fresh(t, h))
	d := device(t, h, file, blocktest.NewMem(pattern(size)))
	if err := d.WriteZeroes(9*512, 2*512); err != nil {
		t.Fatal(err)
	}
	at := h.Layout().BitmapOffset
	if file.Bytes()[at+1] != 0 {
		t.Error("bits are in the file before a flush")
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
	if b := file.Bytes()[at : at+3]; b[0] != 0 || b[1] != 0b110 || b[2] != 0 {
		t.Errorf("% x", b)
	}
}

// TestTail: sectors of a version 2 disk that have no bit stay readable, and a write
// there is refused rather than lost.
func TestTail(t *testing.T) {
	size := int64(3907 * 512)
	h := header(2, size)
	d := device(t, h, blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size)))
	p := []byte{1}
	if _, err := d.WriteAt(p, 3904*512); !errors.Is(err, ErrTail) || !errors.Is(err, abi.EIO) {
		t.Error(err)
	}
	if _, err := d.WriteAt(p, 3904*512-1); err != nil {
		t.Error(err)
	}
	if _, err := d.ReadAt(p, size-1); err != nil || p[0] != pattern(size)[size-1] {
		t.Error(p, err)
	}
}

// TestFaults: an I/O error leaves the old content, and a later try succeeds.
func TestFaults(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	for _, c := range []struct {
		name string
		set  func(file, base *blocktest.Faulty)
		want error
	}{
		{"base read", func(_, base *blocktest.Faulty) { base.Add(blocktest.Fault{Ops: blocktest.Read}) }, abi.EIO},
		{"file write", func(file, _ *blocktest.Faulty) { file.Add(blocktest.Fault{Ops: blocktest.Write, Short: true}) }, abi.EIO},
		{"host full", func(file, _ *blocktest.Faulty) { file.Space(5000) }, abi.ENOSPC},
	} {
		file := blocktest.NewFaulty(blocktest.NewMem(fresh(t, h)))
		base := blocktest.NewFaulty(blocktest.NewMem(pattern(size)))
		d := device(t, h, file, base)
		c.set(file, base)
		if _, err := d.WriteAt(bytes.Repeat([]byte{0xee}, 4096), 100<<10); err != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		file.Clear()
		base.Clear()
		if !bytes.Equal(content(t, d), pattern(size)) {
			t.Errorf("%s: content changed", c.name)
		}
		if _, err := d.WriteAt([]byte{1, 2, 3}, 100<<10); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFailedFlush: bits that could not be written are written by the next flush.
func TestFailedFlush(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	for _, kind := range []blocktest.Op{blocktest.Flush, blocktest.Write} {
		mem := blocktest.NewMem(fresh(t, h))
		file := blocktest.NewFaulty(mem)
		base := blocktest.NewMem(pattern(size))
		d := device(t, h, file, base)
		if _, err := d.WriteAt([]byte("new"), 0); err != nil {
			t.Fatal(err)
		}
		file.Add(blocktest.Fault{Ops: kind, Times: 1})
		if err := d.Flush(); err != abi.EIO {
			t.Error(err)
		}
		if err := d.Flush(); err != nil {
			t.Error(err)
		}
		if got := content(t, device(t, h, mem, base)); string(got[:3]) != "new" {
			t.Errorf("%q", got[:3])
		}
	}
}

// TestHostNearlyFull: when there is no room for the whole run, the write's own
// sectors still go in.
func TestHostNearlyFull(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	file := blocktest.NewFaulty(blocktest.NewMem(fresh(t, h)))
	d := device(t, h, file, blocktest.NewMem(pattern(size)))
	file.Add(blocktest.Fault{Ops: blocktest.Write, Times: 1, Err: abi.ENOSPC})
	want := pattern(size)
	copy(want[100<<10+100:], "tight")
	if _, err := d.WriteAt([]byte("tight"), 100<<10+100); err != nil {
		t.Fatal(err)
	}
	if d.Owned() != 1 || !bytes.Equal(content(t, d), want) {
		t.Error(d.Owned())
	}
}

// TestSync: a write of a synchronous disk survives without a flush.
func TestSync(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	file, base := blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size))
	d := device(t, h, file, base)
	d.sync = true
	if _, err := d.WriteAt([]byte("now"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteZeroes(1<<19, 512); err != nil {
		t.Fatal(err)
	}
	if again := device(t, h, file, base); again.Owned() != 129 {
		t.Error(again.Owned())
	}
}

// FuzzDevice opens whatever is a header and a bitmap, reads it all and writes.
func FuzzDevice(f *testing.F) {
	for _, h := range samples() {
		h.Size = 5000
		f.Add(fresh(f, h)[:h.Layout().DataOffset], int64(100), []byte("data"))
	}
	f.Fuzz(func(t *testing.T, b []byte, off int64, p []byte) {
		h, err := Parse(b)
		if err != nil || h.Size > 1<<20 {
			return
		}
		b = append(b, make([]byte, max(h.FileSize()-int64(len(b)), 0))...)
		file, base := blocktest.NewMem(b), blocktest.NewMem(pattern(h.Size))
		d := device(t, h, file, base)
		want := content(t, d)
		if _, err := d.WriteAt(p, off); err == nil {
			copy(want[off:], p)
		}
		if err := d.Flush(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content(t, device(t, h, file, base)), want) || !bytes.Equal(base.Bytes(), pattern(h.Size)) {
			t.Fatal("another content")
		}
	})
}

func TestRefusals(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	if _, err := New(blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size-1)), h); err == nil {
		t.Error("a short base is accepted")
	}
	if _, err := New(blocktest.NewMem(fresh(t, h)[:8200]), blocktest.NewMem(pattern(size)), h); err == nil {
		t.Error("a file that ends in its bitmap is accepted")
	}
	d := device(t, h, blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size)))
	for _, off := range []int64{-1, size, 1 << 62} {
		if _, err := d.ReadAt(make([]byte, 1), off); err != abi.EIO {
			t.Error(err)
		}
		if _, err := d.WriteAt(make([]byte, 1), off); err != abi.EIO {
			t.Error(err)
		}
		if err := d.Discard(off, 1); err != abi.EIO {
			t.Error(err)
		}
	}
}

// mover records moves and checks that nothing has moved before BeginMove returns.
type mover struct {
	t     *testing.T
	d     *Device
	moves []block.Run
	open  int
}

func (m *mover) BeginMove(off, n int64) {
	m.open++
	if _, owned := m.d.OwnedRun(off, 1); owned && n == copyUp {
		m.t.Error("moved before it was told")
	}
}

func (m *mover) EndMove(off, n int64) {
	m.open--
	m.moves = append(m.moves, block.Run{Off: off, Len: n})
}

func TestWatch(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	d := device(t, h, blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size)))
	m := &mover{t: t, d: d}
	cancel := d.Watch(m)
	gen := d.Generation()
	steps := []func() error{
		func() error { _, err := d.WriteAt([]byte{1}, 70<<10); return err },
		func() error { _, err := d.WriteAt([]byte{1}, 71<<10); return err }, // owned already
		func() error { return d.Own(300<<10, 4096) },
		func() error { return d.WriteZeroes(512<<10, 512) },
	}
	for i, f := range steps {
		if err := f(); err != nil {
			t.Fatal(i, err)
		}
	}
	want := []block.Run{{Off: 64 << 10, Len: 64 << 10}, {Off: 256 << 10, Len: 64 << 10}, {Off: 512 << 10, Len: 512}}
	if len(m.moves) != len(want) || m.open != 0 {
		t.Fatal(m.moves, m.open)
	}
	for i := range want {
		if m.moves[i] != want[i] {
			t.Error(m.moves[i])
		}
	}
	if d.Generation() != gen+3 {
		t.Error(d.Generation() - gen)
	}
	cancel()
	if err := d.Own(0, size); err != nil || len(m.moves) != 3 {
		t.Error(err, "told after cancel")
	}
}

// TestConcurrent has writers of neighbouring sectors meet in one copy-up.
func TestConcurrent(t *testing.T) {
	const size, workers = 1 << 20, 8
	h := header(3, size)
	file, base := blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size))
	d := device(t, h, file, base)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			buf := bytes.Repeat([]byte{byte(w)}, 512)
			for s := w; s < size/512; s += workers {
				if _, err := d.WriteAt(buf, int64(s)*512); err != nil {
					t.Error(err)
				}
				if s%64 == w {
					d.Flush()
				}
				if _, err := d.ReadAt(buf, int64(s)*512); err != nil || buf[0] != byte(w) || buf[511] != byte(w) {
					t.Error("not what was written", err)
				}
			}
		})
	}
	wg.Wait()
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
	for i, c := range content(t, device(t, h, file, base)) {
		if c != byte(i/512%workers) {
			t.Fatal(i, c)
		}
	}
}

func TestDoesNotAllocate(t *testing.T) {
	const size = 1 << 20
	h := header(3, size)
	d := device(t, h, blocktest.NewMem(fresh(t, h)), blocktest.NewMem(pattern(size)))
	buf := make([]byte, 128<<10)
	d.WriteAt(buf, 0)
	off := int64(128 << 10)
	if n := testing.AllocsPerRun(6, func() {
		d.WriteAt(buf[:4096], 0)
		d.ReadAt(buf, 64<<10) // half owned, half not
		d.WriteAt(buf[:512], off)
		off += 64 << 10
		d.Locate(0, 4096)
		d.Flush()
	}); n > 4 { // only what Flush takes to the file
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		d.WriteAt(buf[:4096], 0)
		d.ReadAt(buf, 64<<10)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A scratch disk reads as its base, keeps writes, and leaves the base alone.
func TestScratch(t *testing.T) {
	dir := t.TempDir()
	want := bytes.Repeat([]byte("base"), 300<<10/4)
	path := filepath.Join(dir, "base")
	if err := os.WriteFile(path, want, 0o644); err != nil {
		t.Fatal(err)
	}
	base, err := block.OpenFile(path, block.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Scratch(base)
	if err != nil {
		t.Fatal(err)
	}
	if d.ReadOnly() || d.Size() != int64(len(want)) {
		t.Fatalf("read-only %v, size %d", d.ReadOnly(), d.Size())
	}
	if _, err := d.WriteAt([]byte("new"), 70001); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := d.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(want)
	copy(changed[70001:], "new")
	if !bytes.Equal(got, changed) {
		t.Error("the scratch disk is not its base with the write over it")
	}
	// Its writes can be mapped where they lie.
	if r, err := d.Locate(65536, 4096); err != nil || !r.Writable || r.Off%4096 != 0 {
		t.Errorf("Locate: %+v, %v", r, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, want) {
		t.Error("the base was written")
	}
}
