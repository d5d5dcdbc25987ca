// SPDX-License-Identifier: Apache-2.0

package ext4

// The extent tree (fs/ext4/extents.c): nodes of 12-byte entries after a header of
// as much. Leaves hold extents, the other nodes lead to the nodes below. The root
// is in the inode; the other nodes fill a block each and end with a checksum.

const (
	extMagic    = 0xf30a
	extHeader   = 12
	extEntry    = 12
	extMaxDepth = 5
	rootDepth   = -1 // for checkExtentNode: the root, whose depth is its own

	extMaxLen       = 1 << 15    // blocks in a written extent
	extMaxUnwritten = 1<<15 - 1  // blocks in an unwritten one
	maxBlocks       = 1<<32 - 1  // logical blocks of a file
	noBlock         = ^uint32(0) // no logical block
	noPhys          = uint64(0)  // a hole
	extNodeMinSize  = extHeader  // bytes that a node has at least
	extTail         = 4          // bytes of checksum
	extRootMax      = (60 - 12) / 12
)

// extent is a decoded leaf entry.
type extent struct {
	lblk      uint32 // first block in the file
	n         uint32 // blocks
	pblk      uint64 // first block on the device
	unwritten bool
}

func (e extent) end() uint64 { return uint64(e.lblk) + uint64(e.n) }

// node is the bytes of an extent node; its methods stay within them.
type node []byte

// capacity is how many entries have room.
func (n node) capacity(root bool) int {
	if root {
		return extRootMax
	}
	return (len(n) - extHeader) / extEntry
}

func (n node) entries() int { return min(int(le16(n, 2)), (len(n)-extHeader)/extEntry) }
func (n node) max() int     { return min(int(le16(n, 4)), (len(n)-extHeader)/extEntry) }
func (n node) depth() int   { return int(le16(n, 6)) }

func (n node) setEntries(k int) { put16(n, 2, uint16(k)) }

func (n node) init(max, depth int) {
	put16(n, 0, extMagic)
	put16(n, 2, 0)
	put16(n, 4, uint16(max))
	put16(n, 6, uint16(depth))
	put32(n, 8, 0)
}

// key gives the first logical block of entry k.
func (n node) key(k int) uint32 { return le32(n, extHeader+k*extEntry) }

func (n node) setKey(k int, lblk uint32) { put32(n, extHeader+k*extEntry, lblk) }

// extent decodes entry k of a leaf.
func (n node) extent(k int) extent {
	off := extHeader + k*extEntry
	l := uint32(le16(n, off+4))
	e := extent{lblk: le32(n, off), n: l, pblk: uint64(le32(n, off+8)) | uint64(le16(n, off+6))<<32}
	if l > extMaxLen {
		e.n, e.unwritten = l-extMaxLen, true
	}
	return e
}

func (n node) setExtent(k int, e extent) {
	off := extHeader + k*extEntry
	l := e.n
	if e.unwritten {
		l += extMaxLen
	}
	put32(n, off, e.lblk)
	put16(n, off+4, uint16(l))
	put16(n, off+6, uint16(e.pblk>>32))
	put32(n, off+8, uint32(e.pblk))
}

// child gives the block that entry k of an inner node leads to.
func (n node) child(k int) uint64 {
	off := extHeader + k*extEntry
	return uint64(le32(n, off+4)) | uint64(le16(n, off+8))<<32
}

func (n node) setIndex(k int, lblk uint32, block uint64) {
	off := extHeader + k*extEntry
	put32(n, off, lblk)
	put32(n, off+4, uint32(block))
	put16(n, off+8, uint16(block>>32))
	put16(n, off+10, 0)
}

// insert makes room for an entry at k.
func (n node) insert(k int) {
	cnt := n.entries()
	copy(n[extHeader+(k+1)*extEntry:extHeader+(cnt+1)*extEntry], n[extHeader+k*extEntry:extHeader+cnt*extEntry])
	n.setEntries(cnt + 1)
}

// remove takes entry k out.
func (n node) remove(k int) {
	cnt := n.entries()
	copy(n[extHeader+k*extEntry:], n[extHeader+(k+1)*extEntry:extHeader+cnt*extEntry])
	clear(n[extHeader+(cnt-1)*extEntry : extHeader+cnt*extEntry])
	n.setEntries(cnt - 1)
}

// search gives the last entry whose key is at most lblk; -1: none.
func (n node) search(lblk uint32) int {
	lo, hi := 0, n.entries()
	for lo < hi {
		if m := (lo + hi) / 2; n.key(m) <= lblk {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo - 1
}

// tailOff gives the place of the checksum in a block's node.
func (n node) tailOff() int { return extHeader + n.capacity(false)*extEntry }

// checkExtentNode is __ext4_ext_check: it checks everything about a node but the
// nodes below. Its entries must lie in [lo, hi); block is its place, 0 for the
// root.
func (i *inode) checkExtentNode(n node, depth int, lo, hi uint64, block uint64) error {
	bad := func(format string, args ...any) error {
		return i.s.corrupt(i.ino, block, "extent tree: "+format, args...)
	}
	root := block == 0
	switch {
	case le16(n, 0) != extMagic:
		return bad("bad magic %#x", le16(n, 0))
	case depth != rootDepth && n.depth() != depth:
		return bad("depth %d, expected %d", n.depth(), depth)
	case n.depth() > extMaxDepth:
		return bad("depth %d", n.depth())
	case le16(n, 4) == 0 || int(le16(n, 4)) > n.capacity(root):
		return bad("room for %d entries", le16(n, 4))
	case le16(n, 2) > le16(n, 4):
		return bad("%d entries, room for %d", le16(n, 2), le16(n, 4))
	case n.entries() == 0 && (!root || n.depth() > 0):
		return bad("empty node")
	}
	if !root && i.s.es.metadataCsum() {
		if t := n.tailOff(); t+extTail > len(n) || crc32c(i.seed, n[:t]) != le32(n, t) {
			return i.s.badCsum(i.ino, block, "extent node")
		}
	}
	prev := lo
	for k := range n.entries() {
		if n.depth() > 0 {
			first := uint64(n.key(k))
			if first < prev || first >= hi || !i.s.validData(n.child(k), 1) {
				return bad("index entry %d: logical block %d, node at block %d", k, first, n.child(k))
			}
			prev = first + 1
			continue
		}
		e := n.extent(k)
		if e.n == 0 || uint64(e.lblk) < prev || e.end() > hi || e.end() > maxBlocks+1 || !i.s.validData(e.pblk, uint64(e.n)) {
			return bad("entry %d: %d blocks at logical block %d, block %d", k, e.n, e.lblk, e.pblk)
		}
		prev = e.end()
	}
	return nil
}

// pathNode is one level of the way from the root to a leaf.
type pathNode struct {
	buf *Buffer // nil: the root
	node
	pos int // entry taken; -1: before the first one (only in leaves)
	hi  uint64
}

// path is the way to a logical block; path[len-1] is the leaf.
type path []pathNode

func (p path) leaf() *pathNode { return &p[len(p)-1] }

// findExtent walks to lblk (ext4_find_extent).
func (i *inode) findExtent(lblk uint32) (path, error) {
	n := node(i.iblock())
	if err := i.checkRoot(n); err != nil {
		return nil, err
	}
	p := make(path, 0, n.depth()+1)
	p = append(p, pathNode{node: n, hi: maxBlocks + 1})
	for d := n.depth(); d > 0; d-- {
		up := &p[len(p)-1]
		up.pos = max(up.search(lblk), 0)
		hi := up.hi
		if up.pos+1 < up.entries() {
			hi = uint64(up.key(up.pos + 1))
		}
		b, err := i.extentBlock(up.child(up.pos), d-1, uint64(up.key(up.pos)), hi)
		if err != nil {
			return nil, err
		}
		p = append(p, pathNode{buf: b, node: b.data, hi: hi})
	}
	l := p.leaf()
	l.pos = l.search(lblk)
	return p, nil
}

// checkRoot is a short check of the root, which was checked when the inode was
// read.
func (i *inode) checkRoot(n node) error {
	if le16(n, 0) != extMagic || n.depth() > extMaxDepth || n.max() > extRootMax || n.entries() > n.max() || n.depth() > 0 && n.entries() == 0 {
		return i.s.corrupt(i.ino, 0, "extent tree: bad root")
	}
	return nil
}

// extentBlock reads and checks a node.
func (i *inode) extentBlock(block uint64, depth int, lo, hi uint64) (*Buffer, error) {
	if !i.s.validData(block, 1) {
		return nil, i.s.corrupt(i.ino, block, "extent tree: node among the metadata")
	}
	b, err := i.s.bread(block)
	if err != nil {
		return nil, err
	}
	if b.verifiedAs(asExtents, i.ino) && node(b.data).depth() == depth && node(b.data).entries() > 0 {
		return b, nil
	}
	if err := i.checkExtentNode(b.data, depth, lo, hi, block); err != nil {
		return nil, err
	}
	b.setVerified(asExtents, i.ino)
	return b, nil
}

// mapExtent tells what lblk is mapped to; n is how far to look at most.
// It is findExtent without the path.
func (i *inode) mapExtent(lblk, n uint32) (Run, error) {
	l := node(i.iblock())
	if err := i.checkRoot(l); err != nil {
		return Run{}, err
	}
	hi := uint64(maxBlocks + 1) // no extent reaches beyond
	for d := l.depth(); d > 0; d-- {
		pos := max(l.search(lblk), 0)
		if pos+1 < l.entries() {
			hi = uint64(l.key(pos + 1))
		}
		b, err := i.extentBlock(l.child(pos), d-1, uint64(l.key(pos)), hi)
		if err != nil {
			return Run{}, err
		}
		l = b.data
	}
	r := Run{Logical: uint64(lblk), Len: uint64(n)}
	pos := l.search(lblk)
	if pos >= 0 {
		if e := l.extent(pos); uint64(lblk) < e.end() {
			off := lblk - e.lblk
			r.Physical, r.Len, r.Unwritten = e.pblk+uint64(off), uint64(min(n, e.n-off)), e.unwritten
			return r, nil
		}
	}
	if pos+1 < l.entries() {
		hi = uint64(l.key(pos + 1))
	}
	if hi <= maxBlocks { // the hole ends there
		r.Len = min(r.Len, hi-uint64(lblk))
	}
	return r, nil
}

// nextKey gives the key after the path's position: no extent that starts after
// it and before that; noBlock when there is none.
func (p path) nextKey() uint32 {
	for k := len(p) - 1; k >= 0; k-- {
		if n := &p[k]; n.pos+1 < n.entries() {
			return n.key(n.pos + 1)
		}
	}
	return noBlock
}
