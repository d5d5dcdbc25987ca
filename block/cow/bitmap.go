// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"lodger/block"
)

// pageBytes is one page of the bitmap: 16 MiB of a disk with 512-byte sectors.
const (
	pageBytes = 4096
	pageWords = pageBytes / 8
	pageBits  = pageBytes * bitsPerByte
)

// bitmap tells which sectors are owned. Bits are only ever set. Bit s of the file
// is bit s%8 of byte s/8, which is bit s%64 of a little-endian word.
type bitmap struct {
	sectors int64
	pages   []atomic.Pointer[bitPage] // nil: nothing owned there
}

type bitPage struct {
	words [pageWords]atomic.Uint64
	// dirty has a bit for each 512 bytes of the page that the file does not have
	// yet. Set under Device.mu, after the words.
	dirty atomic.Uint32
}

func newBitmap(sectors int64) *bitmap {
	return &bitmap{sectors, make([]atomic.Pointer[bitPage], (sectors+pageBits-1)/pageBits)}
}

// load reads the bitmap's n bytes at off of a file; holes cost nothing.
func (b *bitmap) load(d block.Device, off, n int64) error {
	var buf [pageBytes]byte
	for pos := int64(0); pos < n; {
		start, length, err := block.NextData(d, off+pos)
		if err != nil {
			return err
		}
		if length == 0 || start >= off+n {
			return nil
		}
		if skip := (start - off) / pageBytes * pageBytes; skip > pos {
			pos = skip
		}
		chunk := buf[:min(pageBytes, n-pos)]
		if _, err := d.ReadAt(chunk, off+pos); err != nil {
			return err
		}
		b.fill(pos/pageBytes, chunk)
		pos += pageBytes
	}
	return nil
}

func (b *bitmap) fill(page int64, chunk []byte) {
	var whole [pageBytes]byte
	copy(whole[:], chunk)
	var p *bitPage
	for i := range pageWords {
		w := binary.LittleEndian.Uint64(whole[i*8:])
		if w == 0 {
			continue
		}
		if p == nil {
			p = new(bitPage)
		}
		// Bits behind the last sector mean nothing; Check tells of them.
		if left := b.sectors - (page*pageBits + int64(i)*wordBits); left < wordBits {
			w &= 1<<max(left, 0) - 1
		}
		p.words[i].Store(w)
	}
	if p != nil {
		b.pages[page].Store(p)
	}
}

// run gives how many sectors from s on, at most n, are owned or not like s itself.
func (b *bitmap) run(s, n int64) (length int64, owned bool) {
	n = min(n, b.sectors-s)
	owned = b.has(s)
	for length < n {
		p := b.pages[(s+length)/pageBits].Load()
		in := (s + length) % pageBits
		if p == nil {
			if owned {
				return length, owned
			}
			length += pageBits - in
			continue
		}
		w := p.words[in/wordBits].Load()
		if owned {
			w = ^w
		}
		w >>= uint(in % wordBits)
		left := wordBits - in%wordBits
		if same := int64(bits.TrailingZeros64(w)); same < left {
			return min(length+same, n), owned
		}
		length += left
	}
	return min(length, n), owned
}

func (b *bitmap) has(s int64) bool {
	p := b.pages[s/pageBits].Load()
	return p != nil && p.words[s%pageBits/wordBits].Load()>>(uint(s)%wordBits)&1 != 0
}

// set makes sectors owned; Device.mu is held.
func (b *bitmap) set(s, n int64) {
	for end := s + n; s < end; {
		slot := &b.pages[s/pageBits]
		p := slot.Load()
		if p == nil {
			p = new(bitPage)
			slot.Store(p)
		}
		in := s % pageBits
		first, count := in%wordBits, min(wordBits-in%wordBits, end-s)
		mask := ^uint64(0) >> uint(wordBits-count) << uint(first)
		if old := p.words[in/wordBits].Or(mask); old&mask != mask {
			p.dirty.Or(1 << uint(in/bitsPerByte/block.SectorSize))
		}
		s += count
	}
}

// count is the number of owned sectors.
func (b *bitmap) count() (n int64) {
	for i := range b.pages {
		if p := b.pages[i].Load(); p != nil {
			for j := range p.words {
				n += int64(bits.OnesCount64(p.words[j].Load()))
			}
		}
	}
	return n
}

// piece is a stretch of the bitmap that is to be written.
type piece struct {
	off  int64 // in the bitmap
	data []byte
}

// takeDirty copies what the file does not have yet; Device.mu is held.
func (b *bitmap) takeDirty() (out []piece) {
	const words = block.SectorSize / 8
	for i := range b.pages {
		p := b.pages[i].Load()
		if p == nil {
			continue
		}
		for dirty := p.dirty.Swap(0); dirty != 0; dirty &= dirty - 1 {
			part := bits.TrailingZeros32(dirty)
			data := make([]byte, block.SectorSize)
			for j := range words {
				binary.LittleEndian.PutUint64(data[j*8:], p.words[part*words+j].Load())
			}
			out = append(out, piece{int64(i)*pageBytes + int64(part)*block.SectorSize, data})
		}
	}
	return out
}

// putBack marks pieces dirty again that could not be written.
func (b *bitmap) putBack(pieces []piece) {
	for _, q := range pieces {
		p := b.pages[q.off/pageBytes].Load()
		p.dirty.Or(1 << uint(q.off%pageBytes/block.SectorSize))
	}
}
