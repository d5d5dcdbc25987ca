// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"strings"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// inode is a file, of whatever type; kind tells which fields count.
type inode struct {
	rofs.FixedXattrs
	s     *FS
	attr  fs.Attr
	xattr uint32

	dir   dirPlace // directories
	link  string   // symbolic links
	place filePlace
	mu    sync.Mutex
	index []blockMark // guarded by mu
	copy  rofs.Copy
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

// iget gives the inode at ref.
func (s *FS) iget(ref uint64) (*inode, error) {
	return s.inodes.Get(ref, func() (*inode, error) {
		i := &inode{s: s, xattr: noXattr}
		err := i.load(s.cursor(s.inodeTable, ref))
		if err == nil {
			err = i.countXattrs()
		}
		if err != nil {
			s.Printf("unable to read inode %#x", ref)
			return nil, err
		}
		return i, nil
	})
}

// kinds are the types by inode type: 1 to 7, and 8 to 14 for the long ones.
func kindOf(typ uint16) uint32 {
	if typ > 7 {
		typ -= 7
	}
	switch typ {
	case 1:
		return abi.S_IFDIR
	case 2:
		return abi.S_IFREG
	case 3:
		return abi.S_IFLNK
	case 4:
		return abi.S_IFBLK
	case 5:
		return abi.S_IFCHR
	case 6:
		return abi.S_IFIFO
	}
	return abi.S_IFSOCK
}

// load is squashfs_read_inode.
func (i *inode) load(c cursor) error {
	h, err := c.next(16)
	if err != nil {
		return err
	}
	typ, uid, gid := rofs.LE16(h, 0), int(rofs.LE16(h, 4)), int(rofs.LE16(h, 6))
	if typ == 0 || typ > 14 || uid >= len(i.s.ids) || gid >= len(i.s.ids) {
		return abi.EINVAL
	}
	t := abi.Timespec{Sec: int64(rofs.LE32(h, 8))}
	i.attr = fs.Attr{Dev: i.s.Rdev, Ino: uint64(rofs.LE32(h, 12)), Mode: uint32(rofs.LE16(h, 2))&0o7777 | kindOf(typ), Nlink: 1,
		UID: i.s.ids[uid], GID: i.s.ids[gid], Blksize: 1024, Atime: t, Mtime: t, Ctime: t}
	switch typ {
	case 1, 8:
		return i.loadDir(&c, typ == 8)
	case 2, 9:
		return i.loadFile(&c, typ == 9)
	case 3, 10:
		return i.loadLink(&c, typ == 10)
	}
	n := 4 // nlink
	if k := i.kind(); k == abi.S_IFCHR || k == abi.S_IFBLK {
		n += 4
	}
	if typ > 7 {
		n += 4
	}
	b, err := c.next(n)
	if err != nil {
		return err
	}
	i.attr.Nlink = rofs.LE32(b, 0)
	if k := i.kind(); k == abi.S_IFCHR || k == abi.S_IFBLK {
		i.attr.Rdev = rofs.DecodeDev(rofs.LE32(b, 4))
	}
	if typ > 7 {
		i.xattr = rofs.LE32(b, n-4)
	}
	return nil
}

func (i *inode) loadLink(c *cursor, long bool) error {
	b, err := c.next(8)
	if err != nil {
		return err
	}
	i.attr.Nlink = rofs.LE32(b, 0)
	size := rofs.LE32(b, 4)
	if size > 4096 {
		i.s.Printf("symbolic link of %d bytes", size)
		return abi.EINVAL
	}
	i.attr.Size = int64(size)
	text, err := c.next(int(size))
	if err != nil {
		return err
	}
	i.link, _, _ = strings.Cut(string(text), "\x00")
	if long {
		if b, err = c.next(4); err != nil {
			return err
		}
		i.xattr = rofs.LE32(b, 0)
	}
	return nil
}

// Open implements fs.Opener.
func (i *inode) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) {
	switch i.kind() {
	case abi.S_IFDIR:
		return &dirFile{i: i}, nil
	case abi.S_IFREG:
		return file{i}, nil
	}
	return nil, abi.ENXIO
}
