// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// loadXattrs is squashfs_read_xattr_id_table.
func (s *FS) loadXattrs() error {
	if s.xattrTable == noTable {
		return nil
	}
	if s.xattrTable > s.bytesUsed-16 {
		s.Printf("table of attributes at %d is outside the file system", s.xattrTable)
		return abi.EINVAL
	}
	var h [16]byte
	if err := s.ReadAt(h[:], int64(s.xattrTable)); err != nil {
		return err
	}
	s.xattrStart, s.xattrIDs = rofs.LE64(h[:], 0), rofs.LE32(h[:], 8)
	return nil
}

// hasXattrs reports whether an inode may have attributes.
func (i *inode) hasXattrs() bool { return i.xattr != noXattr && i.s.xattrTable != noTable }

// xattrID reads what the inode's number stands for: place, count, size (struct
// squashfs_xattr_id).
func (i *inode) xattrID() ([]byte, error) {
	s := i.s
	if i.xattr >= s.xattrIDs {
		s.Printf("inode %d: attributes %d of %d", i.attr.Ino, i.xattr, s.xattrIDs)
		return nil, abi.EINVAL
	}
	c, err := s.indirect(s.xattrTable+16, uint64(i.xattr)*16)
	if err != nil {
		return nil, err
	}
	return c.next(16)
}

// countXattrs adds the blocks of attributes (squashfs_read_inode does at its end).
func (i *inode) countXattrs() error {
	if !i.hasXattrs() {
		return nil
	}
	id, err := i.xattrID()
	if err == nil {
		i.attr.Blocks += uint64(rofs.LE32(id, 12)+511) >> 9
	}
	return err
}

// eachXattr calls f for each attribute until it returns false; value reads it.
func (i *inode) eachXattr(f func(name string, value func() ([]byte, error)) bool) error {
	s := i.s
	if !i.hasXattrs() {
		return nil
	}
	id, err := i.xattrID()
	if err != nil {
		return err
	}
	c := s.cursor(s.xattrStart, rofs.LE64(id, 0))
	total := 0
	for range rofs.LE32(id, 8) {
		h, err := c.next(4)
		if err != nil {
			return err
		}
		typ, n := rofs.LE16(h, 0), int(rofs.LE16(h, 2))
		if total += n + 1; n > abi.XATTR_NAME_MAX || total > 1<<20 {
			return abi.EIO
		}
		name, err := c.next(n)
		if err != nil {
			return err
		}
		if h, err = c.next(4); err != nil {
			return err
		}
		size := int64(rofs.LE32(h, 0))
		at := c
		if prefix := xattrPrefix(typ & 0xff); prefix != "" && !f(prefix+string(name), func() ([]byte, error) {
			return i.xattrValue(at, size, typ&0x100 != 0)
		}) {
			return nil
		}
		if size > abi.XATTR_SIZE_MAX {
			return abi.EIO
		}
		if err := c.skip(int(size)); err != nil {
			return err
		}
	}
	return nil
}

func xattrPrefix(typ uint16) string {
	switch typ {
	case 0:
		return "user."
	case 1:
		return "trusted."
	case 2:
		return "security."
	}
	return ""
}

// xattrValue reads a value, which may lie elsewhere (SQUASHFS_XATTR_VALUE_OOL).
func (i *inode) xattrValue(c cursor, size int64, outOfLine bool) ([]byte, error) {
	if outOfLine {
		b, err := c.next(8)
		if err != nil {
			return nil, err
		}
		c = i.s.cursor(i.s.xattrStart, rofs.LE64(b, 0))
		if b, err = c.next(4); err != nil {
			return nil, err
		}
		size = int64(rofs.LE32(b, 0))
	}
	if size > abi.XATTR_SIZE_MAX {
		return nil, abi.EIO
	}
	return c.next(int(size))
}

// Getxattr implements fs.Xattrs.
func (i *inode) Getxattr(_ *fs.Context, name string) ([]byte, error) {
	return rofs.Getxattr(i.eachXattr, name)
}

// Listxattr implements fs.Xattrs.
func (i *inode) Listxattr(*fs.Context) ([]string, error) { return rofs.Listxattr(i.eachXattr) }
