// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"encoding/binary"
	"errors"
	"math/rand"
	"sync"
	"testing"

	"lodger/abi"
)

// A model file system: blocks that hold a number each. It keeps the history of
// what each transaction did.

type opKind byte

const (
	opSet opKind = iota
	opFree
)

type op struct {
	tid   TID
	kind  opKind
	block uint64
	value uint64
}

// fill makes a block's contents from its number; every fourth begins like a
// block of the log.
func fill(p []byte, v uint64) {
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], v)
	}
	if v != 0 && v%4 == 0 {
		put32(p, 0, Magic)
	}
}

func holds(p []byte, v uint64) bool {
	want := make([]byte, len(p))
	fill(want, v)
	return string(want) == string(p)
}

type use byte

const (
	useMeta  use = iota // journalled
	useFreed            // its free has not committed
	useData             // written past the journal
)

type model struct {
	j    *Journal
	dev  Device
	d    *disk
	n    uint64 // blocks in use
	mu   sync.Mutex
	buf  map[uint64]*Buffer
	use  []use
	ops  []op
	next uint64
}

func newModel(j *Journal, dev Device, d *disk, n uint64) *model {
	return &model{j: j, dev: dev, d: d, n: n, buf: map[uint64]*Buffer{}, use: make([]use, n)}
}

// buffer is the file system's cache; a clean buffer is dropped now and then.
func (m *model) buffer(block uint64, rng *rand.Rand) *Buffer {
	b := m.buf[block]
	if b != nil && rng.Intn(8) == 0 && !m.j.Busy(b) {
		b = nil
	}
	if b == nil {
		b = NewBuffer(block, make([]byte, m.j.opt.Blocksize))
		if _, err := m.dev.ReadAt(b.Data, int64(block)*int64(len(b.Data))); err != nil {
			panic(err)
		}
		m.buf[block] = b
	}
	return b
}

// set changes a block; with mu held.
func (m *model) set(h *Handle, block uint64, rng *rand.Rand) error {
	b := m.buffer(block, rng)
	get := h.GetWriteAccess
	if m.use[block] == useData {
		get = h.GetCreateAccess
	}
	if err := get(b); err != nil {
		return err
	}
	m.next++
	m.use[block] = useMeta
	fill(b.Data, m.next)
	m.ops = append(m.ops, op{h.TID(), opSet, block, m.next})
	return h.DirtyMetadata(b)
}

// free gives a block up; when that has committed it becomes a data block.
func (m *model) free(h *Handle, block uint64, withBuffer bool) error {
	b := m.buf[block]
	if !withBuffer && (b == nil || !m.j.Busy(b)) {
		b = nil
	}
	if err := h.Revoke(block, b); err != nil {
		return err
	}
	delete(m.buf, block)
	m.use[block] = useFreed
	m.ops = append(m.ops, op{h.TID(), opFree, block, 0})
	tid := h.TID()
	h.OnCommit(func(err error) {
		if err != nil {
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.use[block] = useData
		m.next++
		v := m.next
		p := make([]byte, m.j.opt.Blocksize)
		fill(p, v)
		// Every write of the block but this one makes its contents unknown.
		m.d.tell(func(f *facts) { delete(f.direct, block) })
		if _, err := m.dev.WriteAt(p, int64(block)*int64(len(p))); err != nil {
			panic(err)
		}
		if v%2 == 0 && m.dev.Flush() == nil {
			m.d.tell(func(f *facts) { f.direct[block] = direct{tid, v} })
		}
	})
	return nil
}

// work is one task's life.
func (m *model) work(t *testing.T, rng *rand.Rand, rounds int) {
	revokes := 0
	if m.j.Features().revoke() {
		revokes = 2
	}
	for range rounds {
		tid, err := m.round(rng, revokes)
		if err != nil {
			t.Error(err)
			return
		}
		switch rng.Intn(8) {
		case 0, 1:
			if err := m.j.CompleteTransaction(tid); err != nil {
				t.Error(err)
			}
			m.d.tell(func(f *facts) { f.ack(tid) })
		case 2:
			m.j.OnCommit(tid, func(err error) {
				if err == nil {
					m.d.tell(func(f *facts) { f.ack(tid) })
				}
			})
		case 3:
			m.j.LogStartCommit(tid)
		case 4:
			if rng.Intn(4) == 0 {
				if err := m.j.Checkpoint(); err != nil {
					t.Error(err)
				}
			}
		case 5:
			if rng.Intn(8) == 0 {
				if err := m.j.Flush(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// start uses both forms.
func (m *model) start(rng *rand.Rand, blocks, revokes int) (*Handle, error) {
	if rng.Intn(2) == 0 {
		if h, err := m.j.TryStart(nil, blocks, revokes); !errors.Is(err, abi.EAGAIN) {
			return h, err
		}
	}
	return m.j.Start(nil, blocks, revokes)
}

// round is one operation: it changes a few blocks that belong together.
func (m *model) round(rng *rand.Rand, revokes int) (TID, error) {
	blocks := 1 + rng.Intn(5)
	h, err := m.start(rng, blocks, revokes)
	if err != nil {
		return 0, err
	}
	if rng.Intn(8) == 0 {
		if _, err := m.j.Start(h, 0, 0); err != nil { // joins
			return 0, err
		}
		defer func() { _ = h.Stop() }()
	}
	m.mu.Lock()
	for range blocks {
		if block := uint64(rng.Int63n(int64(m.n))); m.use[block] != useFreed && err == nil {
			err = m.set(h, block, rng)
		}
	}
	for range revokes {
		block := uint64(rng.Int63n(int64(m.n)))
		if rng.Intn(3) == 0 && m.use[block] == useMeta && err == nil {
			err = m.free(h, block, rng.Intn(2) == 0)
		}
	}
	m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if ok, err := h.Extend(1, 0); err != nil || !ok && rng.Intn(2) == 0 {
		if err == nil {
			err = h.Restart(1, 0)
		}
		if err != nil {
			return 0, err
		}
	}
	tid := h.TID()
	return tid, h.Stop()
}

// check compares an image, recovered up to transaction last, with the history.
func (m *model) check(t *testing.T, image []byte, last TID, f *facts) bool {
	bs := m.j.opt.Blocksize
	type want struct {
		v    uint64
		free bool
		tid  TID
	}
	state := make([]want, m.n)
	for _, o := range m.ops {
		if last.AtLeast(o.tid) {
			state[o.block] = want{o.value, o.kind == opFree, o.tid}
		}
	}
	for block, w := range state {
		p := image[block*bs : (block+1)*bs]
		v, known := w.v, !w.free
		if w.free {
			d := f.direct[uint64(block)]
			v, known = d.v, d.v != 0 && d.freed == w.tid
		}
		if known && !holds(p, v) {
			t.Errorf("block %d after transaction %d: want %d (freed %v), found %d", block, last, v, w.free,
				binary.LittleEndian.Uint64(p[8:]))
			return false
		}
	}
	return true
}
