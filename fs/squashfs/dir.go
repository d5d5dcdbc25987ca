// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// dirPlace is where a directory's entries lie.
type dirPlace struct {
	ref     uint64 // in the directory table: block<<16 | offset
	size    int64  // bytes of entries
	index   cursor // the index of a long directory
	indexes int
}

// loadDir reads the rest of a directory's inode.
func (i *inode) loadDir(c *cursor, long bool) error {
	n := 16
	if long {
		n = 24
	}
	b, err := c.next(n)
	if err != nil {
		return err
	}
	d := &i.dir
	if long {
		i.attr.Nlink, i.attr.Size = rofs.LE32(b, 0), int64(rofs.LE32(b, 4))
		d.ref = uint64(rofs.LE32(b, 8))<<16 | uint64(rofs.LE16(b, 18))
		d.indexes, d.index, i.xattr = int(rofs.LE16(b, 16)), *c, rofs.LE32(b, 20)
	} else {
		i.attr.Nlink, i.attr.Size = rofs.LE32(b, 4), int64(rofs.LE16(b, 8))
		d.ref = uint64(rofs.LE32(b, 0))<<16 | uint64(rofs.LE16(b, 10))
	}
	d.size = max(i.attr.Size-3, 0) // 3 stands for "." and ".."
	return nil
}

// dirent is an entry on the disk.
type dirent struct {
	name string
	ref  uint64 // of the inode
	ino  uint32
	typ  uint16
}

// dirScan is a place in a directory: pos bytes of entries have been read.
type dirScan struct {
	c     cursor
	pos   int64
	left  int // entries until the next header
	start uint64
	ino   uint32
}

func (i *inode) scan() dirScan { return dirScan{c: i.s.cursor(i.s.dirTable, i.dir.ref)} }

// next reads an entry; ok is false at the end.
func (d *dirScan) next(size int64) (e dirent, ok bool, err error) {
	if d.left == 0 {
		if d.pos >= size {
			return e, false, nil
		}
		var h [12]byte
		if err := d.c.read(h[:]); err != nil {
			return e, false, err
		}
		d.pos += int64(len(h))
		d.left, d.start, d.ino = int(rofs.LE32(h[:], 0))+1, uint64(rofs.LE32(h[:], 4)), rofs.LE32(h[:], 8)
		if d.left > 256 {
			d.c.s.Printf("directory header of %d entries", d.left)
			return e, false, abi.EIO
		}
	}
	var h [8]byte
	if err := d.c.read(h[:]); err != nil {
		return e, false, err
	}
	n := int(rofs.LE16(h[:], 6)) + 1
	if n > nameLen {
		d.c.s.Printf("name of %d bytes", n)
		return e, false, abi.EIO
	}
	name, err := d.c.next(n)
	if err != nil {
		return e, false, err
	}
	d.pos += int64(len(h) + n)
	d.left--
	return dirent{string(name), d.start<<16 | uint64(rofs.LE16(h[:], 0)), d.ino + uint32(int16(rofs.LE16(h[:], 2))), rofs.LE16(h[:], 4)}, true, nil
}

// seek brings a fresh scan to the last header whose first name is not behind name,
// by the index (get_dir_index_using_name).
func (d *dirScan) seek(i *inode, name string) error {
	c, found, at := i.dir.index, uint64(0), int64(0)
	for range i.dir.indexes {
		var h [12]byte
		if err := c.read(h[:]); err != nil {
			return err
		}
		n := rofs.LE32(h[:], 8) + 1
		if n > nameLen {
			return abi.EIO
		}
		first, err := c.next(int(n))
		if err != nil {
			return err
		}
		if string(first) > name {
			break
		}
		at, found = int64(rofs.LE32(h[:], 0)), uint64(rofs.LE32(h[:], 4))
	}
	if at > 0 {
		d.c = i.s.cursor(i.s.dirTable, found<<16|uint64((int64(i.dir.ref&0xffff)+at)%metaSize))
		d.pos = at
	}
	return nil
}

// Lookup implements fs.Dir.
func (i *inode) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if i.kind() != abi.S_IFDIR {
		return nil, abi.ENOTDIR
	}
	if len(name) > nameLen {
		return nil, abi.ENAMETOOLONG
	}
	d := i.scan()
	if err := d.seek(i, name); err != nil {
		return nil, err
	}
	for {
		e, ok, err := d.next(i.dir.size)
		if err != nil {
			return nil, err
		}
		if !ok || e.name[0] > name[0] { // names are sorted
			return nil, abi.ENOENT
		}
		if e.name == name {
			c, err := i.s.iget(e.ref)
			if err != nil {
				return nil, err // no typed nil
			}
			return c, nil
		}
	}
}

// dirFile is an open directory. It remembers where it stands, guarded by the File's
// position lock.
type dirFile struct {
	i    *inode
	scan dirScan
}

// Iterate implements fs.DirIterator. Positions are those of squashfs_readdir: 3 and
// the bytes of entries read.
func (f *dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	d := f.scan
	if d.c.s == nil || d.pos+3 != max(pos, 3) {
		d = f.i.scan()
	}
	for {
		f.scan = d
		e, ok, err := d.next(f.i.dir.size)
		if !ok || err != nil {
			return err
		}
		if d.pos+3 <= pos || !rofs.ValidName(e.name) {
			continue
		}
		typ := uint8(0)
		if e.typ >= 1 && e.typ <= 7 {
			typ = fs.DTypeOf(kindOf(e.typ))
		}
		if !emit(fs.Dirent{Name: e.name, Ino: uint64(e.ino), Off: d.pos + 3, Type: typ}) {
			return nil
		}
	}
}
