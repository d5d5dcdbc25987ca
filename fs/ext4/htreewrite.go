// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"cmp"
	"slices"

	"lodger/abi"
	"lodger/lib/printk"
)

// hashed is an entry of a leaf about to be split.
type hashed struct {
	hash uint32
	ino  uint32
	typ  uint8
	name string
}

// hashLeaf lists a leaf's entries by hash.
func (i *inode) hashLeaf(b []byte, version uint8) []hashed {
	var l []hashed
	i.s.eachDirent(b, func(e dirent) bool {
		n := string(e.name)
		x, _, _ := dirHash(n, version, i.s.es.hashSeed)
		l = append(l, hashed{x, e.ino, e.typ, n})
		return true
	})
	slices.SortStableFunc(l, func(a, b hashed) int { return cmp.Compare(a.hash, b.hash) })
	return l
}

// fillLeaf makes a block of these entries.
func (i *inode) fillLeaf(h *handle, b *Buffer, l []hashed) error {
	clear(b.data)
	end, off := len(b.data)-i.s.dirTail(), 0
	for k, e := range l {
		rec := direntLen(len(e.name))
		if k == len(l)-1 {
			rec = end - off
		}
		i.s.putDirent(b.data, off, rec, e.ino, e.typ, e.name)
		off += rec
	}
	if len(l) == 0 {
		i.emptyLeaf(b)
	}
	i.setDirCsum(b.data)
	b.setVerified(asDir, i.ino)
	return h.dirty(b)
}

// makeIndexed turns a directory of one block into an indexed one
// (make_indexed_dir).
func (i *inode) makeIndexed(h *handle) error {
	s := i.s
	root, err := i.leafBlock(0)
	if err != nil {
		return err
	}
	if root == nil {
		return i.s.corrupt(i.ino, 0, "directory without its first block")
	}
	dot, ok1 := s.direntAt(root.data, 0)
	dotdot, ok2 := s.direntAt(root.data, dot.rec)
	if !ok1 || !ok2 || string(dot.name) != "." || string(dotdot.name) != ".." {
		return s.corrupt(i.ino, root.block, "directory does not start with its dots")
	}
	parent := dotdot.ino
	var rest []hashed
	for _, e := range i.hashLeaf(root.data[:len(root.data)-s.dirTail()], s.hashVersion()) {
		if e.name != "." && e.name != ".." {
			rest = append(rest, e)
		}
	}
	leaf, at, err := i.appendBlock(h)
	if err != nil {
		return err
	}
	if err := i.fillLeaf(h, leaf, rest); err != nil {
		return err
	}
	if err := h.access(root); err != nil {
		return err
	}
	clear(root.data)
	d := direntLen(1)
	s.putDirent(root.data, 0, d, i.ino, 2, ".")
	s.putDirent(root.data, d, len(root.data)-d, parent, 2, "..")
	info := root.data[dxRootInfo:]
	info[4], info[5] = s.hashVersion()%hashLegacyU, 8
	put16(info, 8, uint16(s.dxLimit(dxRootInfo+8)))
	put16(info, 10, 1)
	put32(info, 12, at)
	i.setDxCsum(root.data, dxRootInfo+8)
	root.setVerified(asIndex, i.ino)
	if err := h.dirty(root); err != nil {
		return err
	}
	return i.update(h, func() { i.flags |= flIndex })
}

// hashVersion is the version for new indexes, the unsigned kinds counted apart.
func (s *FS) hashVersion() uint8 {
	v := s.es.defHashVersion
	if v > hashTea {
		v = hashHalfMD4
	}
	if s.es.hashUnsigned {
		v += hashLegacyU
	}
	return v
}

// off gives where the node's entries start in its block.
func (n *dxNode) off() int { return len(n.buf.data) - len(n.data) }

// insertAfter adds an entry behind the position.
func (i *inode) dxInsert(h *handle, n *dxNode, hash, block uint32) error {
	if err := h.access(n.buf); err != nil {
		return err
	}
	c, at := n.count(), n.pos+1
	copy(n.data[(at+1)*dxEntry:(c+1)*dxEntry], n.data[at*dxEntry:c*dxEntry])
	put32(n.data, at*dxEntry, hash)
	put32(n.data, at*dxEntry+4, block)
	put16(n.data, 2, uint16(c+1))
	i.setDxCsum(n.buf.data, n.off())
	return h.dirty(n.buf)
}

// addIndexed adds a name through the index (ext4_dx_add_entry): what is full is
// split, one block at a time, and the way looked up anew.
func (i *inode) addIndexed(h *handle, name string, ino uint32, typ uint8) error {
	for range 8 {
		p, err := i.probe(name)
		if err == errBadIndex {
			return abi.EUCLEAN
		}
		if err != nil {
			return err
		}
		b, err := i.leafBlock(p.leaf())
		if err != nil {
			return err
		}
		if b == nil {
			return i.s.corrupt(i.ino, 0, "directory index leads to a hole")
		}
		if ok, err := i.tryInsert(h, b, name, ino, typ); ok || err != nil {
			return err
		}
		last := p.nodes[len(p.nodes)-1]
		if last.count() < last.limit() {
			err = i.splitLeaf(h, p, b)
		} else {
			err = i.splitIndex(h, p)
		}
		if err != nil {
			return err
		}
	}
	return abi.ENOSPC // names of one hash fill a block
}

// splitLeaf moves the upper half of a leaf to a new one (do_split).
func (i *inode) splitLeaf(h *handle, p *dxPath, b *Buffer) error {
	l := i.hashLeaf(b.data[:len(b.data)-i.s.dirTail()], p.version)
	if len(l) < 2 {
		return abi.ENOSPC
	}
	half, at := 0, 0
	total := 0
	for _, e := range l {
		total += direntLen(len(e.name))
	}
	for at = 0; at < len(l)-1 && half < total/2; at++ {
		half += direntLen(len(l[at].name))
	}
	at = max(at, 1)
	hash := l[at].hash
	if l[at-1].hash == hash {
		hash |= 1 // the names of this hash go on from the leaf before
	}
	nb, n, err := i.appendBlock(h)
	if err != nil {
		return err
	}
	if err := i.fillLeaf(h, nb, l[at:]); err != nil {
		return err
	}
	if err := h.access(b); err != nil {
		return err
	}
	if err := i.fillLeaf(h, b, l[:at]); err != nil {
		return err
	}
	return i.dxInsert(h, p.nodes[len(p.nodes)-1], hash, n)
}

// splitIndex splits the topmost full node below one with room, or puts a level
// under the root.
func (i *inode) splitIndex(h *handle, p *dxPath) error {
	k := len(p.nodes) - 2
	for k >= 0 && p.nodes[k].count() >= p.nodes[k].limit() {
		k--
	}
	most := 1
	if i.s.es.hasIncompat(incompatLargeDir) {
		most = 2
	}
	if k < 0 && p.infoLevels >= most {
		i.s.say(printk.Warning, " warning", "%s: inode #%d: directory index is full", caller(0), i.ino)
		return abi.ENOSPC
	}
	b, n, err := i.appendBlock(h)
	if err != nil {
		return err
	}
	full := p.nodes[k+1]
	cnt := full.count()
	at := cnt / 2
	if k < 0 {
		at = 0 // all of the root's go down
	}
	hash := full.hash(at)
	put16(b.data, 4, putRecLen(len(b.data), int(i.s.es.blockSize)))
	copy(b.data[dxNodeOff:], full.data[at*dxEntry:cnt*dxEntry])
	put16(b.data, dxNodeOff, uint16(i.s.dxLimit(dxNodeOff)))
	put16(b.data, dxNodeOff+2, uint16(cnt-at))
	i.setDxCsum(b.data, dxNodeOff)
	b.setVerified(asIndex, i.ino)
	if err := h.dirty(b); err != nil {
		return err
	}
	if err := h.access(full.buf); err != nil {
		return err
	}
	if k < 0 {
		put16(full.data, 2, 1)
		put32(full.data, 4, n)
		full.buf.data[dxRootInfo+6]++
	} else {
		put16(full.data, 2, uint16(at))
	}
	i.setDxCsum(full.buf.data, full.off())
	if err := h.dirty(full.buf); err != nil {
		return err
	}
	if k < 0 {
		return nil
	}
	return i.dxInsert(h, p.nodes[k], hash, n)
}
