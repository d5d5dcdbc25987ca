// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"lodger/block/blocktest"
	"lodger/block/cow"
)

// TestCommitCrash cuts a commit at every operation of base and COW file together.
// The disk seen through the pair is whole at each, and the commit can be done again.
func TestCommitCrash(t *testing.T) {
	const disk = 256 << 10
	h := cow.Header{Version: 3, Backing: "/base", SectorSize: 512, Align: 4096, Size: disk}
	raw, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	img := make([]byte, h.FileSize())
	copy(img, raw)
	file, base := blocktest.NewMem(img), blocktest.NewMem(pattern(disk))
	d, err := cow.New(file, base, h)
	if err != nil {
		t.Fatal(err)
	}
	want := pattern(disk)
	for off := int64(0); off < disk; off += 96 << 10 {
		p := bytes.Repeat([]byte{byte(off >> 10), 0xaa}, 3000)
		if _, err := d.WriteAt(p, off+100); err != nil {
			t.Fatal(err)
		}
		copy(want[off+100:], p)
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}

	// commit is Commit but for the files' names and the marker.
	commit := func(file, base interface {
		ReadAt([]byte, int64) (int, error)
		WriteAt([]byte, int64) (int, error)
		Size() int64
	}) {
		d, err := cow.New(file, base, h)
		if err == nil {
			err = merge(context.Background(), file, base, d, nil)
		}
		if err == nil {
			err = empty(file, h, 12345)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	log := new(blocktest.Log)
	rf, err1 := blocktest.NewRecorder(file, log)
	rb, err2 := blocktest.NewRecorder(base, log)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	commit(rf, rb)
	rng := rand.New(rand.NewPCG(7, 7))
	for cut := range log.Len() + 1 {
		for range 10 {
			f, b := blocktest.NewMem(rf.Crash(cut, rng)), blocktest.NewMem(rb.Crash(cut, rng))
			seen := make([]byte, disk)
			d, err := cow.New(f, b, h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.ReadAt(seen, 0); err != nil || !bytes.Equal(seen, want) {
				t.Fatalf("cut after %d of %d: the disk is not whole, %v", cut, log.Len(), err)
			}
			commit(f, b)
			if !bytes.Equal(b.Bytes(), want) {
				t.Fatalf("cut after %d of %d: the second commit gives another base", cut, log.Len())
			}
			got, err := cow.Parse(f.Bytes()[:cow.HeaderSize])
			if err != nil || got.Mtime != 12345 {
				t.Fatal(got, err)
			}
		}
	}
}
