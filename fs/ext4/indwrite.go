// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// setIndirect maps lblk to a block, making the indirect blocks that lead there
// (ext4_alloc_branch).
func (i *inode) setIndirect(h *handle, lblk uint32, pblk uint64) error {
	if pblk >= 1<<32 {
		return abi.EFBIG
	}
	offs, depth, err := i.s.es.indirectPath(lblk)
	if err != nil {
		return err
	}
	var up *Buffer // nil: the inode
	table, at := i.iblock(), offs[0]
	for level := 1; level < depth; level++ {
		block := uint64(le32(table, int(at)*4))
		var b *Buffer
		if block == 0 {
			if b, err = i.newTreeBlock(h, i.goal(lblk)); err != nil {
				return err
			}
			b.setVerified(asIndex, i.ino)
			if err := h.dirty(b); err != nil {
				return err
			}
			if err := i.putSlot(h, up, table, at, b.block); err != nil {
				return err
			}
		} else if b, err = i.indirectBlock(block); err != nil {
			return err
		}
		up, table, at = b, b.data, offs[level]
	}
	if le32(table, int(at)*4) != 0 {
		return i.s.corrupt(i.ino, 0, "logical block %d is mapped already", lblk)
	}
	return i.putSlot(h, up, table, at, pblk)
}

// putSlot writes a block number into an indirect block or the inode.
func (i *inode) putSlot(h *handle, b *Buffer, table []byte, at uint32, block uint64) error {
	if b == nil {
		put32(table, int(at)*4, uint32(block))
		return i.s.writeInode(h, i)
	}
	if err := h.access(b); err != nil {
		return err
	}
	put32(table, int(at)*4, uint32(block))
	h.changed(i, true)
	return h.dirty(b)
}

// unmapIndirect frees the blocks of [from, to) (ext4_ind_remove_space).
func (i *inode) unmapIndirect(h *handle, from, to uint64) error {
	first, span, a := uint64(0), uint64(1), uint64(i.s.es.addrPerBlock)
	for slot := range uint32(slots) {
		if slot >= directBlocks {
			span *= a
		}
		if first < to && first+span > from {
			if err := i.unmapSlot(h, nil, i.iblock(), slot, first, span, from, to); err != nil {
				return err
			}
		}
		first += span
	}
	return nil
}

// unmapSlot frees what of [from, to) lies below one block number, which covers
// span blocks from first on; and the indirect block when nothing is left in it.
func (i *inode) unmapSlot(h *handle, up *Buffer, table []byte, at uint32, first, span, from, to uint64) error {
	block := uint64(le32(table, int(at)*4))
	if block == 0 {
		return nil
	}
	meta := i.metaData()
	if span > 1 {
		b, err := i.indirectBlock(block)
		if err != nil {
			return err
		}
		sub := span / uint64(i.s.es.addrPerBlock)
		for k := range i.s.es.addrPerBlock {
			f := first + uint64(k)*sub
			if f < to && f+sub > from {
				if err := i.unmapSlot(h, b, b.data, k, f, sub, from, to); err != nil {
					return err
				}
			}
		}
		if !allZero(b.data) {
			return nil
		}
		meta = true
	}
	if err := h.restart(creditsTree); err != nil {
		return err
	}
	if err := i.putSlot(h, up, table, at, 0); err != nil {
		return err
	}
	i.addSectors(-1)
	if err := i.s.freeBlocks(h, i.ino, block, 1, meta); err != nil {
		return err
	}
	return i.s.writeInode(h, i)
}

// unmap frees the blocks of [from, to).
func (i *inode) unmap(h *handle, from, to uint64) error {
	if from >= to {
		return nil
	}
	if i.is(flExtents) {
		return i.unmapExtents(h, from, to)
	}
	return i.unmapIndirect(h, from, to)
}

// addMapping maps n blocks from lblk on to pblk on. What cannot be mapped is
// freed.
func (i *inode) addMapping(h *handle, lblk uint32, pblk uint64, n uint32, unwritten bool) error {
	i.addSectors(int64(n))
	if i.is(flExtents) {
		err := i.insertExtent(h, extent{lblk, n, pblk, unwritten})
		if err != nil {
			i.addSectors(-int64(n))
			i.s.freeBlocks(h, i.ino, pblk, n, i.metaData())
		}
		return err
	}
	for k := range n {
		if err := i.setIndirect(h, lblk+k, pblk+uint64(k)); err != nil {
			i.addSectors(-int64(n - k))
			i.s.freeBlocks(h, i.ino, pblk+uint64(k), n-k, i.metaData())
			return err
		}
	}
	return nil
}
