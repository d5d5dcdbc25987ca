// SPDX-License-Identifier: Apache-2.0

package blocktest

import (
	"sync"

	"lodger/abi"
	"lodger/block"
)

// Op is a set of kinds of operations.
type Op uint

// The kinds.
const (
	Read Op = 1 << iota
	Write
	Flush
	Discard
	Zeroes
)

// Fault is one way to fail. The first of a device's faults that fits an operation
// counts.
type Fault struct {
	Ops      Op
	Off, Len int64 // bytes that it touches; Len 0 means everywhere
	Skip     int   // let so many fitting operations through first
	Times    int   // fail so often, 0 for ever
	Err      error // abi.EIO when nil
	// Short: the part before Off is read or written all the same, down to a whole
	// sector, as a disk does at a bad sector; else nothing is.
	Short bool
}

// Faulty is a device that fails as told.
type Faulty struct {
	d      block.Device
	mu     sync.Mutex
	faults []Fault // guarded by mu
	space  int64   // bytes that can be written before ENOSPC, below 0 no end; guarded by mu
}

// NewFaulty gives d without faults.
func NewFaulty(d block.Device) *Faulty { return &Faulty{d: d, space: -1} }

// Add has the device fail; Clear ends all faults.
func (f *Faulty) Add(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, x)
}

// Clear ends all faults and the want of space.
func (f *Faulty) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.space = nil, -1
}

// Space gives ENOSPC after n more bytes were written: short first, then nothing.
func (f *Faulty) Space(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = n
}

// check gives how much of an operation is done, and its error.
func (f *Faulty) check(kind Op, off, n int64) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.faults {
		x := &f.faults[i]
		if x.Ops&kind == 0 || x.Len > 0 && (off >= x.Off+x.Len || off+n <= x.Off) {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			continue
		}
		if x.Times > 0 {
			if x.Times--; x.Times == 0 {
				x.Ops = 0
			}
		}
		err := x.Err
		if err == nil {
			err = abi.EIO
		}
		done := int64(0)
		if x.Short {
			if x.Len == 0 {
				done = n / 2
			} else {
				done = max(x.Off-off, 0)
			}
			done = max((off+done)/block.SectorSize*block.SectorSize-off, 0)
		}
		return done, err
	}
	if kind == Write && f.space >= 0 {
		if f.space < n {
			done := f.space
			f.space = 0
			return done, abi.ENOSPC
		}
		f.space -= n
	}
	return n, nil
}

// Size implements block.Device.
func (f *Faulty) Size() int64 { return f.d.Size() }

// ReadAt implements block.Device.
func (f *Faulty) ReadAt(p []byte, off int64) (int, error) {
	return f.move(Read, p, off, f.d.ReadAt)
}

// WriteAt implements block.Device.
func (f *Faulty) WriteAt(p []byte, off int64) (int, error) {
	return f.move(Write, p, off, f.d.WriteAt)
}

func (f *Faulty) move(kind Op, p []byte, off int64, do func([]byte, int64) (int, error)) (int, error) {
	n, err := f.check(kind, off, int64(len(p)))
	if n == 0 && err != nil {
		return 0, err
	}
	m, err2 := do(p[:n], off)
	if err2 != nil {
		err = err2
	}
	return m, err
}

// Flush implements block.Flusher.
func (f *Faulty) Flush() error {
	if _, err := f.check(Flush, 0, f.Size()); err != nil {
		return err
	}
	return block.Flush(f.d)
}

// Discard implements block.Discarder.
func (f *Faulty) Discard(off, n int64) error {
	if _, err := f.check(Discard, off, n); err != nil {
		return err
	}
	return block.Discard(f.d, off, n)
}

// WriteZeroes implements block.Zeroer.
func (f *Faulty) WriteZeroes(off, n int64) error {
	if _, err := f.check(Zeroes, off, n); err != nil {
		return err
	}
	return block.WriteZeroes(f.d, off, n)
}

// ReadOnly implements block.ReadOnlyer.
func (f *Faulty) ReadOnly() bool { return block.ReadOnly(f.d) }
