// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"bytes"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

const direntSize = 12

// dirent is an entry of a directory's block.
type dirent struct {
	name string
	nid  uint64
	typ  uint8
}

// dirBlock is a block of a directory: entries, then their names, sorted.
type dirBlock struct {
	i     *inode
	b     []byte
	count int
}

// dirBlock reads and checks a block.
func (i *inode) dirBlock(n int64) (dirBlock, error) {
	b := make([]byte, min(i.s.blockSize, i.attr.Size-n<<i.s.blockBits))
	if _, err := i.readAt(b, n<<i.s.blockBits); err != nil {
		return dirBlock{}, err
	}
	if len(b) < direntSize {
		return dirBlock{}, i.s.corrupt(i.nid, "directory block of %d bytes", len(b))
	}
	off := int(rofs.LE16(b, 8))
	if off < direntSize || off >= len(b) {
		return dirBlock{}, i.s.corrupt(i.nid, "invalid de[0].nameoff %d", off)
	}
	return dirBlock{i, b, off / direntSize}, nil
}

// entry gives entry k.
func (d dirBlock) entry(k int) (dirent, error) {
	e := d.b[k*direntSize:]
	from, to := int(rofs.LE16(e, 8)), len(d.b)
	if k+1 < d.count {
		to = int(rofs.LE16(e, direntSize+8))
	}
	if from < d.count*direntSize || from >= to || to > len(d.b) || to-from > abi.NAME_MAX && k+1 < d.count {
		return dirent{}, d.i.s.corrupt(d.i.nid, "bogus dirent: name from %d to %d", from, to)
	}
	name := d.b[from:to]
	if k+1 == d.count { // the last one may end before the block
		if n := bytes.IndexByte(name, 0); n >= 0 {
			name = name[:n]
		}
	}
	if len(name) > abi.NAME_MAX {
		return dirent{}, d.i.s.corrupt(d.i.nid, "name of %d bytes", len(name))
	}
	return dirent{string(name), rofs.LE64(e, 0), e[10]}, nil
}

func (i *inode) dirBlocks() int64 { return (i.attr.Size + i.s.blockSize - 1) >> i.s.blockBits }

// find looks a name up: by halves among blocks, then in one (erofs_namei).
func (i *inode) find(name string) (dirent, error) {
	var in dirBlock
	for from, to := int64(0), i.dirBlocks(); from < to; {
		mid := from + (to-from)/2
		b, err := i.dirBlock(mid)
		if err != nil {
			return dirent{}, err
		}
		e, err := b.entry(0)
		switch {
		case err != nil:
			return dirent{}, err
		case e.name == name:
			return e, nil
		case e.name < name:
			in, from = b, mid+1
		default:
			to = mid
		}
	}
	for from, to := 1, in.count; from < to; {
		mid := from + (to-from)/2
		e, err := in.entry(mid)
		switch {
		case err != nil:
			return dirent{}, err
		case e.name == name:
			return e, nil
		case e.name < name:
			from = mid + 1
		default:
			to = mid
		}
	}
	return dirent{}, abi.ENOENT
}

// Lookup implements fs.Dir.
func (i *inode) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if i.kind() != abi.S_IFDIR {
		return nil, abi.ENOTDIR
	}
	if len(name) > abi.NAME_MAX {
		return nil, abi.ENAMETOOLONG
	}
	e, err := i.find(name)
	if err != nil {
		return nil, err
	}
	c, err := i.s.iget(e.nid)
	if err != nil {
		return nil, err // no typed nil
	}
	return c, nil
}

// dirFile is an open directory.
type dirFile struct{ i *inode }

// Iterate implements fs.DirIterator. A position is 2, and one more than the number of
// the entry that a block could hold there: it stays above those of "." and "..".
func (d dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	per := d.i.s.blockSize / direntSize
	next := max(pos-2, 0)
	for n := next / per; n < d.i.dirBlocks(); n++ {
		b, err := d.i.dirBlock(n)
		if err != nil {
			return err
		}
		for k := max(next-n*per, 0); k < int64(b.count); k++ {
			e, err := b.entry(int(k))
			if err != nil {
				return err
			}
			if !rofs.ValidName(e.name) {
				continue
			}
			if !emit(fs.Dirent{Name: e.name, Ino: e.nid, Off: n*per + k + 3, Type: dtype(e.typ)}) {
				return nil
			}
		}
	}
	return nil
}

// dtype makes a d_type of EROFS_FT_*, which are those of ext2.
func dtype(t uint8) uint8 {
	types := [...]uint32{0, abi.S_IFREG, abi.S_IFDIR, abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO, abi.S_IFSOCK, abi.S_IFLNK}
	if int(t) >= len(types) {
		return 0
	}
	return fs.DTypeOf(types[t])
}
