// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"lodger/abi"
	"lodger/fs/rofs"
)

// What a compressed file's header advises (Z_EROFS_ADVISE_*).
const (
	adviseCompact2B  = 1
	adviseBig1       = 2
	adviseBig2       = 4
	adviseInline     = 8
	adviseInterlaced = 0x10
	adviseFragment   = 0x20
	adviseKnown      = 0x3f

	maxCluster = 1 << 20  // bytes of a physical cluster (Z_EROFS_PCLUSTER_MAX_SIZE)
	maxExtent  = 12 << 20 // bytes that it gives (Z_EROFS_PCLUSTER_MAX_DSIZE)
)

// zhead is what is known of a compressed file as a whole (z_erofs_map_header, and
// what z_erofs_fill_inode makes of it).
type zhead struct {
	bits      uint8 // log of a logical cluster's size
	advise    uint16
	tail      int64 // head of the last extent, if it is elsewhere; else -1
	inlineAt  int64
	inlineLen int64
	fragOff   int64 // in the packed inode
	allFrag   bool  // the whole file is there
}

// big reports whether physical clusters may have several blocks.
func (i *inode) big() bool { return i.zhead.advise&(adviseBig1|adviseBig2) != 0 }

// readHead reads the header, once: z_erofs_fill_inode.
func (i *inode) readHead() error {
	i.zonce.Do(func() { i.zerr = i.loadHead() })
	return i.zerr
}

func (i *inode) loadHead() error {
	s, h := i.s, &i.zhead
	h.tail = -1
	b, err := s.metaBytes((i.end()+7)&^7, 8)
	if err != nil {
		return err
	}
	h.bits = s.blockBits
	if s.incompat&(incompatComprCfgs|incompatZtail|incompatFragments) == 0 && i.layout == compressedFull {
		return nil // z_erofs_fill_inode: no header before these features
	}
	if b[7]&0x80 != 0 {
		h.advise, h.allFrag = adviseFragment, true
		h.fragOff = int64(rofs.LE64(b, 0) &^ (1 << 63))
		h.tail = 0
		return i.checkFragment(0)
	}
	h.advise = rofs.LE16(b, 4)
	h.bits += b[7] & 7
	algorithms := b[6]
	switch {
	case h.advise&^adviseKnown != 0:
		s.Printf("nid %d: unknown advice %#x", i.nid, h.advise)
		return abi.EOPNOTSUPP
	case algorithms != 0:
		s.Printf("nid %d: compression algorithms %#x are not supported, only LZ4 (0) is", i.nid, algorithms)
		return abi.EOPNOTSUPP
	case s.incompat&incompatComprCfgs == 0 && i.big():
		return s.corrupt(i.nid, "big physical clusters without the feature")
	case i.layout == compressedCompact && (h.advise&adviseBig1 != 0) != (h.advise&adviseBig2 != 0):
		return s.corrupt(i.nid, "big physical clusters of one sort only")
	}
	if h.advise&(adviseInline|adviseFragment) == 0 || i.attr.Size == 0 {
		return nil
	}
	if h.advise&adviseInline != 0 && h.advise&adviseFragment != 0 {
		return s.corrupt(i.nid, "end both inline and in a fragment")
	}
	return i.findTail(b)
}

// findTail finds the last extent, whose data is elsewhere.
func (i *inode) findTail(head []byte) error {
	h := &i.zhead
	last, err := i.lcluster((i.attr.Size - 1) >> h.bits)
	if err != nil {
		return err
	}
	m, err := i.headOf(last, i.attr.Size-1)
	if err != nil {
		return err
	}
	h.tail = m.lcn
	if h.advise&adviseInline != 0 {
		h.inlineAt, h.inlineLen = last.next, int64(rofs.LE16(head, 2))
		if h.inlineLen == 0 || h.inlineAt&(i.s.blockSize-1)+h.inlineLen > i.s.blockSize {
			return i.s.corrupt(i.nid, "inline cluster of %d bytes crosses a block", h.inlineLen)
		}
		return nil
	}
	h.fragOff = int64(rofs.LE32(head, 0))
	if i.layout == compressedFull {
		h.fragOff |= int64(m.block) << 32
	}
	return i.checkFragment(m.lcn<<h.bits + m.ofs)
}

// checkFragment reports whether the file's end from la on can lie in the packed inode.
func (i *inode) checkFragment(la int64) error {
	p, h := i.s.packed, &i.zhead
	if p == nil || i == p {
		return i.s.corrupt(i.nid, "fragment without a packed inode")
	}
	if h.fragOff < 0 || h.fragOff > p.attr.Size || i.attr.Size-la > p.attr.Size-h.fragOff {
		return i.s.corrupt(i.nid, "fragment at %d is outside the packed inode", h.fragOff)
	}
	return nil
}

// headOf gives the head of the extent that byte off, of cluster m, belongs to
// (z_erofs_extent_lookback).
func (i *inode) headOf(m lcluster, off int64) (lcluster, error) {
	back := m.back
	if m.typ != lclNonhead {
		if off-m.lcn<<i.zhead.bits >= m.ofs {
			return m, nil
		}
		back = 1
	}
	for {
		if back <= 0 {
			return m, i.s.corrupt(i.nid, "bogus distance at logical cluster %d", m.lcn)
		}
		var err error
		if m, err = i.lcluster(m.lcn - back); err != nil || m.typ != lclNonhead {
			return m, err
		}
		back = m.back
	}
}

// extent is a run of a compressed file, and what it is made of.
type extent struct {
	head    lcluster
	la, len int64 // of the file
	pa      int64 // of the image
	plen    int64
	frag    int64 // place in the packed inode, or -1
	inline  bool
}

// extent gives the one that byte off lies in, whole (z_erofs_map_blocks_iter).
func (i *inode) extent(off int64) (e extent, err error) {
	if err := i.readHead(); err != nil {
		return e, err
	}
	h := &i.zhead
	if h.allFrag {
		return extent{len: i.attr.Size, frag: h.fragOff}, nil
	}
	m, err := i.lcluster(off >> h.bits)
	if err != nil {
		return e, err
	}
	if m, err = i.headOf(m, off); err != nil {
		return e, err
	}
	e = extent{head: m, la: m.lcn<<h.bits + m.ofs, frag: -1}
	if m.lcn == h.tail {
		e.len = i.attr.Size - e.la
		if h.advise&adviseFragment != 0 {
			e.frag = h.fragOff
		} else {
			e.pa, e.plen, e.inline = h.inlineAt, h.inlineLen, true
		}
	} else {
		e.pa = int64(m.block) << i.s.blockBits
		if e.len, err = i.extentLen(m, e.la); err == nil {
			e.plen, err = i.clusterLen(m)
		}
	}
	if err == nil && e.frag < 0 && (e.len > maxExtent || e.plen > maxCluster) {
		err = i.s.corrupt(i.nid, "extent of %d bytes in %d", e.len, e.plen)
	}
	if err == nil && (off < e.la || off >= e.la+e.len) {
		err = i.s.corrupt(i.nid, "extent at %d ends before %d", e.la, off)
	}
	return e, err
}

// extentLen looks for the next head (z_erofs_get_extent_decompressedlen).
func (i *inode) extentLen(head lcluster, la int64) (int64, error) {
	bits := i.zhead.bits
	for lcn := head.lcn + 1; lcn<<bits < i.attr.Size; lcn++ {
		if lcn<<bits-la > maxExtent {
			break
		}
		m, err := i.lcluster(lcn)
		if err != nil {
			return 0, err
		}
		if m.typ != lclNonhead {
			return lcn<<bits + m.ofs - la, nil
		}
	}
	return i.attr.Size - la, nil
}

// clusterLen gives the physical cluster's size (z_erofs_get_extent_compressedlen).
func (i *inode) clusterLen(head lcluster) (int64, error) {
	one := int64(1) << i.zhead.bits
	h := &i.zhead
	if head.typ == lclPlain || head.typ == lclHead1 && h.advise&adviseBig1 == 0 || head.typ == lclHead2 && h.advise&adviseBig2 == 0 ||
		(head.lcn+1)<<h.bits >= i.attr.Size {
		return one, nil
	}
	m, err := i.lcluster(head.lcn + 1)
	switch {
	case err != nil:
		return 0, err
	case m.typ != lclNonhead:
		return one, nil
	case m.back != 1 || m.blocks == 0:
		return 0, i.s.corrupt(i.nid, "cluster %d does not say how large its physical one is", m.lcn)
	}
	return m.blocks << i.s.blockBits, nil
}
