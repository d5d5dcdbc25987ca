// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// Fallocate is ext4_fallocate.
func (f *file) Fallocate(ctx *fs.Context, mode int, off, length int64) error {
	moves := func() bool { return mode&^abi.FALLOC_FL_KEEP_SIZE != 0 } // frees blocks, or changes their places
	return f.i.modifyUnmapped(ctx, moves, func() error { return f.fallocate(ctx, mode, off, length) })
}

func (f *file) fallocate(ctx *fs.Context, mode int, off, length int64) error {
	i := f.i
	s := i.s
	if i.dead {
		return abi.ENOENT
	}
	if err := i.heavy(ctx); err != nil {
		return err
	}
	if i.is(flImmutable) || i.is(flAppend) && mode&^abi.FALLOC_FL_KEEP_SIZE != 0 {
		return abi.EPERM
	}
	if !i.is(flExtents|flInlineData) && mode&abi.FALLOC_FL_PUNCH_HOLE == 0 {
		return abi.EOPNOTSUPP // block maps know no unwritten blocks
	}
	if mode&abi.FALLOC_FL_UNSHARE_RANGE != 0 {
		return abi.EOPNOTSUPP
	}
	if i.is(flInlineData) {
		if err := s.changeLocked(ctx, creditsMake, i.convertInline); err != nil {
			return err
		}
	}
	if err := i.syncMem(); err != nil {
		return err
	}
	i.discard()
	old := i.size
	err := i.fallocate(ctx, mode, off, length)
	if err == nil {
		err = s.changeLocked(ctx, creditsInode, func(h *handle) error { return i.touch(h, ctx.Time(), true) })
	}
	if i.mem != nil && err == nil {
		i.mem.fallocate(i, mode, off, length, old)
	} else if i.mem != nil {
		i.mem.resize(i.size)
	}
	return err
}

func (i *inode) fallocate(ctx *fs.Context, mode int, off, length int64) error {
	end := off + length
	keep := mode&abi.FALLOC_FL_KEEP_SIZE != 0
	switch mode &^ abi.FALLOC_FL_KEEP_SIZE {
	case 0:
		return i.allocate(ctx, off, end, keep)
	case abi.FALLOC_FL_PUNCH_HOLE:
		return i.punch(ctx, off, min(end, i.roundUp(i.size)))
	case abi.FALLOC_FL_ZERO_RANGE:
		if err := i.punch(ctx, off, end); err != nil {
			return err
		}
		return i.allocate(ctx, off, end, keep)
	case abi.FALLOC_FL_COLLAPSE_RANGE:
		bs := int64(i.s.es.blockSize)
		if keep || off%bs != 0 || length%bs != 0 || end >= i.size {
			return abi.EINVAL
		}
		if err := i.punch(ctx, off, end); err != nil {
			return err
		}
		if err := i.shift(ctx, uint64(end/bs), -length/bs); err != nil {
			return err
		}
		return i.setSize(ctx, i.size-length)
	case abi.FALLOC_FL_INSERT_RANGE:
		bs := int64(i.s.es.blockSize)
		if keep || off%bs != 0 || length%bs != 0 || off >= i.size {
			return abi.EINVAL
		}
		if length > i.maxSize()-i.size {
			return abi.EFBIG
		}
		if err := i.setSize(ctx, i.size+length); err != nil {
			return err
		}
		return i.shift(ctx, uint64(off/bs), length/bs)
	}
	return abi.EOPNOTSUPP
}

func (i *inode) roundUp(n int64) int64 {
	bs := int64(i.s.es.blockSize)
	return (n + bs - 1) / bs * bs
}

func (i *inode) setSize(ctx *fs.Context, size int64) error {
	return i.s.changeLocked(ctx, creditsInode, func(h *handle) error { return i.update(h, func() { i.size = size }) })
}

// allocate fills holes of [off, end) with unwritten blocks.
func (i *inode) allocate(ctx *fs.Context, off, end int64, keep bool) error {
	bs := int64(i.s.es.blockSize)
	if end > i.maxSize() {
		return abi.EFBIG
	}
	for l, last := uint64(off/bs), divUp(uint64(end), uint64(bs)); l < last; {
		r, err := i.mapBlocks(uint32(l), uint32(min(last-l, 1<<15)))
		if err != nil {
			return err
		}
		if r.Physical == noPhys {
			err = i.s.changeLocked(ctx, creditsTree+creditsInode, func(h *handle) error {
				pblk, n, err := i.s.newBlocks(h, i.goal(uint32(l)), uint32(r.Len))
				if err != nil {
					return err
				}
				r.Len = uint64(n)
				if err := i.addMapping(h, uint32(l), pblk, n, true); err != nil {
					return err
				}
				return i.s.writeInode(h, i)
			})
			if err != nil {
				return err
			}
		}
		l += r.Len
		if size := min(end, int64(l)*bs); !keep && size > i.size {
			if err := i.setSize(ctx, size); err != nil {
				return err
			}
		}
	}
	return nil
}

// punch makes [off, end) a hole; what is less than a block is zeroed.
func (i *inode) punch(ctx *fs.Context, off, end int64) error {
	if off >= end {
		return nil
	}
	bs := int64(i.s.es.blockSize)
	first, last := i.roundUp(off), end/bs*bs
	if first > last { // within one block
		return i.s.changeLocked(ctx, creditsInode, func(h *handle) error { return i.zeroRange(h, off, end) })
	}
	return i.s.changeLocked(ctx, creditsTree+creditsInode+2, func(h *handle) error {
		if err := i.zeroRange(h, off, first); err != nil {
			return err
		}
		if err := i.zeroRange(h, last, end); err != nil {
			return err
		}
		return i.unmap(h, uint64(first/bs), uint64(last/bs))
	})
}

// shift moves what is mapped from logical block from on by delta blocks
// (ext4_ext_shift_extents). The way is clear: a hole was punched, or it goes up.
// A crash in between leaves a file with a hole at another place, as on Linux.
func (i *inode) shift(ctx *fs.Context, from uint64, delta int64) error {
	var all []Run
	err := i.runs(from, maxBlocks, func(r Run) bool {
		for r.Len > 0 { // joined runs may be longer than an extent
			x := r
			x.Len = min(x.Len, extMaxUnwritten)
			all = append(all, x)
			r.Logical, r.Physical, r.Len = r.Logical+x.Len, r.Physical+x.Len, r.Len-x.Len
		}
		return true
	})
	if err != nil {
		return err
	}
	if n := len(all); n > 0 && delta > 0 && all[n-1].Logical+all[n-1].Len+uint64(delta) > maxBlocks {
		return abi.EFBIG
	}
	for k := range all {
		r := all[k]
		if delta > 0 {
			r = all[len(all)-1-k]
		}
		if err := i.shiftRun(ctx, r, delta); err != nil {
			return err
		}
	}
	return nil
}

// shiftRun moves one run, extent by extent.
func (i *inode) shiftRun(ctx *fs.Context, r Run, delta int64) error {
	for r.Len > 0 {
		at := r.Logical
		if delta > 0 { // from the end, so that nothing is in the way
			at = r.Logical + r.Len - 1
		}
		err := i.s.changeLocked(ctx, 2*creditsTree+creditsInode, func(h *handle) error {
			p, err := i.findExtent(uint32(at))
			if err != nil {
				return err
			}
			l := p.leaf()
			if l.pos < 0 {
				return i.s.corrupt(i.ino, 0, "extent tree changed under a shift")
			}
			e := l.extent(l.pos)
			a, b := max(uint64(e.lblk), r.Logical), min(e.end(), r.Logical+r.Len)
			if a >= b {
				return i.s.corrupt(i.ino, 0, "extent tree changed under a shift")
			}
			if err := i.reserveRoom(h, uint32(a), 2); err != nil {
				return err
			}
			cut, err := i.carve(h, uint32(a), uint32(b))
			if err != nil {
				return err
			}
			cut.lblk = uint32(int64(cut.lblk) + delta)
			if err := i.insertExtent(h, cut); err != nil {
				return err
			}
			if delta > 0 {
				r.Len = a - r.Logical
			} else {
				r.Logical, r.Physical, r.Len = b, r.Physical+(b-r.Logical), r.Logical+r.Len-b
			}
			return i.s.writeInode(h, i)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
