// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// prealloc is what an inode keeps for its next blocks: a run that follows its
// last one on the device. It is in memory only, so nothing of it is left after
// a crash. Guarded by FS.mu for writing.
type prealloc struct {
	lblk uint32
	n    uint32
	pblk uint64
}

// Bounds of a preallocation, in blocks.
const (
	paMin = 8
	paMax = 2048
)

// discard gives an inode's preallocation back.
func (i *inode) discard() {
	if i.pa.n > 0 {
		i.s.setBusy(i.pa.pblk, i.pa.n, false)
		i.pa = prealloc{}
	}
	delete(i.s.prealloc, i)
}

func (s *FS) discardAll() {
	for i := range s.prealloc {
		i.discard()
	}
}

// goal gives the block where lblk should be (ext4_inode_to_goal_block,
// ext4_ext_find_goal): behind what precedes it in the file, else in the inode's
// group.
func (i *inode) goal(lblk uint32) uint64 {
	if lblk > 0 {
		if i.is(flExtents) {
			if p, err := i.findExtent(lblk); err == nil && p.leaf().pos >= 0 {
				e := p.leaf().extent(p.leaf().pos)
				return e.pblk + uint64(lblk-e.lblk)
			}
		} else if r, err := i.mapBlocks(lblk-1, 1); err == nil && r.Physical != noPhys {
			return r.Physical + 1
		}
	}
	if i.lastBlk != 0 {
		return i.lastBlk
	}
	return i.s.es.groupFirst((i.ino - 1) / i.s.es.inodesPerGroup)
}

// newDataBlocks takes up to want blocks for lblk on, from the preallocation if
// it fits, and reserves what follows when the file seems to grow.
func (i *inode) newDataBlocks(h *handle, lblk, want uint32) (first uint64, n uint32, err error) {
	s := i.s
	if pa := &i.pa; pa.n > 0 && pa.lblk == lblk {
		if !h.reserved && uint64(max(s.freeBlks, 0)) < s.es.rBlocksCount+uint64(min(want, pa.n)) {
			return 0, 0, abi.ENOSPC
		}
		first, n = pa.pblk, min(want, pa.n)
		if g, bit := s.es.groupOf(first); bit+n > s.es.groupLen(g) {
			n = s.es.groupLen(g) - bit
		}
		s.setBusy(first, n, false)
		pa.lblk, pa.pblk, pa.n = lblk+n, first+uint64(n), pa.n-n
		g, bit := s.es.groupOf(first)
		i.lastBlk = first + uint64(n)
		return first, n, s.changeBits(h, g, bit, n, true)
	}
	grows := uint64(lblk) >= s.es.blocksIn(i.size)
	i.discard()
	ask := want
	if i.kind == abi.S_IFREG && grows && i.isOpen() {
		ask = want + max(min(lblk, paMax), paMin)
		if want >= folio/2 {
			ask = max(ask, want+folio) // room for an alignment
		}
	}
	goal := i.goal(lblk)
	if ask > want { // prefer a place with room to grow; take no more than wanted
		if g, bit, k, err := s.search(goal, min(ask, extMaxUnwritten, s.es.blocksPerGroup)); err == nil && k > 0 {
			if at := s.es.groupFirst(g) + uint64(bit); at != goal || lblk == 0 {
				goal = at + alignment(at, lblk, want, k)
			}
		}
	}
	if first, n, err = s.newBlocks(h, goal, want); err != nil {
		return 0, 0, err
	}
	i.lastBlk = first + uint64(n)
	if ask > want && n == want {
		i.reserve(lblk+n, first+uint64(n), ask-want)
	}
	return first, n, nil
}

// folio is the blocks of a large page of the host's page cache.
const folio = 32

// alignment is how many of the k free blocks from pblk on a new extent at lblk leaves
// out, so that the file's pages lie in the image as they lie in the file: then the
// host keeps and maps them in large pages (ext4_mb_normalize_request aligns, too).
// Small files are packed.
func alignment(pblk uint64, lblk, want, k uint32) uint64 {
	shift := (uint64(lblk) - pblk) % folio
	if want < folio/2 || shift+uint64(want) > uint64(k) {
		return 0
	}
	return shift
}

// reserve preallocates up to n free blocks at pblk, within its group.
func (i *inode) reserve(lblk uint32, pblk uint64, n uint32) {
	s := i.s
	if pblk >= s.es.blocksCount {
		return
	}
	g, bit := s.es.groupOf(pblk)
	b, err := s.blockBitmap(g)
	if err != nil {
		return
	}
	k := uint32(0)
	for k < n && bit+k < s.es.groupLen(g) && s.isFree(&s.groups[g], b, bit+k) {
		k++
	}
	if k > 0 {
		s.setBusy(pblk, k, true)
		i.pa = prealloc{lblk, k, pblk}
		s.prealloc[i] = struct{}{}
	}
}
