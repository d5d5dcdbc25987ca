// SPDX-License-Identifier: Apache-2.0

// Package blocktest has block devices for tests of what lies on block devices: in
// memory, recording for crashes, faulty. It is what Linux has in dm-log-writes,
// dm-flakey and scsi_debug.
//
// # Model
//
// Mem is a disk in memory. Recorder passes everything on and keeps the stream of
// writes and barriers; Crash gives an image as a power cut at some point could have
// left it: all that came before the last barrier, and of what came after it any
// subset, torn at sectors. Faulty fails as told. They stack; several Recorders that
// share a Log have one stream, so that a crash of a machine with several disks can
// be played.
//
// # Locks
//
//	Recorder: Log.mu, over the writes below it, so that the stream is in their order
//	  Mem.mu
//	Faulty.mu, a leaf
//
// # Left out
//
// Stores through mappings: these devices lie in no host file (Locate says so).
package blocktest

import (
	"sync"

	"lodger/abi"
	"lodger/block"
)

// Mem is a disk in memory. Several goroutines may use it.
type Mem struct {
	mu sync.RWMutex
	b  []byte // guarded by mu
}

// NewMem gives a disk that holds b, which it keeps.
func NewMem(b []byte) *Mem { return &Mem{b: b} }

// Bytes gives a copy of the disk.
func (m *Mem) Bytes() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return append([]byte(nil), m.b...)
}

// Size implements block.Device.
func (m *Mem) Size() int64 { return int64(len(m.b)) }

// ReadAt implements block.Device.
func (m *Mem) ReadAt(p []byte, off int64) (int, error) {
	if err := block.CheckRange(off, len(p), m.Size()); err != nil {
		return 0, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return copy(p, m.b[off:]), nil
}

// WriteAt implements block.Device.
func (m *Mem) WriteAt(p []byte, off int64) (int, error) {
	if err := block.CheckRange(off, len(p), m.Size()); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return copy(m.b[off:], p), nil
}

// Discard implements block.Discarder: the run becomes zero.
func (m *Mem) Discard(off, n int64) error { return m.WriteZeroes(off, n) }

// WriteZeroes implements block.Zeroer.
func (m *Mem) WriteZeroes(off, n int64) error {
	if off < 0 || n < 0 || off+n > m.Size() {
		return abi.EIO
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.b[off : off+n])
	return nil
}
