// SPDX-License-Identifier: Apache-2.0

package jbd2

import "sort"

// Map says where a block of the journal lies on the device, in bytes (Linux's
// jbd2_journal_bmap). The file system answers from inode 8's extents.
type Map func(block uint32) (off int64, err error)

// logMap is the whole Map, asked once when the journal is loaded, as runs that
// are contiguous on the device; checked, so that whatever the extents of a
// damaged inode 8 say, no access leaves the device.
type logMap struct {
	blocksize int64
	runs      []run // by log block
	byDev     []run // by device offset
}

// run is n blocks of the log from block, lying at off.
type run struct {
	block, n uint32
	off      int64
}

func loadMap(m Map, blocksize int64, maxlen uint32, size int64) (*logMap, error) {
	l := &logMap{blocksize: blocksize}
	for i := range maxlen {
		off, err := m(i)
		if err != nil {
			return nil, corrupt("journal block %d not found: %v", i, err)
		}
		if off <= 0 || off%blocksize != 0 || off > size-blocksize {
			return nil, corrupt("journal block %d lies at %d, device of %d bytes", i, off, size)
		}
		if n := len(l.runs); n > 0 {
			if r := &l.runs[n-1]; off == r.off+int64(r.n)*blocksize {
				r.n++
				continue
			}
		}
		l.runs = append(l.runs, run{block: i, n: 1, off: off})
	}
	l.byDev = append(l.byDev, l.runs...)
	sort.Slice(l.byDev, func(i, j int) bool { return l.byDev[i].off < l.byDev[j].off })
	for i := 1; i < len(l.byDev); i++ {
		if p := l.byDev[i-1]; p.off+int64(p.n)*blocksize > l.byDev[i].off {
			return nil, corrupt("journal blocks %d and %d overlap", p.block, l.byDev[i].block)
		}
	}
	return l, nil
}

// at gives a log block's place and how many blocks follow it there, itself
// included.
func (l *logMap) at(block uint32) (off int64, n uint32) {
	i := sort.Search(len(l.runs), func(i int) bool { return l.runs[i].block > block }) - 1
	r := l.runs[i]
	return r.off + int64(block-r.block)*l.blocksize, r.n - (block - r.block)
}

// owns reports whether a device block is one of the journal's own.
func (l *logMap) owns(block uint64) bool {
	off := int64(block) * l.blocksize
	i := sort.Search(len(l.byDev), func(i int) bool { return l.byDev[i].off > off }) - 1
	return i >= 0 && off < l.byDev[i].off+int64(l.byDev[i].n)*l.blocksize
}
