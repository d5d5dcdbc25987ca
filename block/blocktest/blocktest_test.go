// SPDX-License-Identifier: Apache-2.0

package blocktest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"lodger/abi"
)

// TestCrashKeepsBarriers: what a barrier covers is always there, the rest comes in
// every mixture of sectors.
func TestCrashKeepsBarriers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	r, err := NewRecorder(NewMem(make([]byte, 4*512)), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.WriteAt(bytes.Repeat([]byte{1}, 1024), 0)
	before := r.Log().Len()
	r.Flush()
	flushed := r.Log().Len()
	r.WriteAt(bytes.Repeat([]byte{2}, 1024), 512)
	r.WriteZeroes(0, 512)
	seen := map[string]bool{}
	for range 500 {
		if b := r.Crash(flushed, rng); !bytes.Equal(b[:1024], bytes.Repeat([]byte{1}, 1024)) {
			t.Fatal("a flushed write is lost")
		}
		b := r.Crash(r.Log().Len(), rng)
		for i, c := range b {
			if c != b[i&^511] {
				t.Fatal("torn within a sector")
			}
		}
		seen[string([]byte{b[0], b[512], b[1024], b[1536]})] = true
	}
	for _, want := range []string{"\x01\x01\x00\x00", "\x00\x01\x00\x00", "\x01\x02\x02\x00", "\x01\x02\x00\x00", "\x01\x01\x02\x00", "\x00\x02\x02\x00"} {
		if !seen[want] {
			t.Errorf("never seen: %q", want)
		}
	}
	if len(seen) != 8 {
		t.Errorf("%v", seen)
	}
	lost := false
	for range 50 {
		lost = lost || r.Crash(before, rng)[0] == 0
	}
	if !lost {
		t.Error("a write without barrier is never lost")
	}
}

// TestSharedLog: a barrier of one disk is none of the other.
func TestSharedLog(t *testing.T) {
	log := new(Log)
	a, _ := NewRecorder(NewMem(make([]byte, 512)), log)
	b, _ := NewRecorder(NewMem(make([]byte, 512)), log)
	a.WriteAt([]byte{1}, 0)
	b.Flush()
	rng := rand.New(rand.NewPCG(1, 1))
	lost := false
	for range 50 {
		lost = lost || a.Crash(log.Len(), rng)[0] == 0
	}
	if !lost {
		t.Error("the other disk's barrier counted")
	}
}

func TestFaulty(t *testing.T) {
	f := NewFaulty(NewMem(make([]byte, 8192)))
	full := bytes.Repeat([]byte{1}, 4096)
	f.Add(Fault{Ops: Write, Off: 2048, Len: 512, Times: 1, Short: true})
	if n, err := f.WriteAt(full, 512); n != 1536 || err != abi.EIO {
		t.Error(n, err)
	}
	if n, err := f.WriteAt(full, 512); n != 4096 || err != nil {
		t.Error(n, err)
	}
	f.Add(Fault{Ops: Read | Flush, Skip: 1, Err: abi.ENODEV})
	if _, err := f.ReadAt(full, 0); err != nil {
		t.Error(err)
	}
	if err := f.Flush(); err != abi.ENODEV {
		t.Error(err)
	}
	f.Clear()
	f.Space(5000)
	if n, err := f.WriteAt(full, 0); n != 4096 || err != nil {
		t.Error(n, err)
	}
	if n, err := f.WriteAt(full, 0); n != 904 || err != abi.ENOSPC {
		t.Error(n, err)
	}
	if n, err := f.WriteAt(full, 0); n != 0 || err != abi.ENOSPC {
		t.Error(n, err)
	}
	f.Clear()
	if err := f.WriteZeroes(0, 8192); err != nil {
		t.Error(err)
	}
	if err := f.Discard(0, 9000); err != abi.EIO {
		t.Error(err)
	}
}
