// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// Changes of the extent tree. Each step leaves a sound tree. A full node is
// split, one at a time from the top, until the leaf has room; then the change
// starts anew from the root.

// accessNode and dirtyNode frame a change of a node; the root is part of the
// inode.
func (h *handle) accessNode(n *pathNode) error {
	if n.buf == nil {
		return nil
	}
	return h.access(n.buf)
}

func (i *inode) dirtyNode(h *handle, n *pathNode) error {
	if n.buf == nil {
		return i.s.writeInode(h, i)
	}
	i.setNodeCsum(n.node)
	h.changed(i, true)
	return h.dirty(n.buf)
}

func (i *inode) setNodeCsum(n node) {
	if i.s.es.metadataCsum() {
		t := n.tailOff()
		put32(n, t, crc32c(i.seed, n[:t]))
	}
}

// fixKeys gives the nodes above level k the key of its new first entry
// (ext4_ext_correct_indexes).
func (i *inode) fixKeys(h *handle, p path, k int, lblk uint32) error {
	for k--; k >= 0; k-- {
		n := &p[k]
		if err := h.accessNode(n); err != nil {
			return err
		}
		n.setKey(n.pos, lblk)
		if err := i.dirtyNode(h, n); err != nil {
			return err
		}
		if n.pos > 0 {
			return nil
		}
	}
	return nil
}

// joins reports whether b continues a in one extent.
func (a extent) joins(b extent) bool {
	most := uint32(extMaxLen)
	if a.unwritten {
		most = extMaxUnwritten
	}
	return a.unwritten == b.unwritten && a.end() == uint64(b.lblk) && a.pblk+uint64(a.n) == b.pblk && a.n+b.n <= most
}

// insertExtent adds an extent where there is a hole (ext4_ext_insert_extent).
func (i *inode) insertExtent(h *handle, e extent) error {
	for {
		p, err := i.findExtent(e.lblk)
		if err != nil {
			return err
		}
		l := p.leaf()
		if l.pos >= 0 && l.extent(l.pos).end() > uint64(e.lblk) || p.nextKey() != noBlock && e.end() > uint64(p.nextKey()) && l.pos+1 < l.entries() {
			return i.s.corrupt(i.ino, 0, "extent tree: logical block %d is mapped already", e.lblk)
		}
		left := l.pos >= 0 && l.extent(l.pos).joins(e)
		right := l.pos+1 < l.entries() && e.joins(l.extent(l.pos+1))
		if !left && !right && l.entries() >= l.max() {
			if err := i.makeRoom(h, p); err != nil {
				return err
			}
			continue
		}
		if err := h.accessNode(l); err != nil {
			return err
		}
		at := l.pos
		switch {
		case left:
			x := l.extent(at)
			x.n += e.n
			if at+1 < l.entries() && x.joins(l.extent(at+1)) {
				x.n += l.extent(at + 1).n
				l.remove(at + 1)
			}
			l.setExtent(at, x)
		case right:
			at++
			e.n += l.extent(at).n
			l.setExtent(at, e)
		default:
			at++
			l.insert(at)
			l.setExtent(at, e)
		}
		if err := i.dirtyNode(h, l); err != nil {
			return err
		}
		if at == 0 {
			err = i.fixKeys(h, p, len(p)-1, l.key(0))
		}
		if err == nil && left && len(p) > 1 && p[0].depth() == 1 {
			err = i.shrinkTree(h) // two extents may have become one
		}
		return err
	}
}

// makeRoom splits the topmost full node below one with room, or grows the tree.
func (i *inode) makeRoom(h *handle, p path) error {
	k := len(p) - 2
	for k >= 0 && p[k].entries() >= p[k].max() {
		k--
	}
	if k < 0 {
		return i.growTree(h)
	}
	up, full := &p[k], &p[k+1]
	b, err := i.newTreeBlock(h, full.buf.block)
	if err != nil {
		return err
	}
	cnt := full.entries()
	at := cnt / 2
	if full.pos >= cnt-1 { // appending: leave the left node full
		at = cnt - 1
	}
	n := node(b.data)
	n.init(n.capacity(false), full.depth())
	copy(n[extHeader:], full.node[extHeader+at*extEntry:extHeader+cnt*extEntry])
	n.setEntries(cnt - at)
	i.setNodeCsum(n)
	b.setVerified(asExtents, i.ino)
	if err := h.dirty(b); err != nil {
		return err
	}
	if err := h.accessNode(full); err != nil {
		return err
	}
	clear(full.node[extHeader+at*extEntry : extHeader+cnt*extEntry])
	full.setEntries(at)
	if err := i.dirtyNode(h, full); err != nil {
		return err
	}
	if err := h.accessNode(up); err != nil {
		return err
	}
	up.insert(up.pos + 1)
	up.setIndex(up.pos+1, n.key(0), b.block)
	return i.dirtyNode(h, up)
}

// growTree puts a level under the root (ext4_ext_grow_indepth).
func (i *inode) growTree(h *handle) error {
	root := node(i.iblock())
	if root.depth() >= extMaxDepth {
		return abi.EFBIG
	}
	b, err := i.newTreeBlock(h, i.goal(0))
	if err != nil {
		return err
	}
	n := node(b.data)
	n.init(n.capacity(false), root.depth())
	copy(n[extHeader:], root[extHeader:extHeader+root.entries()*extEntry])
	n.setEntries(root.entries())
	i.setNodeCsum(n)
	b.setVerified(asExtents, i.ino)
	if err := h.dirty(b); err != nil {
		return err
	}
	first := root.key(0)
	clear(root[extHeader:])
	root.init(extRootMax, n.depth()+1)
	root.setEntries(1)
	root.setIndex(0, first, b.block)
	return i.s.writeInode(h, i)
}

// newTreeBlock takes a block for a node or an indirect block.
func (i *inode) newTreeBlock(h *handle, goal uint64) (*Buffer, error) {
	first, _, err := i.s.newBlocks(h, goal, 1)
	if err != nil {
		return nil, err
	}
	i.addSectors(1)
	b, err := i.s.getblk(first)
	if err != nil {
		return nil, err
	}
	return b, h.access(b)
}

// addSectors counts blocks taken or given back.
func (i *inode) addSectors(blocks int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sectors = uint64(max(int64(i.sectors)+blocks*int64(i.s.es.blockSize/512), 0))
}

// reserveRoom makes the leaf of lblk have room for k more entries, so that what
// follows cannot fail half way.
func (i *inode) reserveRoom(h *handle, lblk uint32, k int) error {
	for {
		p, err := i.findExtent(lblk)
		if err != nil {
			return err
		}
		if l := p.leaf(); l.max()-l.entries() >= k {
			return nil
		}
		if err := i.makeRoom(h, p); err != nil {
			return err
		}
	}
}

// carve takes [a, b), which lies in one extent, out of the tree and gives it. The
// blocks stay allocated.
func (i *inode) carve(h *handle, a, b uint32) (extent, error) {
	p, err := i.findExtent(a)
	if err != nil {
		return extent{}, err
	}
	l := p.leaf()
	if l.pos < 0 || l.extent(l.pos).end() < uint64(b) {
		return extent{}, i.s.corrupt(i.ino, 0, "extent tree: logical block %d is not mapped", a)
	}
	e := l.extent(l.pos)
	cut := extent{a, b - a, e.pblk + uint64(a-e.lblk), e.unwritten}
	rest := extent{b, uint32(e.end() - uint64(b)), cut.pblk + uint64(cut.n), e.unwritten}
	if a > e.lblk && rest.n > 0 {
		if err := i.reserveRoom(h, a, 2); err != nil {
			return extent{}, err
		}
		if p, err = i.findExtent(a); err != nil {
			return extent{}, err
		}
		l = p.leaf()
	}
	if err := h.accessNode(l); err != nil {
		return extent{}, err
	}
	at := l.pos
	switch {
	case a > e.lblk:
		e.n = a - e.lblk
		l.setExtent(at, e)
		if rest.n > 0 {
			l.insert(at + 1)
			l.setExtent(at+1, rest)
		}
		return cut, i.dirtyNode(h, l)
	case rest.n > 0:
		l.setExtent(at, rest)
	default:
		l.remove(at)
		if l.entries() == 0 && len(p) > 1 {
			return cut, i.removeNode(h, p, len(p)-1)
		}
	}
	if err := i.dirtyNode(h, l); err != nil {
		return extent{}, err
	}
	if at == 0 && l.entries() > 0 {
		return cut, i.fixKeys(h, p, len(p)-1, l.key(0))
	}
	return cut, nil
}

// removeNode frees the empty node at level k of the path (ext4_ext_rm_idx).
func (i *inode) removeNode(h *handle, p path, k int) error {
	block := p[k].buf.block
	up := &p[k-1]
	if err := h.accessNode(up); err != nil {
		return err
	}
	up.remove(up.pos)
	i.addSectors(-1)
	if err := i.s.freeBlocks(h, i.ino, block, 1, true); err != nil {
		return err
	}
	if up.entries() == 0 {
		if up.buf != nil {
			return i.removeNode(h, p, k-1)
		}
		up.init(extRootMax, 0)
	}
	if err := i.dirtyNode(h, up); err != nil {
		return err
	}
	if up.pos == 0 && up.entries() > 0 {
		return i.fixKeys(h, p, k-1, up.key(0))
	}
	return nil
}

// unmapExtents frees the blocks of [from, to) (ext4_ext_remove_space).
func (i *inode) unmapExtents(h *handle, from, to uint64) error {
	for from < to && from < maxBlocks {
		r, err := i.mapExtent(uint32(from), uint32(min(to-from, 1<<31)))
		if err != nil {
			return err
		}
		if r.Physical == noPhys {
			from += r.Len
			continue
		}
		if err := h.restart(creditsTree); err != nil {
			return err
		}
		if i.metaData() {
			r.Len = min(r.Len, revokeCredits/2) // each is revoked, and tree nodes are
		}
		e, err := i.carve(h, uint32(from), uint32(from+r.Len))
		if err != nil {
			return err
		}
		i.addSectors(-int64(e.n))
		if err := i.s.freeBlocks(h, i.ino, e.pblk, e.n, i.metaData()); err != nil {
			return err
		}
		if err := i.s.writeInode(h, i); err != nil {
			return err
		}
		from += r.Len
	}
	return i.shrinkTree(h)
}

// metaData reports whether the file's contents are metadata, in the cache and
// the journal.
func (i *inode) metaData() bool { return i.kind != abi.S_IFREG || i.logged() }

// setUnwritten changes whether [lblk, lblk+n), which lies in one extent, reads
// as zeros (ext4_convert_unwritten_extents_endio).
func (i *inode) setUnwritten(h *handle, lblk, n uint32, unwritten bool) error {
	if err := i.reserveRoom(h, lblk, 2); err != nil {
		return err
	}
	e, err := i.carve(h, lblk, lblk+n)
	if err != nil {
		return err
	}
	e.unwritten = unwritten
	for e.n > 0 { // a written extent can be one block longer than an unwritten one
		x := e
		if unwritten {
			x.n = min(x.n, extMaxUnwritten)
		}
		if err := i.insertExtent(h, x); err != nil {
			return err
		}
		e.lblk, e.pblk, e.n = e.lblk+x.n, e.pblk+uint64(x.n), e.n-x.n
	}
	return i.shrinkTree(h)
}
