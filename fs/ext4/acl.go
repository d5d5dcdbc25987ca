// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// POSIX ACLs (fs/ext4/acl.c). On disk an entry has an id only where its tag has
// one; the form of system calls (posix_acl_xattr) always has one.

const (
	aclVersion      = 1 // on disk
	aclXattrVersion = 2
	aclUser         = 0x2
	aclGroup        = 0x8
	aclNoID         = ^uint32(0)
)

// aclTag tells whether a tag is known, and whether its entry has an id.
func aclTag(tag uint16) (known, hasID bool) {
	switch tag {
	case aclUser, aclGroup:
		return true, true
	case 0x1, 0x4, 0x10, 0x20: // USER_OBJ, GROUP_OBJ, MASK, OTHER
		return true, false
	}
	return false, false
}

// decodeACL turns the on-disk form into that of getxattr.
func (i *inode) decodeACL(v []byte) ([]byte, error) {
	bad := func() ([]byte, error) { return nil, i.s.corrupt(i.ino, 0, "broken ACL") }
	if len(v) < 4 || le32(v, 0) != aclVersion {
		return bad()
	}
	out := make([]byte, 4, 4+2*len(v))
	put32(out, 0, aclXattrVersion)
	for p := v[4:]; len(p) > 0; {
		if len(p) < 4 {
			return bad()
		}
		var e [8]byte
		copy(e[:4], p)
		put32(e[:], 4, aclNoID)
		known, hasID := aclTag(le16(p, 0))
		n := 4
		if hasID {
			n = 8
		}
		if !known || len(p) < n {
			return bad()
		}
		copy(e[4:n], p[4:])
		out, p = append(out, e[:]...), p[n:]
	}
	return out, nil
}

// encodeACL is the other direction; EINVAL for what is no ACL.
func encodeACL(v []byte) ([]byte, error) {
	if len(v) < 4 || (len(v)-4)%8 != 0 {
		return nil, abi.EINVAL
	}
	if le32(v, 0) != aclXattrVersion {
		return nil, abi.EOPNOTSUPP
	}
	out := make([]byte, 4, len(v))
	put32(out, 0, aclVersion)
	for p := v[4:]; len(p) > 0; p = p[8:] {
		known, hasID := aclTag(le16(p, 0))
		if !known || le16(p, 2) > 7 {
			return nil, abi.EINVAL
		}
		out = append(out, p[:4]...)
		if hasID {
			out = append(out, p[4:8]...)
		}
	}
	return out, nil
}
