// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"lodger/block"
	"lodger/block/blocktest"
)

// TestCrash cuts a COW file's write stream at random points. Each sector must be
// something that was written there since before the last flush that returned, or
// later; never older, and never anything else. The file is garbage where nothing is
// owned, as a host's disk may be, so that a bit without its data shows.
func TestCrash(t *testing.T) {
	for _, version := range []int{1, 2, 3} {
		seeds := uint64(60)
		if testing.Short() {
			seeds = 6
		}
		for seed := range seeds {
			crashOnce(t, version, seed)
		}
	}
}

const (
	crashSize  = 512 << 10
	crashSteps = 40
)

// stamp fills a sector with its number and a version, which tells what it is.
func stamp(b []byte, sector, version uint32) {
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint32(b[i:], sector)
		binary.LittleEndian.PutUint32(b[i+4:], version)
	}
}

// moment is the state of the disk's promises after n operations of the stream:
// floor[s] is the version that sector s must have at least.
type moment struct {
	n     int
	floor []uint32
	now   []uint32
}

func crashOnce(t *testing.T, version int, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, uint64(version)))
	h := header(version, crashSize)
	base := make([]byte, crashSize)
	for s := range crashSize / 512 {
		stamp(base[s*512:][:512], uint32(s), 0)
	}
	img := fresh(t, h)
	for i := h.Layout().DataOffset; i < int64(len(img)); i++ {
		img[i] = 0xdb
	}
	rec, err := blocktest.NewRecorder(blocktest.NewMem(img), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := device(t, h, rec, blocktest.NewMem(base))
	now := make([]uint32, crashSize/512)
	history := []moment{{0, append([]uint32(nil), now...), append([]uint32(nil), now...)}}
	floor := history[0].floor
	for step := range crashSteps {
		ver := uint32(step + 1)
		if rng.IntN(5) == 0 {
			before := append([]uint32(nil), now...)
			if err := d.Flush(); err != nil {
				t.Fatal(err)
			}
			floor = before
		} else {
			first := rng.IntN(len(now))
			count := min(1+rng.IntN(1<<uint(rng.IntN(9))), len(now)-first)
			p := make([]byte, count*512)
			for i := range count {
				stamp(p[i*512:][:512], uint32(first+i), ver)
				now[first+i] = ver
			}
			if _, err := d.WriteAt(p, int64(first)*512); err != nil {
				t.Fatal(err)
			}
		}
		history = append(history, moment{rec.Log().Len(), floor, append([]uint32(nil), now...)})
	}
	for range 20 {
		cut := rng.IntN(rec.Log().Len() + 1)
		// What was promised at the cut: the last step that had ended.
		var m moment
		for _, x := range history {
			if x.n <= cut {
				m = x
			}
		}
		after := blocktest.NewMem(rec.Crash(cut, rng))
		checkCrash(t, device(t, mustParse(t, after), after, blocktest.NewMem(base)), m, seed, cut)
	}
}

func mustParse(t *testing.T, d block.Device) Header {
	t.Helper()
	b := make([]byte, HeaderSize)
	if _, err := d.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	h, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func checkCrash(t *testing.T, d *Device, m moment, seed uint64, cut int) {
	t.Helper()
	got := content(t, d)
	want := make([]byte, 512)
	for s := range m.floor {
		b := got[s*512:][:512]
		ver := binary.LittleEndian.Uint32(b[4:])
		stamp(want, uint32(s), ver)
		// The step under way at the cut may be there too: a version of its own.
		if !bytes.Equal(b, want) || ver < m.floor[s] || ver > crashSteps {
			t.Fatalf("seed %d, cut after %d: sector %d is %x..., flushed was version %d", seed, cut, s, b[:16], m.floor[s])
		}
	}
}

// TestCrashFindsMistakes: the harness sees a COW file that writes bits first.
func TestCrashFindsMistakes(t *testing.T) {
	h := header(3, crashSize)
	img := fresh(t, h)
	rec, err := blocktest.NewRecorder(blocktest.NewMem(img), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := h.Layout()
	// As UML does: data and bit without a barrier between them.
	data := make([]byte, 512)
	stamp(data, 0, 1)
	rec.WriteAt(data, l.DataOffset)
	rec.WriteAt([]byte{1}, l.BitmapOffset)
	base := make([]byte, crashSize)
	stamp(base[:512], 0, 9)
	found := false
	for seed := range uint64(200) {
		after := blocktest.NewMem(rec.Crash(2, rand.New(rand.NewPCG(seed, 0))))
		got := content(t, device(t, h, after, blocktest.NewMem(base)))[:512]
		found = found || !bytes.Equal(got, data) && !bytes.Equal(got, base[:512])
	}
	if !found {
		t.Error("no cut showed garbage")
	}
}
