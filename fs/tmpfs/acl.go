// SPDX-License-Identifier: Apache-2.0

package tmpfs

import (
	"lodger/abi"
	"lodger/fs"
)

// GetACL gives an ACL.
func (i *inode) GetACL(t fs.ACLType) (fs.ACL, error) {
	if i.kind == abi.S_IFLNK {
		return nil, abi.EOPNOTSUPP
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.acls[t], nil
}

// SetACL stores or removes an ACL, and changes the mode with it (simple_set_acl).
func (i *inode) SetACL(ctx *fs.Context, t fs.ACLType, acl fs.ACL, mode uint32) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.acls[t] = acl
	i.attr.Mode = i.kind | mode
	i.attr.Ctime = ctx.Time()
	return nil
}
