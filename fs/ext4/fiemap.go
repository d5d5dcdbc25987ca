// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// Fiemap tells where the file lies (ext4_fiemap).
func (i *inode) Fiemap(ctx *fs.Context, start, length uint64, flags uint32, emit func(fs.FiemapExtent) bool) error {
	s := i.s
	if flags&abi.FIEMAP_FLAG_SYNC != 0 {
		if err := s.modify(ctx, i.syncMem); err != nil {
			return err
		}
	}
	s.mu.RLock()
	defer s.runlock()
	inline := i.is(flInlineData)
	if flags&abi.FIEMAP_FLAG_XATTR != 0 || inline {
		e, ok, err := i.fiemapInode(flags&abi.FIEMAP_FLAG_XATTR == 0)
		if err == nil && ok && start < e.Len {
			emit(e)
		}
		return err
	}
	if !i.hasMap() || length == 0 {
		return nil
	}
	bs := uint64(s.es.blockSize)
	return i.runs(start/bs, divUp(start+length, bs), func(r Run) bool {
		e := fs.FiemapExtent{Logical: r.Logical * bs, Physical: r.Physical * bs, Len: r.Len * bs}
		if r.Unwritten {
			e.Flags |= abi.FIEMAP_EXTENT_UNWRITTEN
		}
		if !i.is(flExtents) {
			e.Flags |= abi.FIEMAP_EXTENT_MERGED
		}
		return emit(e)
	})
}

// MaxBytes is the largest size of the file.
func (i *inode) MaxBytes() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return uint64(i.maxSize())
}

// fiemapInode gives the place of inline data, or of the attributes, which are
// in the inode or in a block (ext4_inline_data_iomap, ext4_iomap_xattr_fiemap).
func (i *inode) fiemapInode(data bool) (e fs.FiemapExtent, ok bool, err error) {
	block, off, err := i.s.inodeLoc(i.ino)
	if err != nil {
		return e, false, err
	}
	bs := uint64(i.s.es.blockSize)
	at := block*bs + uint64(off)
	if data {
		return fs.FiemapExtent{Physical: at + iblockOff, Len: uint64(max(i.size, 0)), Flags: abi.FIEMAP_EXTENT_DATA_INLINE}, i.size > 0, nil
	}
	x, err := i.ibodyXattrs()
	if err != nil {
		return e, false, err
	}
	if len(x) > 0 {
		skip := uint64(goodOldInode + i.extra)
		return fs.FiemapExtent{Physical: at + skip, Len: uint64(len(i.raw)) - skip, Flags: abi.FIEMAP_EXTENT_DATA_INLINE}, true, nil
	}
	return fs.FiemapExtent{Physical: i.fileACL * bs, Len: bs}, i.fileACL != 0, nil
}

// Bmap tells where a block lies; 0 for holes, unwritten blocks and inline data.
func (i *inode) Bmap(block uint64) (uint64, error) {
	i.s.mu.RLock()
	defer i.s.runlock()
	if i.is(flInlineData) || !i.hasMap() || block >= maxBlocks {
		return 0, nil
	}
	r, err := i.mapBlocks(uint32(block), 1)
	if err != nil || r.Physical == noPhys || r.Unwritten {
		return 0, err
	}
	return r.Physical, nil
}
