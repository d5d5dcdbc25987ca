// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"lodger/abi"
	"lodger/fs"
)

// GetACL gives an ACL of the real file.
func (n *node) GetACL(t fs.ACLType) (fs.ACL, error) {
	h, ok := n.real.Load().inode.(fs.ACLHolder)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	return h.GetACL(t)
}

// SetACL changes the ACL of the upper copy.
func (n *node) SetACL(ctx *fs.Context, t fs.ACLType, acl fs.ACL, mode uint32) error {
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return err
	}
	h, ok := u.(fs.ACLHolder)
	if !ok {
		return abi.EOPNOTSUPP
	}
	return h.SetACL(ctx, t, acl, mode)
}

// copyACLs gives a copy its original's ACLs, where both file systems have them.
func copyACLs(ctx *fs.Context, to, from fs.Inode, mode uint32) error {
	src, ok := from.(fs.ACLHolder)
	dst, ok2 := to.(fs.ACLHolder)
	if !ok || !ok2 {
		return nil
	}
	for _, t := range [...]fs.ACLType{fs.ACLAccess, fs.ACLDefault} {
		acl, err := src.GetACL(t)
		if err != nil || acl == nil {
			continue
		}
		if err := dst.SetACL(ctx, t, acl, mode&abi.S_IALLUGO); err != nil {
			return err
		}
	}
	return nil
}
