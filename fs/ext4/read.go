// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// file is an open regular file.
type file struct {
	i     *inode
	write bool
	sync  bool // O_SYNC
	dsync bool // O_DSYNC

	told uint64 // inode.lost when this file was told last; guarded by inode.mu
}

// Open makes what is behind a file or directory.
func (i *inode) Open(_ *fs.Context, _ fs.Path, flags int) (fs.FileOps, error) {
	switch i.kind {
	case abi.S_IFDIR:
		return &dirFile{i: i}, nil
	case abi.S_IFREG:
		i.s.mu.RLock()
		defer i.s.runlock()
		return i.openFile(flags)
	}
	return nil, abi.ENXIO
}

// ReadAt reads.
func (f *file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) {
	f.i.s.mu.RLock()
	defer f.i.s.runlock()
	if f.i.mem != nil {
		return f.i.mem.readAt(p, off, f.i.size)
	}
	return f.i.readData(p, off)
}

// readData reads file contents; FS.mu is held.
func (i *inode) readData(p []byte, off int64) (int, error) {
	if off >= i.size || off < 0 {
		return 0, nil
	}
	p = p[:min(int64(len(p)), i.size-off)]
	if i.is(flInlineData) {
		d, err := i.inlineData()
		if err != nil {
			return 0, err
		}
		return copy(p, d[off:]), nil
	}
	bs := int64(i.s.es.blockSize)
	for done := 0; done < len(p); {
		at := off + int64(done)
		if uint64(at/bs) >= maxBlocks {
			clear(p[done:])
			break
		}
		r, err := i.mapBlocks(uint32(at/bs), uint32(min(divUp(uint64(at%bs)+uint64(len(p)-done), uint64(bs)), 1<<20)))
		if err != nil {
			return some(done, err)
		}
		n := int(min(int64(r.Len)*bs-at%bs, int64(len(p)-done)))
		if r.Physical == noPhys || r.Unwritten {
			clear(p[done : done+n])
		} else if err := i.fromDevice(p[done:done+n], int64(r.Physical)*bs+at%bs); err != nil {
			i.s.log(printk.Err, "inode %d: read of block %d: %v", i.ino, r.Physical, err)
			return some(done, abi.EIO)
		}
		done += n
	}
	return len(p), nil
}

// some gives what was done, or the error when nothing was.
func some(n int, err error) (int, error) {
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// Readlink gives a link's text.
func (i *inode) Readlink(*fs.Context) (string, error) {
	if i.kind != abi.S_IFLNK {
		return "", abi.EINVAL
	}
	i.s.mu.RLock()
	defer i.s.runlock()
	if i.isFastSymlink() {
		return cString(i.iblock()[:min(i.size, iblockLen)]), nil
	}
	if i.is(flInlineData) {
		d, err := i.inlineData()
		return cString(d), err
	}
	if i.size >= int64(i.s.es.blockSize) || i.size >= abi.PATH_MAX || i.size == 0 {
		return "", i.s.corrupt(i.ino, 0, "link text of %d bytes", i.size)
	}
	b, err := i.dirBlock(0) // metadata like a directory's
	if err != nil {
		return "", err
	}
	if b == nil {
		return "", i.s.corrupt(i.ino, 0, "link text is missing")
	}
	return cString(b.data[:i.size]), nil
}

// SeekData finds data or a hole; unwritten blocks are a hole, as on Linux when
// nothing of them is in the page cache.
func (f *file) SeekData(off int64, hole bool) (int64, error) {
	i := f.i
	i.s.mu.RLock()
	defer i.s.runlock()
	if off < 0 || off >= i.size {
		return 0, abi.ENXIO
	}
	if i.is(flInlineData) {
		if hole {
			return i.size, nil
		}
		return off, nil
	}
	bs := int64(i.s.es.blockSize)
	steps := uint64(0)
	for at := off; at < i.size; {
		if err := i.limit(&steps); err != nil {
			return 0, err
		}
		if uint64(at/bs) >= maxBlocks {
			break
		}
		r, err := i.mapBlocks(uint32(at/bs), 1<<30)
		if err != nil {
			return 0, err
		}
		if (r.Physical == noPhys || r.Unwritten) == hole {
			return at, nil
		}
		at = (at/bs + int64(r.Len)) * bs
	}
	if hole {
		return i.size, nil
	}
	return 0, abi.ENXIO
}

// Runs lists where a file's allocated blocks lie: the data of FIEMAP, and of
// whoever maps a file directly.
func (f *file) Runs(emit func(Run) bool) error {
	f.i.s.mu.RLock()
	defer f.i.s.runlock()
	if f.i.is(flInlineData) {
		return nil
	}
	return f.i.runs(0, maxBlocks, emit)
}
