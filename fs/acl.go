// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"

	"lodger/abi"
)

// ACL is a POSIX access control list (struct posix_acl), entries in the order
// of their tags. nil: none; the mode bits say all.
type ACL []ACLEntry

// ACLEntry is one line of an ACL.
type ACLEntry struct {
	Tag  uint16 // ACL_*
	Perm uint16 // R_OK, W_OK, X_OK
	ID   uint32 // of ACLUser and ACLGroup, else NoACLID
}

// Tags of ACL entries (include/uapi/linux/posix_acl.h).
const (
	ACLUserObj  = 0x01
	ACLUser     = 0x02
	ACLGroupObj = 0x04
	ACLGroup    = 0x08
	ACLMask     = 0x10
	ACLOther    = 0x20
)

// NoACLID is the id of entries that have none (ACL_UNDEFINED_ID).
const NoACLID = ^uint32(0)

// ACLType tells the two ACLs of an inode apart.
type ACLType int

// The ACL that permissions are checked with, and the one that new files in a
// directory get.
const (
	ACLAccess ACLType = iota
	ACLDefault
)

// Names of the attributes that stand for ACLs.
const (
	aclAccessName  = "system.posix_acl_access"
	aclDefaultName = "system.posix_acl_default"
)

// ACLHolder is the ability of inodes to hold POSIX ACLs. An inode that makes
// others stores NewAttr.Access and NewAttr.Default with them.
type ACLHolder interface {
	// GetACL gives an ACL, nil when there is none; abi.EOPNOTSUPP when the mount
	// or this kind of file has none. It must be cheap: permission checks use it.
	// The ACL must not be changed.
	GetACL(t ACLType) (ACL, error)
	// SetACL stores an ACL, or removes it (nil), and with it changes the
	// permission bits to mode. All has been checked.
	SetACL(ctx *Context, t ACLType, acl ACL, mode uint32) error
}

// aclVersion is POSIX_ACL_XATTR_VERSION.
const aclVersion = 2

// ParseACL decodes the form of setxattr(2) (posix_acl_from_xattr).
func ParseACL(v []byte) (ACL, error) {
	if len(v) < 4 {
		return nil, abi.EINVAL
	}
	if binary.LittleEndian.Uint32(v) != aclVersion {
		return nil, abi.EOPNOTSUPP
	}
	if (len(v)-4)%8 != 0 {
		return nil, abi.EINVAL
	}
	var acl ACL
	for p := v[4:]; len(p) > 0; p = p[8:] {
		e := ACLEntry{binary.LittleEndian.Uint16(p), binary.LittleEndian.Uint16(p[2:]), NoACLID}
		switch e.Tag {
		case ACLUserObj, ACLGroupObj, ACLMask, ACLOther:
		case ACLUser, ACLGroup:
			if e.ID = binary.LittleEndian.Uint32(p[4:]); e.ID == NoACLID {
				return nil, abi.EINVAL
			}
		default:
			return nil, abi.EINVAL
		}
		acl = append(acl, e)
	}
	return acl, nil
}

// Bytes encodes an ACL for getxattr(2).
func (acl ACL) Bytes() []byte {
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range acl {
		b = binary.LittleEndian.AppendUint16(b, e.Tag)
		b = binary.LittleEndian.AppendUint16(b, e.Perm)
		b = binary.LittleEndian.AppendUint32(b, e.ID)
	}
	return b
}

// Valid is posix_acl_valid: the order of the entries, and a mask where named
// users or groups are.
func (acl ACL) Valid() error {
	want, mask := uint16(ACLUserObj), false
	for _, e := range acl {
		if e.Perm&^(abi.R_OK|abi.W_OK|abi.X_OK) != 0 {
			return abi.EINVAL
		}
		ok := false
		switch e.Tag {
		case ACLUserObj:
			ok, want = want == ACLUserObj, ACLUser
		case ACLUser:
			ok, mask = want == ACLUser, true
		case ACLGroupObj:
			ok, want = want == ACLUser, ACLGroup
		case ACLGroup:
			ok, mask = want == ACLGroup, true
		case ACLMask:
			ok, want = want == ACLGroup, ACLOther
		case ACLOther:
			ok, want = want == ACLOther || want == ACLGroup && !mask, 0
		}
		if !ok {
			return abi.EINVAL
		}
	}
	if want != 0 {
		return abi.EINVAL
	}
	return nil
}

// equivMode is posix_acl_equiv_mode: the permission bits that an ACL shows, and
// whether they say all of it.
func (acl ACL) equivMode() (bits uint32, equiv bool) {
	equiv = true
	for _, e := range acl {
		switch e.Tag {
		case ACLUserObj:
			bits |= uint32(e.Perm) << 6
		case ACLGroupObj:
			bits |= uint32(e.Perm) << 3
		case ACLOther:
			bits |= uint32(e.Perm)
		case ACLMask:
			bits = bits&^0o70 | uint32(e.Perm)<<3
			equiv = false
		default:
			equiv = false
		}
	}
	return bits, equiv
}

// groupEntry gives the entry that the mode's group bits stand for: the mask, or
// the owning group's where there is none.
func (acl ACL) groupEntry() *ACLEntry {
	var g *ACLEntry
	for k := range acl {
		switch acl[k].Tag {
		case ACLMask:
			return &acl[k]
		case ACLGroupObj:
			g = &acl[k]
		}
	}
	return g
}

// withMode is __posix_acl_chmod: a copy whose entries follow new mode bits.
func (acl ACL) withMode(mode uint32) ACL {
	n := append(ACL(nil), acl...)
	for k := range n {
		switch n[k].Tag {
		case ACLUserObj:
			n[k].Perm = uint16(mode >> 6 & 7)
		case ACLOther:
			n[k].Perm = uint16(mode & 7)
		}
	}
	if g := n.groupEntry(); g != nil {
		g.Perm = uint16(mode >> 3 & 7)
	}
	return n
}

// inherited is posix_acl_create_masq: the access ACL of a new file in a
// directory with default ACL acl, and the file's permission bits. The ACL is
// nil when the bits say all.
func (acl ACL) inherited(mode uint32) (access ACL, bits uint32) {
	n := append(ACL(nil), acl...)
	bits = mode & 0o777
	limit := func(e *ACLEntry, shift uint) {
		e.Perm &= uint16(bits >> shift & 7)
		bits = bits&^(7<<shift) | uint32(e.Perm)<<shift
	}
	for k := range n {
		switch n[k].Tag {
		case ACLUserObj:
			limit(&n[k], 6)
		case ACLOther:
			limit(&n[k], 0)
		}
	}
	if g := n.groupEntry(); g != nil {
		limit(g, 3)
	}
	if _, equiv := n.equivMode(); equiv {
		n = nil
	}
	return n, bits
}

// permission is posix_acl_permission: EACCES, or EIO for an ACL without end.
func (acl ACL) permission(c *Creds, a *Attr, want uint32) error {
	grants := func(e ACLEntry) bool { return want&^uint32(e.Perm) == 0 }
	check := func(ok bool) error {
		if ok {
			return nil
		}
		return abi.EACCES
	}
	masked := func(e ACLEntry) error {
		for _, m := range acl {
			if m.Tag == ACLMask {
				e.Perm &= m.Perm
			}
		}
		return check(grants(e))
	}
	inGroup := false
	for _, e := range acl {
		switch e.Tag {
		case ACLUserObj:
			if c.FSUID == a.UID {
				return check(grants(e))
			}
		case ACLUser:
			if c.FSUID == e.ID {
				return masked(e)
			}
		case ACLGroupObj, ACLGroup:
			if e.Tag == ACLGroupObj && c.InGroup(a.GID) || e.Tag == ACLGroup && c.InGroup(e.ID) {
				inGroup = true
				if grants(e) {
					return masked(e)
				}
			}
		case ACLOther:
			return check(!inGroup && grants(e))
		}
	}
	return abi.EIO
}
