// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"lodger/abi"
	"lodger/fs/rofs"
)

// block is a decompressed block. next is where the block behind it in a chain of
// metadata starts.
type block struct {
	data []byte
	next int64
}

// readBlock reads and decompresses size bytes at off, which give at most limit.
func (s *FS) readBlock(off int64, size int, compressed bool, limit int) ([]byte, error) {
	if off < 0 || uint64(off) > s.bytesUsed || uint64(size) > s.bytesUsed-uint64(off) || !compressed && size > limit {
		s.Printf("block of %d bytes at %d is outside the file system", size, off)
		return nil, abi.EIO
	}
	raw := make([]byte, size)
	if err := s.ReadAt(raw, off); err != nil || !compressed {
		return raw, err
	}
	out := make([]byte, limit)
	n, err := s.decompress(out, raw)
	if err != nil {
		s.Printf("decompression of the block at %d: %v", off, err)
		return nil, abi.EIO
	}
	if n < limit/2 {
		return append([]byte(nil), out[:n]...), nil // what the cache counts is what it holds
	}
	return out[:n], nil
}

// metaBlock gives the block of metadata at off.
func (s *FS) metaBlock(off int64) (block, error) {
	return s.cache.Get(off, func() (block, int, error) {
		if off < superSize || uint64(off)+2 > s.bytesUsed {
			s.Printf("metadata at %d is outside the file system", off)
			return block{}, 0, abi.EIO
		}
		var h [2]byte
		if err := s.ReadAt(h[:], off); err != nil {
			return block{}, 0, err
		}
		v := rofs.LE16(h[:], 0)
		size := int(v &^ 0x8000)
		if size == 0 || size > metaSize {
			s.Printf("metadata block of %d bytes at %d", size, off)
			return block{}, 0, abi.EIO
		}
		b, err := s.readBlock(off+2, size, v&0x8000 == 0, metaSize)
		if err == nil && len(b) == 0 {
			err = abi.EIO // a chain of such would not move on
		}
		return block{b, off + 2 + int64(size)}, len(b) + 64, err
	})
}

// cursor is a place in a chain of metadata blocks; it only goes forward.
type cursor struct {
	s     *FS
	block int64 // place of the block
	off   int   // in it
}

// cursor makes one at a place that is start and a reference: block<<16 | offset.
func (s *FS) cursor(table, ref uint64) cursor {
	return cursor{s, int64(min(table, 1<<62)) + int64(ref>>16&0xffffffff), int(ref & 0xffff)}
}

// read fills p (squashfs_read_metadata); a nil p of n bytes skips.
func (c *cursor) read(p []byte) error { return c.move(p, len(p)) }

func (c *cursor) skip(n int) error { return c.move(nil, n) }

func (c *cursor) move(p []byte, n int) error {
	for n > 0 {
		b, err := c.s.metaBlock(c.block)
		if err != nil {
			return err
		}
		if c.off >= len(b.data) {
			if len(b.data) != metaSize && c.off > len(b.data) {
				return abi.EIO
			}
			c.block, c.off = b.next, c.off-len(b.data)
			continue
		}
		m := min(n, len(b.data)-c.off)
		if p != nil {
			copy(p, b.data[c.off:c.off+m])
			p = p[m:]
		}
		c.off += m
		n -= m
	}
	return nil
}

// next reads n bytes, which the caller has bounded.
func (c *cursor) next(n int) ([]byte, error) {
	p := make([]byte, n)
	return p, c.read(p)
}

// indirect gives the cursor at byte pos of a table whose metadata blocks are listed
// at start.
func (s *FS) indirect(start, pos uint64) (cursor, error) {
	var p [8]byte
	at := start + pos/metaSize*8
	if at < start || at > s.bytesUsed-8 {
		s.Printf("table at %d is outside the file system", start)
		return cursor{}, abi.EINVAL
	}
	if err := s.ReadAt(p[:], int64(at)); err != nil {
		return cursor{}, err
	}
	return cursor{s, int64(min(rofs.LE64(p[:], 0), 1<<62)), int(pos % metaSize)}, nil
}
