// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"sort"
	"strings"

	"lodger/abi"
	"lodger/fs"
)

// Extended attributes (fs/ext4/xattr.c) are in the inode's own tail and in one
// block; large values can have an inode of their own (feature ea_inode).

const (
	xattrMagic  = 0xea020000
	xattrHeader = 32 // bytes of a block's header
	xattrIHead  = 4  // bytes of the inode's header
	xattrEntry  = 16 // bytes of an entry before its name
)

// Name spaces, by the number that stands for the prefix.
const (
	xattrUser       = 1
	xattrACLAccess  = 2
	xattrACLDefault = 3
	xattrTrusted    = 4
	xattrSecurity   = 6
	xattrSystem     = 7
)

func xattrPrefix(index uint8) string {
	switch index {
	case xattrUser:
		return "user."
	case xattrTrusted:
		return "trusted."
	case xattrSecurity:
		return "security."
	}
	return "" // ACLs and inline data do not show here
}

// splitName gives the number and the rest of a full name.
func splitName(full string) (index uint8, name string, ok bool) {
	for _, x := range [...]uint8{xattrUser, xattrTrusted, xattrSecurity} {
		if n, has := strings.CutPrefix(full, xattrPrefix(x)); has && n != "" {
			return x, n, true
		}
	}
	return 0, "", false
}

// xattr is one attribute. value points into the bytes it was read from, unless
// inum says that it is another inode's contents.
type xattr struct {
	index uint8
	name  string
	value []byte
	inum  uint32
	size  uint32
	hash  uint32 // e_hash as read
}

// parseXattrs decodes a list of entries in area, whose values' offsets count from
// area's start; first is where the entries begin. Everything is checked
// (check_xattrs).
func (i *inode) parseXattrs(area []byte, first int, block uint64) ([]xattr, error) {
	bad := func(what string, off int) error {
		return i.s.corrupt(i.ino, block, "attribute at offset %d: %s", off, what)
	}
	var l []xattr
	end := first
	for { // the list ends with four zero bytes; values must lie behind it
		if end+4 > len(area) {
			return nil, bad("no end of list", end)
		}
		if le32(area, end) == 0 {
			end += 4
			break
		}
		if end+xattrEntry > len(area) {
			return nil, bad("cut off", end)
		}
		end += xattrLen(int(area[end]))
	}
	for off := first; le32(area, off) != 0; {
		n := int(area[off])
		if off+xattrEntry+n > len(area) {
			return nil, bad("name cut off", off)
		}
		x := xattr{index: area[off+1], name: string(area[off+xattrEntry : off+xattrEntry+n]), inum: le32(area, off+4), size: le32(area, off+8), hash: le32(area, off+12)}
		at := int(le16(area, off+2))
		switch {
		case strings.IndexByte(x.name, 0) >= 0:
			return nil, bad("zero in the name", off)
		case x.inum != 0 && !i.s.es.hasIncompat(incompatEAInode):
			return nil, bad("value in an inode without ea_inode", off)
		case x.size > abi.XATTR_SIZE_MAX*256:
			return nil, bad("huge value", off)
		case x.inum == 0 && x.size > 0:
			if at < end || uint64(at)+uint64(x.size) > uint64(len(area)) {
				return nil, bad("value out of bounds", off)
			}
			x.value = area[at : at+int(x.size)]
		}
		l = append(l, x)
		off += xattrLen(n)
	}
	return l, nil
}

// xattrLen is EXT4_XATTR_LEN: an entry with its name, padded.
func xattrLen(name int) int { return (xattrEntry + name + 3) &^ 3 }

// ibodyXattrs gives the attributes in the inode.
func (i *inode) ibodyXattrs() ([]xattr, error) {
	b := i.body()
	if len(b) < xattrIHead+4 || le32(b, 0) != xattrMagic {
		return nil, nil
	}
	return i.parseXattrs(b[xattrIHead:], 0, 0)
}

// blockXattrs gives the attributes in the attribute block.
func (i *inode) blockXattrs() ([]xattr, *Buffer, error) {
	if i.fileACL == 0 {
		return nil, nil, nil
	}
	s := i.s
	if !s.validData(i.fileACL, 1) {
		return nil, nil, s.corrupt(i.ino, i.fileACL, "attribute block among the metadata")
	}
	b, err := s.bread(i.fileACL)
	if err != nil {
		return nil, nil, err
	}
	if !b.verifiedAs(asXattr, 0) {
		if le32(b.data, 0) != xattrMagic || le32(b.data, 8) != 1 || le32(b.data, 4) == 0 {
			return nil, nil, s.corrupt(i.ino, b.block, "no attribute block")
		}
		if s.es.metadataCsum() && s.xattrCsum(b) != le32(b.data, 16) {
			return nil, nil, s.badCsum(i.ino, b.block, "attribute block")
		}
		b.setVerified(asXattr, 0)
	}
	l, err := i.parseXattrs(b.data, xattrHeader, b.block)
	return l, b, err
}

// xattrCsum is ext4_xattr_block_csum: shared blocks belong to no inode, so the
// block number stands for it.
func (s *FS) xattrCsum(b *Buffer) uint32 {
	c := crc32cLE64(s.es.csumSeed, b.block)
	c = crc32c(c, b.data[:16])
	return crc32c(crc32cZero(c, 4), b.data[20:])
}

// xattrs gives all attributes, those of the inode first.
func (i *inode) xattrs() ([]xattr, error) {
	l, err := i.ibodyXattrs()
	if err != nil {
		return nil, err
	}
	m, _, err := i.blockXattrs()
	return append(l, m...), err
}

// xattrValue gives a copy of a value.
func (i *inode) xattrValue(x *xattr) ([]byte, error) {
	if x.inum == 0 {
		return append([]byte{}, x.value...), nil
	}
	if x.size > abi.XATTR_SIZE_MAX {
		return nil, abi.E2BIG
	}
	ea, err := i.s.iget(x.inum, igetEA)
	if err != nil {
		return nil, err
	}
	if ea.size != int64(x.size) || ea.kind != abi.S_IFREG || ea.is(flInlineData) {
		return nil, i.s.corrupt(i.ino, 0, "attribute inode %d has %d bytes, expected %d", ea.ino, ea.size, x.size)
	}
	v := make([]byte, x.size)
	if _, err := ea.readData(v, 0); err != nil {
		return nil, err
	}
	if h := crc32c(i.s.es.csumSeed, v); h != le32(ea.raw, 0x8) { // i_atime holds the hash
		return nil, i.s.badCsum(ea.ino, 0, "attribute inode")
	}
	return v, nil
}

// Getxattr gives the value of an extended attribute.
func (i *inode) Getxattr(_ *fs.Context, full string) ([]byte, error) {
	index, name, ok := splitName(full)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	i.s.mu.RLock()
	defer i.s.runlock()
	l, err := i.xattrs()
	if err != nil {
		return nil, err
	}
	for k := range l {
		if l[k].index == index && l[k].name == name {
			return i.xattrValue(&l[k])
		}
	}
	return nil, abi.ENODATA
}

// Listxattr lists the names.
func (i *inode) Listxattr(*fs.Context) ([]string, error) {
	i.s.mu.RLock()
	defer i.s.runlock()
	l, err := i.xattrs()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, x := range l {
		p := xattrPrefix(x.index)
		if p == "" {
			continue
		}
		names = append(names, p+x.name)
	}
	sort.Strings(names)
	return names, nil
}
