// SPDX-License-Identifier: Apache-2.0

package erofs

import "lodger/fs/rofs"

// Sorts of logical clusters.
const (
	lclPlain = iota
	lclHead1
	lclNonhead
	lclHead2
)

// hasBlocks marks, in a NONHEAD's distance, that it is how many blocks its physical
// cluster has (Z_EROFS_LI_D0_CBLKCNT).
const hasBlocks = 1 << 11

// lcluster is what the index tells of a logical cluster.
type lcluster struct {
	lcn     int64
	typ     int
	ofs     int64  // where in it the extent begins; its size for NONHEAD
	back    int64  // NONHEAD: how many clusters before its head is
	block   uint32 // the physical cluster's; heads
	blocks  int64  // NONHEAD: of the physical cluster, when it says so
	partial bool   // only a part of the physical cluster is used
	next    int64  // where the index goes on
}

// lcluster reads the index of cluster lcn.
func (i *inode) lcluster(lcn int64) (lcluster, error) {
	if lcn < 0 || lcn<<i.zhead.bits >= i.attr.Size {
		return lcluster{}, i.s.corrupt(i.nid, "no logical cluster %d", lcn)
	}
	if i.layout == compressedFull {
		return i.fullIndex(lcn)
	}
	return i.compactIndex(lcn)
}

// fullIndex is z_erofs_load_full_lcluster.
func (i *inode) fullIndex(lcn int64) (lcluster, error) {
	at := i.indexes() + 8 + lcn*8 // an older header is left free
	b, err := i.s.metaBytes(at, 8)
	if err != nil {
		return lcluster{}, err
	}
	advise := rofs.LE16(b, 0)
	m := lcluster{lcn: lcn, typ: int(advise & 3), next: at + 8}
	if m.typ == lclNonhead {
		m.ofs, m.back = 1<<i.zhead.bits, int64(rofs.LE16(b, 4))
		if m.back&hasBlocks != 0 {
			m.blocks, m.back = m.back&^hasBlocks, 1
		}
		return m, nil
	}
	m.partial = advise&0x8000 != 0
	m.ofs, m.block = int64(rofs.LE16(b, 2)), rofs.LE32(b, 4)
	return m, i.checkHead(&m)
}

func (i *inode) checkHead(m *lcluster) error {
	if m.ofs >= 1<<i.zhead.bits {
		return i.s.corrupt(i.nid, "extent begins at %d of logical cluster %d", m.ofs, m.lcn)
	}
	return nil
}

// indexes is where the indexes begin, behind the header.
func (i *inode) indexes() int64 { return (i.end()+7)&^7 + 8 }

// compactIndex is z_erofs_load_compact_lcluster: indexes are packed in twos into 8
// bytes, and in sixteens into 32 in the middle of a file where COMPACTED_2B says so.
// A pack holds bits of each, and one block number.
func (i *inode) compactIndex(lcn int64) (lcluster, error) {
	base := i.indexes()
	total := (i.attr.Size + 1<<i.zhead.bits - 1) >> i.zhead.bits
	first := (32 - base%32) / 4 & 7 // until 32 bytes are aligned
	var twos int64
	if i.zhead.advise&adviseCompact2B != 0 && first < total {
		twos = (total - first) &^ 15
	}
	pos, n, shift := base, lcn, 2
	if n >= first {
		pos, n = pos+first*4, n-first
		if n < twos {
			shift = 1
		} else {
			pos, n = pos+twos*2, n-twos
		}
	}
	pos += n << shift
	return i.unpack(lcn, pos, shift)
}

// pack is a pack of indexes.
type pack struct {
	b      []byte
	lobits int
	each   int // bits of an index
}

// get gives index k's low bits and type.
func (p pack) get(k int64) (lo int64, typ int) {
	pos := int(k) * p.each
	v := rofs.LE32(p.b, pos/8) >> (pos & 7)
	return int64(v & (1<<p.lobits - 1)), int(v >> p.lobits & 3)
}

func (i *inode) unpack(lcn, pos int64, shift int) (lcluster, error) {
	count := int64(2)
	if shift == 1 {
		count = 16
	}
	if shift == 2 && i.zhead.bits > 14 || shift == 1 && i.zhead.bits > 12 {
		return lcluster{}, i.s.corrupt(i.nid, "packed indexes of clusters of 2^%d bytes", i.zhead.bits)
	}
	size := count << shift
	start := pos &^ (size - 1)
	k := (pos - start) >> shift
	b := make([]byte, size+4) // so that the last index can be read as 4 bytes
	if err := i.s.readMeta(b[:size], start); err != nil {
		return lcluster{}, err
	}
	p := pack{b, max(int(i.zhead.bits), 12), int((size - 4) * 8 / count)}
	m := lcluster{lcn: lcn, next: start + size}
	var lo int64
	lo, m.typ = p.get(k)
	if m.typ == lclNonhead {
		m.ofs = 1 << i.zhead.bits
		switch {
		case lo&hasBlocks != 0:
			if !i.big() {
				return m, i.s.corrupt(i.nid, "unexpected big physical cluster at %d", lcn)
			}
			m.blocks, m.back = lo&^hasBlocks, 1
		case k+1 != count:
			m.back = lo
		default: // the last of a pack has the distance to the next head: ask the one before
			before, typ := p.get(k - 1)
			if typ != lclNonhead {
				before = 0
			} else if before&hasBlocks != 0 {
				before = 1
			}
			m.back = before + 1
		}
		return m, nil
	}
	m.ofs = lo
	blocks, err := i.blocksBefore(p, k)
	m.block = rofs.LE32(b, int(size)-4) + blocks
	if err == nil {
		err = i.checkHead(&m)
	}
	return m, err
}

// blocksBefore counts the blocks of the physical clusters of a pack before index k.
func (i *inode) blocksBefore(p pack, k int64) (uint32, error) {
	if !i.big() {
		n := uint32(1)
		for k > 0 {
			k--
			if lo, typ := p.get(k); typ == lclNonhead {
				k -= lo
			}
			if k >= 0 {
				n++
			}
		}
		return n, nil
	}
	n := uint32(0)
	for k > 0 {
		k--
		lo, typ := p.get(k)
		switch {
		case typ != lclNonhead:
			n++
		case lo&hasBlocks != 0:
			k--
			n += uint32(lo &^ hasBlocks)
		case lo <= 1: // with big clusters, the first after a head says their size
			return 0, i.s.corrupt(i.nid, "bogus distance in packed indexes")
		default:
			k -= lo - 2
		}
	}
	return n, nil
}
