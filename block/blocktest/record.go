// SPDX-License-Identifier: Apache-2.0

package blocktest

import (
	"math/rand/v2"
	"sync"

	"lodger/block"
)

// Log is the stream of what was done to one or several disks.
type Log struct {
	mu  sync.Mutex
	ops []op // guarded by mu
}

// op is one write, one run of zeroes, or a barrier. A barrier has effect for its
// own disk only.
type op struct {
	disk    *Recorder
	off     int64
	data    []byte // nil: zeroes
	n       int64
	barrier bool
}

// Len is the number of operations so far: a point at which to cut.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ops)
}

// Recorder is a device whose writes are kept.
type Recorder struct {
	log   *Log
	d     block.Device
	start []byte // what the disk held when the recording began
}

// NewRecorder records what is done to d from now on; a nil log makes one.
func NewRecorder(d block.Device, l *Log) (*Recorder, error) {
	if l == nil {
		l = new(Log)
	}
	r := &Recorder{log: l, d: d, start: make([]byte, d.Size())}
	_, err := d.ReadAt(r.start, 0)
	return r, err
}

// Log gives the stream.
func (r *Recorder) Log() *Log { return r.log }

// Size implements block.Device.
func (r *Recorder) Size() int64 { return r.d.Size() }

// ReadAt implements block.Device.
func (r *Recorder) ReadAt(p []byte, off int64) (int, error) { return r.d.ReadAt(p, off) }

// WriteAt implements block.Device. Of a failed write, what was done counts.
func (r *Recorder) WriteAt(p []byte, off int64) (int, error) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	n, err := r.d.WriteAt(p, off)
	if n > 0 {
		r.log.ops = append(r.log.ops, op{disk: r, off: off, data: append([]byte(nil), p[:n]...), n: int64(n)})
	}
	return n, err
}

// Flush implements block.Flusher.
func (r *Recorder) Flush() error {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if err := block.Flush(r.d); err != nil {
		return err
	}
	r.log.ops = append(r.log.ops, op{disk: r, barrier: true})
	return nil
}

// Discard implements block.Discarder.
func (r *Recorder) Discard(off, n int64) error { return r.zero(off, n, block.Discard) }

// WriteZeroes implements block.Zeroer.
func (r *Recorder) WriteZeroes(off, n int64) error { return r.zero(off, n, block.WriteZeroes) }

func (r *Recorder) zero(off, n int64, f func(block.Device, int64, int64) error) error {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if err := f(r.d, off, n); err != nil {
		return err
	}
	r.log.ops = append(r.log.ops, op{disk: r, off: off, n: n})
	return nil
}

// ReadOnly implements block.ReadOnlyer.
func (r *Recorder) ReadOnly() bool { return block.ReadOnly(r.d) }

// Crash gives the disk as a power cut after the first n operations of the stream
// could have left it. What the disk's last barrier covers is there; each later
// write is there, or not, or some of its sectors are.
func (r *Recorder) Crash(n int, rng *rand.Rand) []byte {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	ops := r.log.ops[:n]
	safe := 0
	for i, o := range ops {
		if o.disk == r && o.barrier {
			safe = i
		}
	}
	img := append([]byte(nil), r.start...)
	for i, o := range ops {
		if o.disk != r || o.barrier {
			continue
		}
		if i < safe {
			o.apply(img, func() bool { return true })
			continue
		}
		switch rng.IntN(3) {
		case 0:
		case 1:
			o.apply(img, func() bool { return true })
		default:
			o.apply(img, func() bool { return rng.IntN(2) == 0 })
		}
	}
	return img
}

// apply does the parts of an operation that keep picks, sector by sector.
func (o *op) apply(img []byte, keep func() bool) {
	for at := o.off; at < o.off+o.n; {
		end := min((at/block.SectorSize+1)*block.SectorSize, o.off+o.n)
		if keep() {
			if o.data == nil {
				clear(img[at:end])
			} else {
				copy(img[at:end], o.data[at-o.off:])
			}
		}
		at = end
	}
}
