// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"errors"
	"math/rand"
	"sync"
	"testing"
)

// Test support: a disk in memory with a volatile cache, whose every write is
// recorded, and a journal on it.

const sector = 512

type eventKind byte

const (
	evWrite eventKind = iota
	evFUA             // a write through the cache
	evFlush
	evNote // something the test was told, at this point of the history
)

type event struct {
	kind eventKind
	off  int64
	data []byte
	note func(*facts)
}

// disk is a Device. Its zero failure functions let everything through.
type disk struct {
	mu     sync.Mutex
	data   []byte
	record bool
	events []event
	writes int // WriteAt calls
	// fail, when set, gives the error of a write.
	fail func(off int64, p []byte) error
	// hook, when set, sees each write before it happens, without lock.
	hook func(off int64, p []byte)
}

var errBroken = errors.New("medium error")

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off+int64(len(p)) > int64(len(d.data)) {
		panic("read outside of the disk")
	}
	return copy(p, d.data[off:]), nil
}

func (d *disk) write(kind eventKind, p []byte, off int64) error {
	if d.hook != nil {
		d.hook(off, p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off+int64(len(p)) > int64(len(d.data)) {
		panic("write outside of the disk")
	}
	if d.fail != nil {
		if err := d.fail(off, p); err != nil {
			return err
		}
	}
	d.writes++
	copy(d.data[off:], p)
	if d.record {
		d.events = append(d.events, event{kind: kind, off: off, data: append([]byte(nil), p...)})
	}
	return nil
}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	if err := d.write(evWrite, p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (d *disk) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.record {
		d.events = append(d.events, event{kind: evFlush})
	}
	return nil
}

// tell puts a fact into the history.
func (d *disk) tell(f func(*facts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.record {
		d.events = append(d.events, event{kind: evNote, note: f})
	}
}

// fuaDisk can write through its cache too.
type fuaDisk struct{ *disk }

func (d fuaDisk) WriteFUA(p []byte, off int64) error { return d.write(evFUA, p, off) }

// layout is a small file system with a journal.
type layout struct {
	bs      int
	blocks  uint64 // of the file system
	journal uint32 // blocks of the journal
	feat    Features
	version int
	seq     TID
	fc      uint32
}

// mapping scatters the journal: pieces of seven blocks, in reverse order, at the
// end of the file system.
func (l layout) mapping(block uint32) (int64, error) {
	const piece = 7
	n := (l.journal + piece - 1) / piece
	at := uint64((n-1-block/piece)*piece + block%piece)
	return int64(l.blocks-uint64(n*piece)+at) * int64(l.bs), nil
}

// superblock is what mke2fs would write.
func (l layout) superblock() []byte {
	b := make([]byte, l.bs)
	typ := uint32(superblockV2)
	if l.version == 1 {
		typ = superblockV1
	}
	put32(b, 0, Magic)
	put32(b, 4, typ)
	put32(b, sbBlocksize, uint32(l.bs))
	put32(b, sbMaxlen, l.journal)
	put32(b, sbFirst, 1)
	put32(b, sbSequence, uint32(l.seq))
	if l.version != 1 {
		put32(b, sbCompat, l.feat.Compat)
		put32(b, sbIncompat, l.feat.Incompat)
		put32(b, sbROCompat, l.feat.ROCompat)
		put32(b, sbNrUsers, 1)
		put32(b, sbNumFC, l.fc)
		copy(b[sbUUID:], "a journal's uuid")
		if l.feat.csumV2or3() {
			b[sbChecksumType] = checksumCRC32C
		}
		sealSuperblock(b, l.feat)
	}
	return b
}

func (l layout) format() *disk {
	d := &disk{data: make([]byte, int(l.blocks)*l.bs)}
	off, _ := l.mapping(0)
	copy(d.data[off:], l.superblock())
	return d
}

func (l layout) options(d Device) Options {
	return Options{
		Device: d, Blocksize: l.bs, Blocks: l.blocks, Map: l.mapping, MapBlocks: l.journal,
		minBlocks: 16,
	}
}

// small is the usual test layout.
func small(feat Features) layout {
	return layout{bs: 1024, blocks: 400, journal: 70, feat: feat, seq: 0xfffffff0}
}

func (l layout) load(t testing.TB, d Device) *Journal {
	t.Helper()
	j, err := Load(l.options(d))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// crashes calls each with disk images that a power cut could leave: after any
// event, what was written since the last barrier is there, or not, or in part,
// sector by sector. every chooses among the points in the history.
func crashes(start []byte, events []event, rng *rand.Rand, every, variants int, each func(image []byte, f *facts, at int)) {
	base := append([]byte(nil), start...)
	var pending []event
	f := &facts{direct: map[uint64]direct{}}
	image := make([]byte, len(base))
	for i, e := range events {
		switch e.kind {
		case evNote:
			e.note(f)
			continue
		case evFlush:
			for _, p := range pending {
				copy(base[p.off:], p.data)
			}
			pending = pending[:0]
		default:
			pending = append(pending, e)
		}
		if rng.Intn(every) != 0 {
			continue
		}
		for v := range variants {
			copy(image, base)
			for n, p := range pending {
				// The event under way may be torn even if it is a FUA write.
				whole := p.kind == evFUA && n < len(pending)-1
				tear(image, p, whole, v, rng)
			}
			each(image, f, i)
		}
	}
}

// tear applies a write: all of it, nothing, or some of its sectors.
func tear(image []byte, p event, whole bool, variant int, rng *rand.Rand) {
	mode := rng.Intn(4)
	if variant == 0 {
		mode = 0 // the plain prefix of the history
	}
	switch {
	case whole || mode == 0:
		copy(image[p.off:], p.data)
	case mode == 1:
	default:
		for s := 0; s < len(p.data); s += sector {
			if rng.Intn(2) == 0 {
				copy(image[p.off+int64(s):], p.data[s:min(s+sector, len(p.data))])
			}
		}
	}
}

// facts is what was acknowledged up to a point of the history.
type facts struct {
	acked  TID // committed, as somebody was told
	hasAck bool
	// direct is what blocks written past the journal hold durably.
	direct map[uint64]direct
}

// direct is such a block's number, and the transaction that freed it.
type direct struct {
	freed TID
	v     uint64
}

func (f *facts) ack(tid TID) {
	if !f.hasAck || tid.After(f.acked) {
		f.acked, f.hasAck = tid, true
	}
}
