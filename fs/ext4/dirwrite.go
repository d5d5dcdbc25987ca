// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// putDirent writes an entry of rec bytes.
func (s *FS) putDirent(b []byte, off, rec int, ino uint32, typ uint8, name string) {
	put32(b, off, ino)
	put16(b, off+4, putRecLen(rec, int(s.es.blockSize)))
	b[off+6] = byte(len(name))
	b[off+7] = 0
	if s.es.hasIncompat(incompatFiletype) {
		b[off+7] = typ
	}
	n := copy(b[off+direntHead:off+rec], name)
	clear(b[off+direntHead+n : off+direntLen(len(name))])
}

// insertInto puts an entry where a block has room (add_dirent_to_buf).
func (s *FS) insertInto(b []byte, name string, ino uint32, typ uint8) bool {
	need := direntLen(len(name))
	for off := 0; off < len(b); {
		e, ok := s.direntAt(b, off)
		if !ok {
			return false
		}
		used := 0
		if e.ino != 0 {
			used = direntLen(len(e.name))
		}
		if e.rec-used >= need {
			if used > 0 {
				put16(b, off+4, putRecLen(used, int(s.es.blockSize)))
			}
			s.putDirent(b, off+used, e.rec-used, ino, typ, name)
			return true
		}
		off += e.rec
	}
	return false
}

// tryInsert inserts into a leaf if it has room.
func (i *inode) tryInsert(h *handle, b *Buffer, name string, ino uint32, typ uint8) (bool, error) {
	if err := h.access(b); err != nil {
		return false, err
	}
	if !i.s.insertInto(b.data[:len(b.data)-i.s.dirTail()], name, ino, typ) {
		return false, nil
	}
	i.setDirCsum(b.data)
	return true, h.dirty(b)
}

// addEntry adds a name (ext4_add_entry). The caller knows that it is not there.
func (i *inode) addEntry(h *handle, name string, ino uint32, typ uint8) error {
	if i.is(flInlineData) {
		if err := i.convertInline(h); err != nil {
			return err
		}
	}
	if i.isIndexed() {
		return i.addIndexed(h, name, ino, typ)
	}
	n := i.dirBlocks()
	for k := range n {
		at := (i.dirCache.block + k) % n
		b, err := i.leafBlock(at)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		if ok, err := i.tryInsert(h, b, name, ino, typ); ok || err != nil {
			i.dirCache.block = at
			return err
		}
	}
	if n == 1 && i.s.es.hasCompat(compatDirIndex) {
		if err := i.makeIndexed(h); err != nil {
			return err
		}
		return i.addIndexed(h, name, ino, typ)
	}
	b, at, err := i.appendBlock(h)
	if err != nil {
		return err
	}
	i.dirCache.block = at
	i.emptyLeaf(b)
	_, err = i.tryInsert(h, b, name, ino, typ)
	return err
}

// emptyLeaf makes a block of one unused entry.
func (i *inode) emptyLeaf(b *Buffer) {
	clear(b.data)
	put16(b.data, 4, putRecLen(len(b.data)-i.s.dirTail(), int(i.s.es.blockSize)))
	i.setDirCsum(b.data)
	b.setVerified(asDir, i.ino)
}

// appendBlock makes a directory (or link text) one block longer.
func (i *inode) appendBlock(h *handle) (*Buffer, uint32, error) {
	s := i.s
	n := s.es.blocksIn(i.size)
	if n >= maxBlocks || int64(n+1)*int64(s.es.blockSize) > 1<<31-1 && !s.es.hasIncompat(incompatLargeDir) {
		return nil, 0, abi.ENOSPC
	}
	pblk, _, err := s.newBlocks(h, i.goal(uint32(n)), 1)
	if err != nil {
		return nil, 0, err
	}
	if err := i.addMapping(h, uint32(n), pblk, 1, false); err != nil {
		return nil, 0, err
	}
	b, err := s.getblk(pblk)
	if err != nil {
		return nil, 0, err
	}
	if err := h.access(b); err != nil {
		return nil, 0, err
	}
	err = i.update(h, func() { i.size = int64(n+1) * int64(s.es.blockSize) })
	return b, uint32(n), err
}

// deleteEntry removes a found entry (ext4_generic_delete_entry): the one before
// it takes its room.
func (i *inode) deleteEntry(h *handle, f found) error {
	if err := h.access(f.blk); err != nil {
		return err
	}
	prev := -1
	for off := 0; off < f.off; {
		e, ok := i.s.direntAt(f.data, off)
		if !ok {
			return i.s.corrupt(i.ino, f.blk.block, "directory entry at offset %d is broken", off)
		}
		prev, off = off, off+e.rec
	}
	e, ok := i.s.direntAt(f.data, f.off)
	if !ok {
		return i.s.corrupt(i.ino, f.blk.block, "directory entry at offset %d is broken", f.off)
	}
	put32(f.data, f.off, 0)
	if prev >= 0 {
		p, _ := i.s.direntAt(f.data, prev)
		put16(f.data, prev+4, putRecLen(p.rec+e.rec, int(i.s.es.blockSize)))
		clear(f.data[f.off : f.off+direntHead+len(e.name)])
	}
	i.setDirCsum(f.blk.data)
	return h.dirty(f.blk)
}

// setEntry makes a found entry lead elsewhere.
func (i *inode) setEntry(h *handle, f found, ino uint32, typ uint8) error {
	if f.blk == nil { // ".." of an inline directory
		put32(i.iblock(), 0, ino)
		return i.s.writeInode(h, i)
	}
	if err := h.access(f.blk); err != nil {
		return err
	}
	put32(f.data, f.off, ino)
	if i.s.es.hasIncompat(incompatFiletype) {
		f.data[f.off+7] = typ
	}
	if i.isIndexed() && i.isFirstBlock(f.blk) {
		i.setDxCsum(f.blk.data, dxRootInfo+8)
	} else {
		i.setDirCsum(f.blk.data)
	}
	return h.dirty(f.blk)
}

func (i *inode) isFirstBlock(b *Buffer) bool {
	first, err := i.dirBlock(0)
	return err == nil && first == b
}

// makeEmptyDir fills a new directory with "." and "..".
func (i *inode) makeEmptyDir(h *handle, parent uint32) error {
	b, _, err := i.appendBlock(h)
	if err != nil {
		return err
	}
	i.putDots(b.data, parent)
	i.setDirCsum(b.data)
	b.setVerified(asDir, i.ino)
	return h.dirty(b)
}

func (i *inode) putDots(b []byte, parent uint32) {
	dot := direntLen(1)
	i.s.putDirent(b, 0, dot, i.ino, 2, ".")
	i.s.putDirent(b, dot, len(b)-i.s.dirTail()-dot, parent, 2, "..")
}

// isEmpty reports whether a directory has no names (ext4_empty_dir).
func (i *inode) isEmpty() (bool, error) {
	empty := true
	see := func(e dirent) bool {
		if n := string(e.name); n != "." && n != ".." {
			empty = false
		}
		return empty
	}
	if i.is(flInlineData) {
		return empty, i.eachInline(see)
	}
	err := i.eachBlock(func(b *Buffer) { i.s.eachDirent(b.data[:len(b.data)-i.s.dirTail()], see) })
	return empty, err
}

// convertInline moves inline data to a block (ext4_convert_inline_data).
func (i *inode) convertInline(h *handle) error {
	s := i.s
	var entries []dirent
	var data []byte
	parent := uint32(0)
	var err error
	if i.isDir() {
		parent = le32(i.iblock(), 0)
		err = i.eachInline(func(e dirent) bool {
			e.name = append([]byte(nil), e.name...)
			entries = append(entries, e)
			return true
		})
	} else {
		data, err = i.inlineData()
	}
	if err != nil {
		return err
	}
	goal := i.goalGroup()
	pblk := uint64(0)
	if i.isDir() || len(data) > 0 {
		if pblk, _, err = s.newBlocks(h, goal, 1); err != nil {
			return err
		}
	}
	if err := i.rewriteXattrs(h, func(l []xattr) []xattr {
		out := l[:0]
		for _, x := range l {
			if x.index != xattrSystem || x.name != "data" {
				out = append(out, x)
			}
		}
		return out
	}); err != nil {
		if pblk != 0 {
			s.freeBlocks(h, i.ino, pblk, 1, false)
		}
		return err
	}
	i.mu.Lock()
	i.flags &^= flInlineData
	i.startMap()
	i.mu.Unlock()
	if pblk == 0 {
		return s.writeInode(h, i)
	}
	if !i.isDir() {
		if err := writeFull(s.dev, append(data, make([]byte, int(s.es.blockSize)-len(data))...), int64(pblk)*int64(s.es.blockSize)); err != nil {
			return abi.EIO
		}
		if err := i.addMapping(h, 0, pblk, 1, false); err != nil {
			return err
		}
		return s.writeInode(h, i)
	}
	if err := i.addMapping(h, 0, pblk, 1, false); err != nil {
		return err
	}
	b, err := s.getblk(pblk)
	if err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	i.putDots(b.data, parent)
	for _, e := range entries {
		if !s.insertInto(b.data[:len(b.data)-s.dirTail()], string(e.name), e.ino, e.typ) {
			return s.corrupt(i.ino, 0, "inline directory does not fit a block")
		}
	}
	i.setDirCsum(b.data)
	b.setVerified(asDir, i.ino)
	if err := h.dirty(b); err != nil {
		return err
	}
	return i.update(h, func() { i.size = int64(s.es.blockSize) })
}

func (i *inode) goalGroup() uint64 {
	return i.s.es.groupFirst((i.ino - 1) / i.s.es.inodesPerGroup)
}
