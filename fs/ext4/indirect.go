// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// The block map of ext2 and ext3 (fs/ext4/indirect.c): twelve direct block
// numbers, then one, two and three levels of blocks of block numbers.

const (
	directBlocks = 12
	slots        = 15 // block numbers in the inode
)

// indirectPath finds the way to lblk: the slot in the inode, then the offset in
// each level of indirect blocks (ext4_block_to_path).
func (es *super) indirectPath(lblk uint32) (offs [4]uint32, depth int, err error) {
	n, a := uint64(lblk), uint64(es.addrPerBlock)
	if n < directBlocks {
		return [4]uint32{lblk}, 1, nil
	}
	if n -= directBlocks; n < a {
		return [4]uint32{directBlocks, uint32(n)}, 2, nil
	}
	if n -= a; n < a*a {
		return [4]uint32{directBlocks + 1, uint32(n / a), uint32(n % a)}, 3, nil
	}
	if n -= a * a; n < a*a*a {
		return [4]uint32{directBlocks + 2, uint32(n / a / a), uint32(n / a % a), uint32(n % a)}, 4, nil
	}
	return offs, 0, abi.EFBIG
}

// indirectBlock reads an indirect block and checks every number in it
// (ext4_check_indirect_blockref).
func (i *inode) indirectBlock(block uint64) (*Buffer, error) {
	if !i.s.validData(block, 1) {
		return nil, i.s.corrupt(i.ino, block, "indirect block among the metadata")
	}
	b, err := i.s.bread(block)
	if err != nil {
		return nil, err
	}
	if b.verifiedAs(asIndex, i.ino) {
		return b, nil
	}
	for off := 0; off < len(b.data); off += 4 {
		if p := uint64(le32(b.data, off)); p != 0 && !i.s.validData(p, 1) {
			return nil, i.s.corrupt(i.ino, block, "indirect block: entry %d leads to block %d", off/4, p)
		}
	}
	b.setVerified(asIndex, i.ino)
	return b, nil
}

// mapIndirect tells what lblk is mapped to; n is how far to look at most.
func (i *inode) mapIndirect(lblk, n uint32) (Run, error) {
	r := Run{Logical: uint64(lblk), Len: uint64(n)}
	offs, depth, err := i.s.es.indirectPath(lblk)
	if err != nil {
		return r, nil // beyond what can be mapped: a hole
	}
	table, at, span := i.iblock(), offs[0], uint64(1)
	for range depth - 1 {
		span *= uint64(i.s.es.addrPerBlock)
	}
	for level := 1; level < depth; level++ {
		block := uint64(le32(table, int(at)*4))
		if block == 0 { // a hole up to the end of what it would lead to
			r.Len = min(r.Len, span-i.within(offs, level, depth))
			return r, nil
		}
		b, err := i.indirectBlock(block)
		if err != nil {
			return r, err
		}
		table, at, span = b.data, offs[level], span/uint64(i.s.es.addrPerBlock)
	}
	limit := uint32(len(table) / 4)
	if depth == 1 {
		limit = directBlocks
	}
	first := uint64(le32(table, int(at)*4))
	k := uint32(1)
	for ; k < n && at+k < limit; k++ {
		p := uint64(le32(table, int(at+k)*4))
		if first == 0 && p != 0 || first != 0 && p != first+uint64(k) {
			break
		}
	}
	r.Len, r.Physical = uint64(k), first
	return r, nil
}

// within gives how far into the subtree at level a path leads, in blocks.
func (i *inode) within(offs [4]uint32, level, depth int) uint64 {
	n := uint64(0)
	for l := level; l < depth; l++ {
		n = n*uint64(i.s.es.addrPerBlock) + uint64(offs[l])
	}
	return n
}
