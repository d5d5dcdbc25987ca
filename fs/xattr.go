// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strings"

	"lodger/abi"
)

// checkXattr is xattr_permission of fs/xattr.c.
func checkXattr(ctx *Context, p Path, name string, mask uint32) (Xattrs, error) {
	if mask == abi.W_OK && p.Mnt.ReadOnly() {
		return nil, abi.EROFS
	}
	if mask == abi.W_OK { // may_write_xattr
		if a, err := p.Dentry.inode.Getattr(); err != nil {
			return nil, err
		} else if a.Attributes&(abi.STATX_ATTR_IMMUTABLE|abi.STATX_ATTR_APPEND) != 0 {
			return nil, abi.EPERM
		}
	}
	x, ok := p.Dentry.inode.(Xattrs)
	refused := abi.Errno(abi.EPERM)
	if mask == abi.R_OK {
		refused = abi.ENODATA
	}
	switch {
	case strings.HasPrefix(name, "security."), strings.HasPrefix(name, "system."):
	case strings.HasPrefix(name, "trusted."):
		if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
			return nil, refused
		}
	case strings.HasPrefix(name, "user."):
		if p.Dentry.kind != abi.S_IFREG && p.Dentry.kind != abi.S_IFDIR {
			return nil, refused
		}
		if err := checkUserXattr(ctx, p, mask); err != nil {
			return nil, err
		}
	default:
		if err := mayAccess(ctx, p.Dentry, mask); err != nil {
			return nil, err
		}
		return nil, abi.EOPNOTSUPP
	}
	if name == "user." || name == "trusted." || name == "security." {
		return nil, abi.EINVAL // a handler's prefix alone (xattr_resolve_name)
	}
	if strings.HasPrefix(name, "security.") && mask == abi.W_OK && !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		if name != fileCapsName || !ctx.Creds.Capable(abi.CAP_SETFCAP) {
			return nil, abi.EPERM
		}
	}
	if !ok || strings.HasPrefix(name, "system.") {
		return nil, abi.EOPNOTSUPP
	}
	return x, nil
}

func checkUserXattr(ctx *Context, p Path, mask uint32) error {
	if p.Dentry.kind == abi.S_IFDIR && mask == abi.W_OK {
		a, err := p.Dentry.inode.Getattr()
		if err != nil {
			return err
		}
		if a.Mode&abi.S_ISVTX != 0 && !isOwner(ctx.Creds, &a) {
			return abi.EPERM
		}
	}
	return mayAccess(ctx, p.Dentry, mask)
}

func checkXattrName(name string) error {
	if name == "" || len(name) > abi.XATTR_NAME_MAX {
		return abi.ERANGE
	}
	return nil
}

// Getxattr gives the value of an extended attribute.
func Getxattr(ctx *Context, p Path, name string) ([]byte, error) {
	if err := checkXattrName(name); err != nil {
		return nil, err
	}
	if t, ok := aclName(name); ok {
		return getACL(p, t)
	}
	x, err := checkXattr(ctx, p, name, abi.R_OK)
	if err != nil {
		return nil, err
	}
	return x.Getxattr(ctx, name)
}

// Setxattr sets an extended attribute; flags are XATTR_CREATE, XATTR_REPLACE.
func Setxattr(ctx *Context, p Path, name string, value []byte, flags int) error {
	if flags&^(abi.XATTR_CREATE|abi.XATTR_REPLACE) != 0 {
		return abi.EINVAL
	}
	if err := checkXattrName(name); err != nil {
		return err
	}
	if len(value) > abi.XATTR_SIZE_MAX {
		return abi.E2BIG
	}
	if t, ok := aclName(name); ok {
		if p.Mnt.ReadOnly() {
			return abi.EROFS
		}
		return setACLValue(ctx, p, t, value)
	}
	x, err := checkXattr(ctx, p, name, abi.W_OK)
	if err != nil {
		return err
	}
	err = x.Setxattr(ctx, name, value, flags)
	if name == fileCapsName {
		p.Dentry.sb.VFS.fileCaps.Add(1)
	}
	if err == nil {
		p.Dentry.notify(abi.IN_ATTRIB)
	}
	return err
}

// fileCapsName is the attribute that holds a file's capabilities.
const fileCapsName = "security.capability"

// killFileCaps takes a file's capabilities (cap_inode_killpriv), if it has any.
func killFileCaps(ctx *Context, i Inode) error {
	x, ok := i.(Xattrs)
	if !ok {
		return nil
	}
	if _, err := x.Getxattr(ctx, fileCapsName); err != nil {
		return nil
	}
	return x.Removexattr(ctx, fileCapsName)
}

// Removexattr removes an extended attribute.
func Removexattr(ctx *Context, p Path, name string) error {
	if err := checkXattrName(name); err != nil {
		return err
	}
	if t, ok := aclName(name); ok {
		if p.Mnt.ReadOnly() {
			return abi.EROFS
		}
		return setACL(ctx, p, t, nil)
	}
	x, err := checkXattr(ctx, p, name, abi.W_OK)
	if err != nil {
		return err
	}
	if err := x.Removexattr(ctx, name); err != nil {
		return err
	}
	p.Dentry.notify(abi.IN_ATTRIB)
	return nil
}

// Listxattr lists the names that the caller may see.
func Listxattr(ctx *Context, p Path) ([]string, error) {
	x, ok := p.Dentry.inode.(Xattrs)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	all, err := x.Listxattr(ctx)
	all = append(aclNames(p.Dentry.inode), all...)
	if err != nil || ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return all, err
	}
	var seen []string
	for _, n := range all {
		if !strings.HasPrefix(n, "trusted.") {
			seen = append(seen, n)
		}
	}
	return seen, nil
}
