// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"strings"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// Layouts of data (EROFS_INODE_*).
const (
	flatPlain = iota
	compressedFull
	flatInline
	compressedCompact
	chunkBased
)

// inode is a file of any type.
type inode struct {
	rofs.FixedXattrs
	s      *FS
	nid    uint64
	attr   fs.Attr
	layout uint8
	xattrs int64  // bytes of attributes behind the inode
	at     int64  // where attributes begin
	data   uint32 // first block, or form of chunks

	zonce sync.Once
	zhead zhead // of compressed files, once zonce is done
	zerr  error
	copy  rofs.Copy
}

func (i *inode) kind() uint32 { return i.attr.Mode & abi.S_IFMT }

// end is where what follows the inode and its attributes begins.
func (i *inode) end() int64 { return i.at + i.xattrs }

// Getattr implements fs.Inode.
func (i *inode) Getattr() (fs.Attr, error) { return i.attr, nil }

// iget gives inode nid.
func (s *FS) iget(nid uint64) (*inode, error) {
	return s.inodes.Get(nid, func() (*inode, error) {
		i := &inode{s: s, nid: nid}
		return i, i.load()
	})
}

// load is erofs_read_inode.
func (i *inode) load() error {
	s := i.s
	if i.nid > 1<<50 {
		return s.corrupt(i.nid, "number is too large")
	}
	loc := int64(s.metaBlock0()) + int64(i.nid)<<5
	b, err := s.metaBytes(loc, 32)
	if err != nil {
		return err
	}
	le16, le32 := rofs.LE16, rofs.LE32
	format := le16(b, 0)
	if format>>4 != 0 {
		s.Printf("nid %d: unsupported i_format %#x", i.nid, format)
		return abi.EOPNOTSUPP
	}
	i.layout = uint8(format >> 1 & 7)
	if i.layout > chunkBased {
		s.Printf("nid %d: unsupported datalayout %d", i.nid, i.layout)
		return abi.EOPNOTSUPP
	}
	a := &i.attr
	*a = fs.Attr{Dev: s.Rdev, Ino: i.nid, Mode: uint32(le16(b, 4)), Blksize: uint32(s.blockSize)}
	i.data = le32(b, 16)
	i.at = loc + 32
	t := s.built
	if format&1 == 0 { // compact
		a.Nlink, a.Size = uint32(le16(b, 6)), int64(le32(b, 8))
		a.UID, a.GID = uint32(le16(b, 24)), uint32(le16(b, 26))
	} else {
		if b, err = s.metaBytes(loc, 64); err != nil {
			return err
		}
		i.at += 32
		a.Size, a.UID, a.GID, a.Nlink = int64(rofs.LE64(b, 8)), le32(b, 24), le32(b, 28), le32(b, 44)
		t = abi.Timespec{Sec: int64(rofs.LE64(b, 32)), Nsec: int64(min(le32(b, 40), 999_999_999))}
	}
	a.Atime, a.Mtime, a.Ctime = t, t, t
	if n := le16(b, 2); n > 0 {
		i.xattrs = 12 + int64(n-1)*4
	}
	if a.Size < 0 || a.Size > 1<<62 {
		return s.corrupt(i.nid, "size %d", a.Size)
	}
	switch i.kind() {
	case abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK:
	case abi.S_IFCHR, abi.S_IFBLK:
		a.Rdev = rofs.DecodeDev(i.data)
	case abi.S_IFIFO, abi.S_IFSOCK:
	default:
		return s.corrupt(i.nid, "bogus i_mode (%o)", a.Mode)
	}
	if i.compressed() {
		a.Blocks = uint64(i.data) << (s.blockBits - 9)
		if i.kind() != abi.S_IFREG {
			return s.corrupt(i.nid, "compressed, and no regular file")
		}
	} else {
		a.Blocks = uint64(a.Size+s.blockSize-1) >> s.blockBits << (s.blockBits - 9)
	}
	return nil
}

// metaBlock0 is where inode 0 would be.
func (s *FS) metaBlock0() int64 { return int64(s.super.metaBlock) << s.blockBits }

func (i *inode) compressed() bool { return i.layout == compressedFull || i.layout == compressedCompact }

// Readlink implements fs.SymlinkInode.
func (i *inode) Readlink(*fs.Context) (string, error) {
	if i.kind() != abi.S_IFLNK {
		return "", abi.EINVAL
	}
	if i.attr.Size >= abi.PATH_MAX {
		return "", i.s.corrupt(i.nid, "link text of %d bytes", i.attr.Size)
	}
	b := make([]byte, i.attr.Size)
	if _, err := i.readAt(b, 0); err != nil {
		return "", err
	}
	text, _, _ := strings.Cut(string(b), "\x00")
	return text, nil
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
