// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// POSIX ACLs (fs/ext4/acl.c) are attributes with names of their own. On disk an
// entry has an id only where its tag has one.

const aclVersion = 1 // EXT4_ACL_VERSION

// hasID tells whether entries of a tag have an id.
func hasID(tag uint16) bool { return tag == fs.ACLUser || tag == fs.ACLGroup }

// decodeACL reads the on-disk form.
func (i *inode) decodeACL(v []byte) (fs.ACL, error) {
	if len(v) < 4 || le32(v, 0) != aclVersion {
		return nil, i.s.corrupt(i.ino, 0, "broken ACL")
	}
	var acl fs.ACL
	for p := v[4:]; len(p) > 0; {
		n, e := 4, fs.ACLEntry{ID: fs.NoACLID}
		if len(p) >= n {
			e.Tag, e.Perm = le16(p, 0), le16(p, 2)
		}
		if hasID(e.Tag) {
			n = 8
		}
		if len(p) < n {
			return nil, i.s.corrupt(i.ino, 0, "broken ACL")
		}
		if n == 8 {
			e.ID = le32(p, 4)
		}
		acl, p = append(acl, e), p[n:]
	}
	if acl.Valid() != nil {
		return nil, i.s.corrupt(i.ino, 0, "broken ACL")
	}
	return acl, nil
}

// encodeACL makes the on-disk form.
func encodeACL(acl fs.ACL) []byte {
	out := make([]byte, 4, 4+8*len(acl))
	put32(out, 0, aclVersion)
	for _, e := range acl {
		var b [8]byte
		put16(b[:], 0, e.Tag)
		put16(b[:], 2, e.Perm)
		put32(b[:], 4, e.ID)
		if hasID(e.Tag) {
			out = append(out, b[:]...)
		} else {
			out = append(out, b[:4]...)
		}
	}
	return out
}

func aclIndex(t fs.ACLType) uint8 {
	if t == fs.ACLDefault {
		return xattrACLDefault
	}
	return xattrACLAccess
}

// cachedACLs is what an inode's attributes hold of ACLs.
type cachedACLs struct{ of [2]fs.ACL }

// GetACL gives an ACL. It is remembered, for the sake of permission checks.
func (i *inode) GetACL(t fs.ACLType) (fs.ACL, error) {
	if i.s.opt.NoACL || i.kind == abi.S_IFLNK {
		return nil, abi.EOPNOTSUPP
	}
	i.mu.Lock()
	c := i.acls
	i.mu.Unlock()
	if c != nil {
		return c.of[t], nil
	}
	i.s.mu.RLock()
	defer i.s.runlock()
	c, err := i.readACLs()
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	i.acls = c
	i.mu.Unlock()
	return c.of[t], nil
}

func (i *inode) readACLs() (*cachedACLs, error) {
	l, err := i.xattrs()
	if err != nil {
		return nil, err
	}
	c := &cachedACLs{}
	for _, t := range [...]fs.ACLType{fs.ACLAccess, fs.ACLDefault} {
		for k := range l {
			if l[k].index != aclIndex(t) || l[k].name != "" {
				continue
			}
			v, err := i.xattrValue(&l[k])
			if err != nil {
				return nil, err
			}
			if c.of[t], err = i.decodeACL(v); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// SetACL stores or removes an ACL, and changes the mode with it (ext4_set_acl).
func (i *inode) SetACL(ctx *fs.Context, t fs.ACLType, acl fs.ACL, mode uint32) error {
	return i.s.change(ctx, creditsXattr, func(h *handle) error {
		if err := i.mayChangeXattr(); err != nil {
			return err
		}
		if err := i.putACL(h, t, acl); err != nil {
			return err
		}
		now := i.clampTime(ctx.Time())
		return i.update(h, func() {
			i.mode = i.kind | mode
			i.ctime = now
		})
	})
}

// putACL stores or removes an ACL.
func (i *inode) putACL(h *handle, t fs.ACLType, acl fs.ACL) error {
	if acl == nil {
		return i.setXattr(h, xattr{index: aclIndex(t)}, true)
	}
	return i.setXattr(h, newXattr(aclIndex(t), "", encodeACL(acl)), false)
}

// inheritACLs stores the ACLs that a new inode was made with (ext4_init_acl).
func (i *inode) inheritACLs(h *handle, na *fs.NewAttr) error {
	if na.Default != nil {
		if err := i.putACL(h, fs.ACLDefault, na.Default); err != nil {
			return err
		}
	}
	if na.Access != nil {
		return i.putACL(h, fs.ACLAccess, na.Access)
	}
	return nil
}
