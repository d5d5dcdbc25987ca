// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// aclName tells whether an attribute's name stands for an ACL
// (posix_acl_type).
func aclName(name string) (t ACLType, ok bool) {
	switch name {
	case aclAccessName:
		return ACLAccess, true
	case aclDefaultName:
		return ACLDefault, true
	}
	return 0, false
}

// aclHolder gives what keeps an inode's ACLs; EOPNOTSUPP.
func aclHolder(d *Dentry) (ACLHolder, error) {
	h, ok := d.inode.(ACLHolder)
	if !ok || d.kind == abi.S_IFLNK {
		return nil, abi.EOPNOTSUPP
	}
	return h, nil
}

// getACL is vfs_get_acl and the encoding of do_get_acl; ENODATA.
func getACL(p Path, t ACLType) ([]byte, error) {
	h, err := aclHolder(p.Dentry)
	if err != nil {
		return nil, err
	}
	acl, err := h.GetACL(t)
	if err != nil {
		return nil, err
	}
	if acl == nil {
		return nil, abi.ENODATA
	}
	return acl.Bytes(), nil
}

// setACL is vfs_set_acl; acl nil removes it.
func setACL(ctx *Context, p Path, t ACLType, acl ACL) error {
	d := p.Dentry
	a, err := d.inode.Getattr()
	if err != nil {
		return err
	}
	if a.Attributes&(abi.STATX_ATTR_IMMUTABLE|abi.STATX_ATTR_APPEND) != 0 {
		return abi.EPERM
	}
	h, err := aclHolder(d)
	if err != nil {
		return err
	}
	old, err := h.GetACL(t)
	if err == abi.EOPNOTSUPP {
		return err
	}
	if t == ACLDefault && d.kind != abi.S_IFDIR {
		if acl == nil {
			return nil
		}
		return abi.EACCES
	}
	if !isOwner(ctx.Creds, &a) {
		return abi.EPERM
	}
	if acl == nil && old == nil && err == nil {
		return nil
	}
	if err := acl.validOrNil(); err != nil {
		return err
	}
	mode := a.Mode & abi.S_IALLUGO
	if t == ACLAccess && acl != nil { // posix_acl_update_mode
		bits, equiv := acl.equivMode()
		mode = mode&^0o777 | bits
		if equiv {
			acl = nil
		}
		if !ctx.Creds.InGroup(a.GID) && !ctx.Creds.Capable(abi.CAP_FSETID) {
			mode &^= abi.S_ISGID
		}
	}
	if err := h.SetACL(ctx, t, acl, mode); err != nil {
		return err
	}
	d.notify(abi.IN_ATTRIB)
	return nil
}

func (acl ACL) validOrNil() error {
	if acl == nil {
		return nil
	}
	return acl.Valid()
}

// setACLValue is do_set_acl: an attribute's value is an ACL.
func setACLValue(ctx *Context, p Path, t ACLType, value []byte) error {
	var acl ACL
	if len(value) > 0 {
		var err error
		if acl, err = ParseACL(value); err != nil {
			return err
		}
	}
	return setACL(ctx, p, t, acl)
}

// chmodACL is posix_acl_chmod: the access ACL follows a change of the mode.
func chmodACL(ctx *Context, i Inode, mode uint32) error {
	h, ok := i.(ACLHolder)
	if !ok {
		return nil
	}
	acl, err := h.GetACL(ACLAccess)
	if err != nil || acl == nil {
		if err == abi.EOPNOTSUPP {
			err = nil
		}
		return err
	}
	return h.SetACL(ctx, ACLAccess, acl.withMode(mode), mode&abi.S_IALLUGO)
}

// inherit is posix_acl_create: a new file gets the directory's default ACL, or
// the umask.
func (na *NewAttr) inherit(ctx *Context, dir *Dentry) error {
	kind := na.Mode & abi.S_IFMT
	if kind == abi.S_IFLNK {
		return nil
	}
	var def ACL
	if h, ok := dir.inode.(ACLHolder); ok {
		var err error
		if def, err = h.GetACL(ACLDefault); err != nil && err != abi.EOPNOTSUPP {
			return err
		}
	}
	if def == nil {
		na.Mode &^= ctx.Umask & 0o777
		return nil
	}
	var bits uint32
	na.Access, bits = def.inherited(na.Mode)
	na.Mode = na.Mode&^0o777 | bits
	if kind == abi.S_IFDIR {
		na.Default = def
	}
	return nil
}

// aclNames lists the attributes that stand for an inode's ACLs.
func aclNames(i Inode) []string {
	h, ok := i.(ACLHolder)
	if !ok {
		return nil
	}
	var l []string
	for t, name := range [...]string{ACLAccess: aclAccessName, ACLDefault: aclDefaultName} {
		if acl, err := h.GetACL(ACLType(t)); err == nil && acl != nil {
			l = append(l, name)
		}
	}
	return l
}
