// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// blockBitmap gives a group's block bitmap, checked, or made when it was never
// written (ext4_read_block_bitmap). FS.mu is held for writing.
func (s *FS) blockBitmap(g uint32) (*Buffer, error) {
	gr := &s.groups[g]
	if gr.bad {
		return nil, abi.EUCLEAN
	}
	if gr.flags&bgBlockUninit != 0 {
		if b := s.cache.get(gr.blockBitmap); b != nil && b.verifiedAs(asBlockBitmap, g) {
			return b, nil
		}
		b, err := s.getblk(gr.blockBitmap)
		if err == nil {
			s.initBitmap(g, b.data)
			b.setVerified(asBlockBitmap, g)
		}
		return b, err
	}
	b, err := s.bread(gr.blockBitmap)
	if err != nil || b.verifiedAs(asBlockBitmap, g) {
		return b, err
	}
	if s.es.metadataCsum() && s.bitmapCsum(b.data, s.es.clustersPerGrp/8) != gr.bbCsum {
		gr.bad = true
		return nil, s.badCsum(0, b.block, "block bitmap of group "+utoa(uint64(g)))
	}
	want := make([]byte, len(b.data))
	s.initBitmap(g, want)
	for k := range want {
		if want[k]&^b.data[k] != 0 {
			gr.bad = true
			return nil, s.corrupt(0, b.block, "block bitmap of group %d calls metadata free", g)
		}
	}
	b.setVerified(asBlockBitmap, g)
	return b, nil
}

// initBitmap sets the bits of a group's metadata and of what is beyond its end.
func (s *FS) initBitmap(g uint32, b []byte) {
	first, n := s.es.groupFirst(g), s.es.groupLen(g)
	for _, z := range s.zonesIn(first, uint64(n)) {
		for k := max(z.first, first); k < min(z.end, first+uint64(n)); k++ {
			setBit(b, uint32(k-first))
		}
	}
	for k := n; k < uint32(len(b)*8); k++ {
		setBit(b, k)
	}
}

// bitmapCsum is the checksum of a bitmap's first n bytes, as wide as the
// descriptor has room for.
func (s *FS) bitmapCsum(b []byte, n uint32) uint32 {
	c := crc32c(s.es.csumSeed, b[:n])
	if s.es.descSize < 64 {
		c &= 0xffff
	}
	return c
}

// changeBits sets or clears the bits of a run within one group, in the bitmap
// and the group's counts. Bits that have the value already are a corruption.
func (s *FS) changeBits(h *handle, g, bit, n uint32, used bool) error {
	b, err := s.blockBitmap(g)
	if err != nil {
		return err
	}
	for k := bit; k < bit+n; k++ {
		if testBit(b.data, k) == used {
			s.groups[g].bad = true
			return s.corrupt(0, s.es.groupFirst(g)+uint64(k), "block is marked used=%v already", used)
		}
	}
	if err := h.access(b); err != nil {
		return err
	}
	gr := &s.groups[g]
	for k := bit; k < bit+n; k++ {
		if used {
			setBit(b.data, k)
		} else {
			clearBit(b.data, k)
		}
	}
	if gr.flags&bgBlockUninit != 0 {
		gr.flags &^= bgBlockUninit
	}
	if used {
		gr.freeBlocks -= min(n, gr.freeBlocks)
		s.freeBlks -= int64(n)
	} else {
		gr.freeBlocks = min(gr.freeBlocks+n, s.es.groupLen(g))
		s.freeBlks += int64(n)
		gr.noRun, gr.trimmed = 0, 0
	}
	if s.es.metadataCsum() {
		gr.bbCsum = s.bitmapCsum(b.data, s.es.clustersPerGrp/8)
	}
	if err := h.dirty(b); err != nil {
		return err
	}
	return s.dirtyGroup(h, g)
}

// setBusy marks blocks as not to be given away, or lifts the mark.
func (s *FS) setBusy(first uint64, n uint32, busy bool) {
	for ; n > 0; n-- {
		g, bit := s.es.groupOf(first)
		gr := &s.groups[g]
		if gr.busy == nil {
			gr.busy = make([]byte, s.es.blockSize)
		}
		if busy {
			setBit(gr.busy, bit)
		} else {
			clearBit(gr.busy, bit)
			gr.noRun = 0
		}
		first++
	}
}

// findRun looks in a group for want free blocks together, from bit start on; it
// gives the first run as long as that, or else the longest one.
func (s *FS) findRun(g, start, want uint32) (bit, n uint32, err error) {
	b, err := s.blockBitmap(g)
	if err != nil {
		return 0, 0, err
	}
	gr := &s.groups[g]
	end := s.es.groupLen(g)
	for k := start; k < end; {
		if k&63 == 0 && k+64 <= end && le64(b.data, int(k>>3)) == ^uint64(0) {
			k += 64
			continue
		}
		if k&7 == 0 {
			used := b.data[k>>3]
			if gr.busy != nil {
				used |= gr.busy[k>>3]
			}
			if used == 0xff {
				k += 8
				continue
			}
		}
		if !s.isFree(gr, b, k) {
			k++
			continue
		}
		e := k + 1
		for e < end && e-k < want && s.isFree(gr, b, e) {
			e++
		}
		if e-k > n {
			bit, n = k, e-k
		}
		if n >= want {
			return bit, n, nil
		}
		k = e
	}
	if start == 0 && n < want {
		gr.noRun = want
	}
	return bit, n, nil
}

func (s *FS) isFree(gr *group, b *Buffer, k uint32) bool {
	return !testBit(b.data, k) && (gr.busy == nil || !testBit(gr.busy, k))
}

// newBlocks takes up to want blocks that lie together, near goal (a small
// ext4_mb_new_blocks): at goal itself, else the first run that is long enough
// in goal's group or the following ones, else shorter ones.
func (s *FS) newBlocks(h *handle, goal uint64, want uint32) (first uint64, n uint32, err error) {
	if s.freeBlks <= 0 || !h.reserved && uint64(s.freeBlks) <= s.es.rBlocksCount {
		return 0, 0, abi.ENOSPC
	}
	if !h.reserved {
		want = uint32(min(uint64(want), uint64(s.freeBlks)-s.es.rBlocksCount))
	}
	want = min(want, extMaxUnwritten, s.es.blocksPerGroup)
	for {
		g, bit, n, err := s.search(goal, want)
		if err != nil {
			return 0, 0, err
		}
		if n > 0 {
			return s.es.groupFirst(g) + uint64(bit), n, s.changeBits(h, g, bit, n, true)
		}
		// What is free is kept by preallocations, or by the running transaction.
		if len(s.prealloc) == 0 {
			break // FS.change commits and tries again
		}
		s.discardAll()
	}
	return 0, 0, abi.ENOSPC
}

func (s *FS) search(goal uint64, want uint32) (g, bit, n uint32, err error) {
	if goal <= uint64(s.es.firstDataBlock) || goal >= s.es.blocksCount {
		goal = uint64(s.es.firstDataBlock)
	}
	gg, gbit := s.es.groupOf(goal)
	if gr := &s.groups[gg]; gr.freeBlocks > 0 && !gr.bad {
		b, err := s.blockBitmap(gg)
		if err == nil && s.isFree(gr, b, gbit) {
			n := uint32(1)
			for n < want && gbit+n < s.es.groupLen(gg) && s.isFree(gr, b, gbit+n) {
				n++
			}
			if n >= min(want, 16) {
				return gg, gbit, n, nil
			}
		}
	}
	for w := want; ; w = max(w/4, 1) {
		for k := range s.es.groups {
			g := (gg + k) % s.es.groups
			gr := &s.groups[g]
			if gr.bad || gr.freeBlocks < w || gr.noRun != 0 && gr.noRun <= w {
				continue
			}
			start := uint32(0)
			if k == 0 {
				start = gbit
			}
			bit, n, err := s.findRun(g, start, w)
			if err == nil && n < w && start > 0 {
				bit, n, err = s.findRun(g, 0, w)
			}
			if err == nil && n >= w {
				return g, bit, n, nil
			}
		}
		if w == 1 {
			return 0, 0, 0, nil
		}
	}
}

// freeBlocks gives n blocks back. Metadata's are revoked in the journal. They
// are not given away again before the change is durable: until then the file
// they belonged to may come back.
func (s *FS) freeBlocks(h *handle, ino uint32, first uint64, n uint32, meta bool) error {
	if !s.validData(first, uint64(n)) {
		return s.corrupt(ino, first, "freeing %d blocks of metadata or beyond the end", n)
	}
	for n > 0 {
		g, bit := s.es.groupOf(first)
		k := min(n, s.es.groupLen(g)-bit)
		if meta {
			for b := range uint64(k) {
				if err := h.forget(first + b); err != nil {
					return err
				}
			}
		}
		if err := s.changeBits(h, g, bit, k, false); err != nil {
			return err
		}
		s.holdFreed(h, first, k)
		first, n = first+uint64(k), n-k
	}
	return nil
}
