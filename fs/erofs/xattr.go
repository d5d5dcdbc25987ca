// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"lodger/fs"
	"lodger/fs/rofs"
)

// eachXattr calls f for each attribute until it returns false: those behind the inode,
// then the shared ones.
func (i *inode) eachXattr(f func(name string, value func() ([]byte, error)) bool) error {
	s := i.s
	if i.xattrs == 0 {
		return nil
	}
	b, err := s.metaBytes(i.at, int(i.xattrs)) // 256 KiB at most
	if err != nil {
		return err
	}
	shared := int(b[4])
	off := 12 + 4*shared
	if off > len(b) {
		return s.corrupt(i.nid, "%d shared attributes in %d bytes", shared, len(b))
	}
	for rest := b[off:]; len(rest) >= 4; {
		name, value := int(rest[0]), int(rofs.LE16(rest, 2))
		if 4+name+value > len(rest) {
			return s.corrupt(i.nid, "attribute of %d bytes beyond the inode's", name+value)
		}
		if prefix, known := xattrPrefix(rest[1]); known {
			v := rest[4+name:][:value]
			if !f(prefix+string(rest[4:4+name]), func() ([]byte, error) { return append([]byte{}, v...), nil }) {
				return nil
			}
		}
		rest = rest[min((4+name+value+3)&^3, len(rest)):]
	}
	for k := range shared {
		at := int64(s.xattrBlock)<<s.blockBits + 4*int64(rofs.LE32(b, 12+4*k))
		h, err := s.metaBytes(at, 4)
		if err != nil {
			return err
		}
		prefix, known := xattrPrefix(h[1])
		if !known {
			continue
		}
		name, err := s.metaBytes(at+4, int(h[0]))
		if err != nil {
			return err
		}
		if !f(prefix+string(name), func() ([]byte, error) {
			return s.metaBytes(at+4+int64(len(name)), int(rofs.LE16(h, 2)))
		}) {
			return nil
		}
	}
	return nil
}

func xattrPrefix(n uint8) (string, bool) {
	switch n {
	case 1:
		return "user.", true
	case 2:
		return "system.posix_acl_access", true
	case 3:
		return "system.posix_acl_default", true
	case 4:
		return "trusted.", true
	case 6:
		return "security.", true
	}
	return "", false
}

// Getxattr implements fs.Xattrs.
func (i *inode) Getxattr(_ *fs.Context, name string) ([]byte, error) {
	return rofs.Getxattr(i.eachXattr, name)
}

// Listxattr implements fs.Xattrs.
func (i *inode) Listxattr(*fs.Context) ([]string, error) { return rofs.Listxattr(i.eachXattr) }
