// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// maxSections bounds the sections of a file: Linux stops at 100 too.
const maxSections = 100

// section is a part of a file that lies in one run.
type section struct{ at, size int64 }

// inode is a file of any type.
type inode struct {
	s        *FS
	attr     fs.Attr
	sections []section
	link     string
	copy     rofs.Copy
}

func (i *inode) kind() uint32 { return i.attr.Mode & abi.S_IFMT }

// Getattr implements fs.Inode.
func (i *inode) Getattr() (fs.Attr, error) { return i.attr, nil }

// Readlink implements fs.SymlinkInode.
func (i *inode) Readlink(*fs.Context) (string, error) {
	if i.kind() != abi.S_IFLNK {
		return "", abi.EINVAL
	}
	return i.link, nil
}

// directory gives the directory that begins at a block: by its own first record.
func (s *FS) directory(block uint32) (*inode, error) { return s.iget(int64(block) << blockBits) }

// iget gives the inode of the record at a place.
func (s *FS) iget(at int64) (*inode, error) {
	num := uint64(at>>blockBits<<(blockBits-5) | at&(blockSize-1)>>5) // isofs_get_ino
	return s.inodes.Get(uint64(at), func() (*inode, error) {
		r, err := s.record(at, nil)
		if err != nil {
			return nil, err
		}
		i := &inode{s: s}
		return i, i.load(&r, num)
	})
}

// load is isofs_read_inode.
func (i *inode) load(r *record, num uint64) error {
	s, o := i.s, &i.s.opt
	t := date(r.b[18:25])
	a := &i.attr
	*a = fs.Attr{Dev: s.Rdev, Ino: num, Nlink: 1, Mode: abi.S_IFREG | 0o555, Blksize: blockSize, Atime: t, Mtime: t, Ctime: t}
	if r.flags()&flagDir != 0 {
		a.Mode = abi.S_IFDIR | 0o555
	}
	if err := i.loadSections(r); err != nil {
		return err
	}
	told := uint32(0)
	if s.rock {
		k, err := s.parseRock(r)
		if err != nil {
			return err
		}
		told = k.mode
		i.apply(k)
	}
	set := func(p *uint32, v int64) {
		if v >= 0 && (told == 0 || o.overrides) {
			*p = uint32(v)
		}
	}
	perm := a.Mode & 0o7777
	if i.kind() == abi.S_IFDIR {
		set(&perm, o.dmode)
	} else if i.kind() == abi.S_IFREG {
		set(&perm, o.mode)
	}
	a.Mode = a.Mode&^0o7777 | perm&0o7777
	if o.uid >= 0 {
		a.UID = uint32(o.uid)
	}
	if o.gid >= 0 {
		a.GID = uint32(o.gid)
	}
	a.Blocks = uint64(a.Size+511) >> 9
	return nil
}

// loadSections finds where the file lies: in as many records as have flagMore, and one
// (isofs_read_level3_size).
func (i *inode) loadSections(r *record) error {
	at := r.at
	for n := 0; ; n++ {
		i.sections = append(i.sections, section{int64(r.extent()) << blockBits, r.size()})
		i.attr.Size += r.size()
		if r.flags()&flagMore == 0 {
			return nil
		}
		if n >= maxSections {
			i.s.Printf("more than %d sections of a file", maxSections)
			return abi.EIO
		}
		at += int64(len(r.b))
		for {
			b, err := i.s.block(at >> blockBits)
			if err != nil {
				return err
			}
			if at&(blockSize-1) == 0 || b[at&(blockSize-1)] != 0 {
				break
			}
			at = (at>>blockBits + 1) << blockBits // records do not cross blocks
		}
		next, err := i.s.record(at, nil)
		if err != nil {
			return err
		}
		r = &next
	}
}

// apply takes over what Rock Ridge tells.
func (i *inode) apply(k *rock) {
	a := &i.attr
	if k.mode != 0 {
		kind := k.mode & abi.S_IFMT
		switch {
		case i.kind() == abi.S_IFDIR: // what it is the record says, and it stays one
			kind = abi.S_IFDIR
		case kind == abi.S_IFDIR || kind == 0:
			kind = abi.S_IFREG
		}
		a.Mode, a.Nlink, a.UID, a.GID = kind|k.mode&0o7777, k.nlink, k.uid, k.gid
	}
	for _, t := range []struct{ to, from *abi.Timespec }{{&a.Atime, k.atime}, {&a.Mtime, k.mtime}, {&a.Ctime, k.ctime}} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	switch i.kind() {
	case abi.S_IFREG, abi.S_IFDIR:
	case abi.S_IFLNK:
		i.link, i.sections = k.text(), nil
		a.Size = int64(len(i.link))
	default:
		a.Rdev, a.Size, i.sections = k.rdev, 0, nil
		if i.kind() != abi.S_IFCHR && i.kind() != abi.S_IFBLK {
			a.Rdev = 0
		}
	}
}

// Open implements fs.Opener.
func (i *inode) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) {
	switch i.kind() {
	case abi.S_IFDIR:
		return dirFile{i}, nil
	case abi.S_IFREG:
		return file{i}, nil
	}
	return nil, abi.ENXIO
}
