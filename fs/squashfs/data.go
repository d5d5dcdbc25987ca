// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

const (
	noFragment = 0xffffffff
	markEvery  = 1024 // blocks between two marks
	rawBlock   = 1 << 24
)

// filePlace is where a file's data lies.
type filePlace struct {
	start    uint64 // of the first block
	list     cursor // the list of block sizes
	blocks   int64  // in the list
	fragment uint32
	fragOff  uint32
}

// blockMark is where block markEvery*k is: its size's place in the list, its bytes'
// on the disk (struct meta_index).
type blockMark struct {
	list cursor
	at   uint64
}

// loadFile reads the rest of a file's inode.
func (i *inode) loadFile(c *cursor, long bool) error {
	n := 16
	if long {
		n = 40
	}
	b, err := c.next(n)
	if err != nil {
		return err
	}
	p := &i.place
	if long {
		i.attr.Size, i.attr.Nlink = int64(rofs.LE64(b, 8)), rofs.LE32(b, 24)
		p.start, p.fragment, p.fragOff, i.xattr = rofs.LE64(b, 0), rofs.LE32(b, 28), rofs.LE32(b, 32), rofs.LE32(b, 36)
		i.attr.Blocks = uint64(i.attr.Size-int64(rofs.LE64(b, 16))+511) >> 9
	} else {
		i.attr.Size = int64(rofs.LE32(b, 12))
		p.start, p.fragment, p.fragOff = uint64(rofs.LE32(b, 0)), rofs.LE32(b, 4), rofs.LE32(b, 8)
		i.attr.Blocks = uint64(i.attr.Size+511) >> 9
	}
	if i.attr.Size < 0 {
		return abi.EINVAL
	}
	p.list = *c
	p.blocks = i.attr.Size >> i.s.blockLog
	if p.fragment == noFragment && i.attr.Size&int64(i.s.blockSize-1) != 0 {
		p.blocks++
	}
	return nil
}

// find gives block n's place and size as the list has it (fill_meta_index,
// read_blocklist).
func (i *inode) find(n int64) (at uint64, size uint32, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.index == nil {
		i.index = []blockMark{{i.place.list, i.place.start}}
	}
	k := min(int(n/markEvery), len(i.index)-1)
	m := i.index[k]
	buf := make([]byte, 4*markEvery)
	for at := int64(k) * markEvery; ; at += markEvery {
		count := min(n+1-at, markEvery)
		b := buf[:4*count]
		if err := m.list.read(b); err != nil {
			return 0, 0, err
		}
		for k := range int(count) {
			size = rofs.LE32(b, 4*k)
			if at+int64(k) == n {
				return m.at, size, nil
			}
			if m.at += uint64(size &^ rawBlock); size&^rawBlock > i.s.blockSize || m.at > i.s.bytesUsed {
				i.s.Printf("inode %d: block %d has %d bytes", i.attr.Ino, at+int64(k), size&^rawBlock)
				return 0, 0, abi.EIO
			}
		}
		if int64(len(i.index)) == at/markEvery+1 {
			i.index = append(i.index, m)
		}
	}
}

// blockData gives the bytes of block n, want of them; nil for a hole.
func (i *inode) blockData(n int64, want int) ([]byte, error) {
	if n >= i.place.blocks {
		return i.tail(want)
	}
	at, v, err := i.find(n)
	if err != nil || v == 0 {
		return nil, err
	}
	b, err := i.s.dataBlock(at, v)
	if err != nil {
		return nil, err
	}
	if len(b) < want {
		i.s.Printf("inode %d: block %d gives %d bytes", i.attr.Ino, n, len(b))
		return nil, abi.EIO
	}
	return b[:want], nil
}

// dataBlock reads a block of data or fragments through the cache.
func (s *FS) dataBlock(at uint64, v uint32) ([]byte, error) {
	size := v &^ rawBlock
	if size > s.blockSize || at > s.bytesUsed {
		s.Printf("data block of %d bytes at %d", size, at)
		return nil, abi.EIO
	}
	b, err := s.cache.Get(-int64(at)-1, func() (block, int, error) { // negative: apart from metadata
		b, err := s.readBlock(int64(at), int(size), v&rawBlock == 0, int(s.blockSize))
		return block{data: b}, cap(b) + 64, err
	})
	return b.data, err
}

// tail gives the end of a file that is in a fragment (squashfs_frag_lookup).
func (i *inode) tail(want int) ([]byte, error) {
	p, s := &i.place, i.s
	if p.fragment >= s.fragments {
		s.Printf("inode %d: fragment %d of %d", i.attr.Ino, p.fragment, s.fragments)
		return nil, abi.EIO
	}
	c, err := s.indirect(s.fragTable, uint64(p.fragment)*16)
	if err != nil {
		return nil, abi.EIO
	}
	var e [16]byte
	if err := c.read(e[:]); err != nil {
		return nil, err
	}
	b, err := s.dataBlock(rofs.LE64(e[:], 0), rofs.LE32(e[:], 8))
	if err != nil {
		return nil, err
	}
	if uint64(p.fragOff)+uint64(want) > uint64(len(b)) {
		s.Printf("inode %d: fragment of %d bytes lacks %d at %d", i.attr.Ino, len(b), want, p.fragOff)
		return nil, abi.EIO
	}
	return b[p.fragOff:][:want], nil
}

// readAt reads file data.
func (i *inode) readAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= i.attr.Size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), i.attr.Size-off)]
	bs := int64(i.s.blockSize)
	for done := 0; done < len(p); {
		at := off + int64(done)
		want := int(min(bs, i.attr.Size-at/bs*bs))
		b, err := i.blockData(at/bs, want)
		if err != nil {
			return rofs.Some(done, err)
		}
		in := int(at % bs)
		m := min(want-in, len(p)-done)
		if b == nil {
			clear(p[done : done+m])
		} else {
			copy(p[done:done+m], b[in:])
		}
		done += m
	}
	return len(p), nil
}

// file is an open regular file.
type file struct{ i *inode }

// ReadAt implements fs.ReaderAt.
func (f file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) { return f.i.readAt(p, off) }

// MapFD implements fs.Mapper.
func (f file) MapFD(offset, length int64, write, shared, _ bool) (int, int64, error) {
	if write && shared {
		return -1, 0, abi.EACCES
	}
	return rofs.Mapped(&f.i.copy, f.i, f.i.attr.Size, offset, length, f.i.readAt)
}
