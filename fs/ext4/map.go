// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// mapBlocks tells what n blocks of a file from lblk on are mapped to, or the
// first of them that lie together (ext4_map_blocks). Physical 0 is a hole.
func (i *inode) mapBlocks(lblk, n uint32) (Run, error) {
	if n == 0 {
		n = 1
	}
	n = min(n, maxBlocks-lblk)
	if n == 0 {
		return Run{}, abi.EFBIG
	}
	var r Run
	var err error
	if i.is(flExtents) {
		r, err = i.mapExtent(lblk, n)
	} else {
		r, err = i.mapIndirect(lblk, n)
	}
	if err != nil {
		return r, err
	}
	if r.Physical != noPhys && !i.s.validData(r.Physical, r.Len) && !i.isJournal() {
		return r, i.s.corrupt(i.ino, r.Physical, "logical block %d is mapped to metadata or beyond the end", lblk)
	}
	if r.Len == 0 {
		return r, i.s.corrupt(i.ino, 0, "empty mapping of logical block %d", lblk)
	}
	return r, nil
}

// isJournal: the journal's own blocks are in the system zone.
func (i *inode) isJournal() bool { return i.ino == i.s.es.journalInum && i.ino != 0 }

// blocksIn gives how many blocks hold size bytes.
func (es *super) blocksIn(size int64) uint64 { return divUp(uint64(size), uint64(es.blockSize)) }

// runs lists the mapped runs of blocks [first, end), neighbours joined.
func (i *inode) runs(first, end uint64, emit func(Run) bool) error {
	var have Run
	steps := uint64(0)
	for l := first; l < end && l < maxBlocks; {
		r, err := i.mapBlocks(uint32(l), uint32(min(end-l, 1<<30)))
		if err != nil {
			return err
		}
		l += r.Len
		if err := i.limit(&steps); err != nil {
			return err
		}
		if r.Physical == noPhys {
			continue
		}
		if have.Len > 0 && have.Logical+have.Len == r.Logical && have.Physical+have.Len == r.Physical && have.Unwritten == r.Unwritten {
			have.Len += r.Len
			continue
		}
		if have.Len > 0 && !emit(have) {
			return nil
		}
		have = r
	}
	if have.Len > 0 {
		emit(have)
	}
	return nil
}

// limit ends walks over a block map that has more pieces than the device has
// blocks: its nodes are shared.
func (i *inode) limit(steps *uint64) error {
	if *steps++; *steps > 2*i.s.es.blocksCount {
		return i.s.corrupt(i.ino, 0, "block map does not end")
	}
	return nil
}

// maxSize gives the largest size of a file (ext4_max_size,
// ext4_max_bitmap_size).
func (i *inode) maxSize() int64 {
	bs := int64(i.s.es.blockSize)
	if i.is(flExtents) {
		return maxBlocks * bs
	}
	a := int64(i.s.es.addrPerBlock)
	n := min(directBlocks+a+a*a+a*a*a, maxBlocks)
	if !i.s.es.hasRO(roHugeFile) { // i_blocks has 32 bits of 512 bytes
		n = min(n, (1<<32-1)/(bs/512)-(3+a+a*a))
	}
	return n * bs
}
