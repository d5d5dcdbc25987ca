// SPDX-License-Identifier: Apache-2.0

package ext4

import "sort"

// zone is a run of blocks that hold the file system's own metadata.
type zone struct{ first, end uint64 }

// buildSystemZone is fs/ext4/block_validity.c: it notes the places of super
// block, descriptors, bitmaps and inode tables, so that no file's block map can
// lead there. Overlapping tables are refused.
func (s *FS) buildSystemZone() error {
	es := s.es
	var z []zone
	for n := range es.groups {
		g := &s.groups[n]
		if m := es.baseMeta(n); m > 0 {
			first := es.groupFirst(n)
			z = append(z, zone{first, first + uint64(m)})
		}
		z = append(z, zone{g.blockBitmap, g.blockBitmap + 1}, zone{g.inodeBitmap, g.inodeBitmap + 1},
			zone{g.inodeTable, g.inodeTable + uint64(es.itableBlocks)})
	}
	sort.Slice(z, func(i, j int) bool { return z[i].first < z[j].first })
	out := z[:0]
	for _, x := range z {
		if n := len(out); n > 0 && x.first < out[n-1].end {
			return refuse("metadata overlaps at block %d", x.first)
		} else if n > 0 && x.first == out[n-1].end {
			out[n-1].end = x.end
			continue
		}
		out = append(out, x)
	}
	s.zones = out
	return nil
}

// validData reports whether count blocks from first on can belong to a file
// (ext4_inode_block_valid).
func (s *FS) validData(first, count uint64) bool {
	es := s.es
	if first <= uint64(es.firstDataBlock) || count == 0 || first >= es.blocksCount || count > es.blocksCount-first {
		return false
	}
	return !s.inZone(first, count)
}

// inZone reports whether the run touches metadata.
func (s *FS) inZone(first, count uint64) bool {
	i := sort.Search(len(s.zones), func(i int) bool { return s.zones[i].end > first })
	return i < len(s.zones) && s.zones[i].first < first+count
}

// addZones protects further runs; they must not overlap what is protected.
func (s *FS) addZones(runs []Run) error {
	for _, r := range runs {
		i := sort.Search(len(s.zones), func(i int) bool { return s.zones[i].first > r.Physical })
		s.zones = append(s.zones, zone{})
		copy(s.zones[i+1:], s.zones[i:])
		s.zones[i] = zone{r.Physical, r.Physical + r.Len}
	}
	for k := 1; k < len(s.zones); k++ {
		if s.zones[k].first < s.zones[k-1].end {
			return refuse("the journal overlaps metadata at block %d", s.zones[k].first)
		}
	}
	return nil
}

// zonesIn gives the zones that touch a run.
func (s *FS) zonesIn(first, count uint64) []zone {
	i := sort.Search(len(s.zones), func(i int) bool { return s.zones[i].end > first })
	j := i
	for j < len(s.zones) && s.zones[j].first < first+count {
		j++
	}
	return s.zones[i:j]
}
