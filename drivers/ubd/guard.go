// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
)

// guard keeps a guest from turning its raw disk into a COW file. Whether a file is
// one is told from its first bytes, unless flag d was given; a guest that wrote a
// COW header there would choose, for its next boot, which file of the host it reads
// as its base. UML has that hole; QEMU, which had it too, refuses such writes to
// images whose format it guessed.
//
// The first page is not lent for writable mappings either.
type guard struct {
	*block.File
	warn func(string)
	told atomic.Bool
	mu   sync.Mutex // writes of the first bytes: two halves of a magic must not meet
}

const (
	magicLen    = 4
	guardedPage = 64 << 10 // the largest page of any host
)

// WriteAt implements block.Device.
func (g *guard) WriteAt(p []byte, off int64) (int, error) {
	if off >= magicLen || off < 0 || len(p) == 0 {
		return g.File.WriteAt(p, off)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var first [magicLen]byte
	if _, err := g.File.ReadAt(first[:], 0); err != nil {
		return 0, err
	}
	copy(first[off:], p)
	if binary.BigEndian.Uint32(first[:]) != cow.Magic && binary.LittleEndian.Uint32(first[:]) != cow.Magic {
		return g.File.WriteAt(p, off)
	}
	if !g.told.Swap(true) {
		g.warn(g.Path() + ": the guest may not write a COW header to its raw disk; give flag d if it should")
	}
	return 0, abi.EPERM
}

// Locate implements block.Locator.
func (g *guard) Locate(off, n int64) (block.Run, error) {
	if off >= guardedPage {
		return g.File.Locate(off, n)
	}
	r, err := g.File.Locate(off, min(n, guardedPage-off))
	r.Writable = false
	return r, err
}
