// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"errors"

	"lodger/abi"
)

// The index of a large directory (fs/ext4/namei.c, "dx"): block 0 holds "." and
// "..", then the root of a tree whose entries are (hash, block in the
// directory). Its leaves are ordinary blocks of entries.

// errBadIndex: the index cannot be used; look at every block (ERR_BAD_DX_DIR).
var errBadIndex = errors.New("bad directory index")

const (
	dxRootInfo = 24 // offset of the root's information: after "." and ".."
	dxNodeOff  = 8  // offset of a node's entries: after an empty entry
	dxEntry    = 8
)

// dxNode is a root's or node's entries: the first one's hash field holds limit
// and count.
type dxNode struct {
	buf  *Buffer
	data []byte // from the entries on
	pos  int
}

func (n *dxNode) limit() int { return int(le16(n.data, 0)) }

// count never exceeds what there is room for, whatever the block says.
func (n *dxNode) count() int { return min(int(le16(n.data, 2)), len(n.data)/dxEntry) }

func (n *dxNode) hash(k int) uint32 {
	if k == 0 {
		return 0
	}
	return le32(n.data, k*dxEntry)
}

func (n *dxNode) block(k int) uint32 { return le32(n.data, k*dxEntry+4) & 0x0fffffff }

// isIndexBlock recognises a node of the index: an empty entry over the block.
func (s *FS) isIndexBlock(b []byte) bool {
	return le32(b, 0) == 0 && recLen(le16(b, 4), len(b)) == len(b) && b[6] == 0
}

// dxLimit gives how many entries fit a block from off on (dx_root_limit,
// dx_node_limit).
func (s *FS) dxLimit(off int) int {
	n := int(s.es.blockSize) - off
	if s.es.metadataCsum() {
		n -= dxEntry // the tail
	}
	return n / dxEntry
}

// dxCsum computes the checksum of an index block, whose entries start at off.
func (i *inode) dxCsum(b []byte, off int) (sum uint32, tail int) {
	limit, count := int(le16(b, off)), int(le16(b, off+2))
	tail = off + limit*dxEntry
	if tail+dxEntry > len(b) || count > limit {
		return 0, -1
	}
	c := crc32c(i.seed, b[:off+count*dxEntry])
	c = crc32c(c, b[tail:tail+4])
	return crc32cZero(c, 4), tail
}

func (i *inode) setDxCsum(b []byte, off int) {
	if i.s.es.metadataCsum() {
		if sum, tail := i.dxCsum(b, off); tail >= 0 {
			put32(b, tail+4, sum)
		}
	}
}

// dxBlock reads and checks an index block.
func (i *inode) dxBlock(n uint32, off int) (*dxNode, error) {
	b, err := i.dirBlock(n)
	if err != nil {
		return nil, err
	}
	if b == nil {
		i.s.corrupt(i.ino, 0, "directory index: block %d is a hole", n)
		return nil, errBadIndex
	}
	d := &dxNode{buf: b, data: b.data[off:]}
	if b.verifiedAs(asIndex, i.ino) {
		return d, nil
	}
	switch {
	case off == dxNodeOff && !i.s.isIndexBlock(b.data):
		i.s.corrupt(i.ino, b.block, "directory index: no index block")
		return nil, errBadIndex
	case d.limit() != i.s.dxLimit(off) || d.count() == 0 || d.count() > d.limit():
		i.s.corrupt(i.ino, b.block, "directory index: %d of %d entries", d.count(), d.limit())
		return nil, errBadIndex
	}
	if i.s.es.metadataCsum() {
		if sum, tail := i.dxCsum(b.data, off); tail < 0 || sum != le32(b.data, tail+4) {
			return nil, i.s.badCsum(i.ino, b.block, "directory index")
		}
	}
	b.setVerified(asIndex, i.ino)
	return d, nil
}

// dxPath is the way from the root of the index to the entry of a leaf.
type dxPath struct {
	nodes      []*dxNode
	hash       uint32
	version    uint8
	infoLevels int
}

// leaf gives the leaf's block number in the directory.
func (p *dxPath) leaf() uint32 { n := p.nodes[len(p.nodes)-1]; return n.block(n.pos) }

// probe finds the leaf of a name (dx_probe).
func (i *inode) probe(name string) (*dxPath, error) {
	b, err := i.dirBlock(0)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errBadIndex
	}
	info := b.data[dxRootInfo:]
	p := &dxPath{version: info[4], infoLevels: int(info[6])}
	most := 1
	if i.s.es.hasIncompat(incompatLargeDir) {
		most = 2
	}
	if info[5] != 8 || info[7]&1 != 0 || p.infoLevels > most || p.version > hashTea {
		i.s.corrupt(i.ino, b.block, "directory index: unknown root (hash %d, levels %d)", p.version, p.infoLevels)
		return nil, errBadIndex
	}
	if i.s.es.hashUnsigned {
		p.version += hashLegacyU
	}
	p.hash, _, _ = dirHash(name, p.version, i.s.es.hashSeed)
	n, off := uint32(0), dxRootInfo+8
	for level := 0; ; level++ {
		d, err := i.dxBlock(n, off)
		if err != nil {
			return nil, err
		}
		lo, hi := 1, d.count()
		for lo < hi {
			if m := (lo + hi) / 2; d.hash(m) <= p.hash {
				lo = m + 1
			} else {
				hi = m
			}
		}
		d.pos = lo - 1
		p.nodes = append(p.nodes, d)
		n, off = d.block(d.pos), dxNodeOff
		if n == 0 || n >= i.dirBlocks() {
			i.s.corrupt(i.ino, d.buf.block, "directory index: leads to block %d of %d", n, i.dirBlocks())
			return nil, errBadIndex
		}
		if level == p.infoLevels {
			return p, nil
		}
	}
}

// next moves to the next leaf if it may hold names of the same hash too
// (ext4_htree_next_block).
func (i *inode) next(p *dxPath) (bool, error) {
	k := len(p.nodes) - 1
	for ; p.nodes[k].pos+1 >= p.nodes[k].count(); k-- {
		if k == 0 {
			return false, nil
		}
	}
	p.nodes[k].pos++
	// The lowest bit of a hash says that names of it began in the leaf before.
	if h := p.nodes[k].hash(p.nodes[k].pos); h&^1 != p.hash || h&1 == 0 {
		return false, nil
	}
	for ; k+1 < len(p.nodes); k++ {
		d, err := i.dxBlock(p.nodes[k].block(p.nodes[k].pos), dxNodeOff)
		if err != nil {
			return false, err
		}
		p.nodes[k+1] = d
	}
	return true, nil
}

// findIndexed looks name up in the index (ext4_dx_find_entry).
func (i *inode) findIndexed(name string) (found, error) {
	p, err := i.probe(name)
	if err != nil {
		return found{}, err
	}
	for range i.dirBlocks() {
		b, err := i.leafBlock(p.leaf())
		if err != nil {
			return found{}, err
		}
		if b == nil || p.leaf() == 0 || p.leaf() >= i.dirBlocks() {
			return found{}, errBadIndex
		}
		if f, ok := i.s.scan(b, name, len(b.data)-i.s.dirTail()); ok {
			return f, nil
		}
		more, err := i.next(p)
		if err != nil {
			return found{}, err
		}
		if !more {
			return found{}, abi.ENOENT
		}
	}
	return found{}, errBadIndex
}
