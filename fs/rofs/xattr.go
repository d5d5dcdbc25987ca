// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"lodger/abi"
	"lodger/fs"
)

// EachXattr calls f for a file's attributes until it returns false; value reads one.
type EachXattr func(f func(name string, value func() ([]byte, error)) bool) error

// Getxattr finds one attribute's value; abi.ENODATA.
func Getxattr(each EachXattr, name string) (v []byte, err error) {
	failed := error(abi.ENODATA)
	if err := each(func(n string, value func() ([]byte, error)) bool {
		if n == name {
			v, failed = value()
		}
		return n != name
	}); err != nil {
		return nil, err
	}
	return v, failed
}

// Listxattr lists the names.
func Listxattr(each EachXattr) (l []string, err error) {
	err = each(func(n string, _ func() ([]byte, error)) bool {
		l = append(l, n)
		return true
	})
	return l, err
}

// FixedXattrs is the half of fs.Xattrs that changes attributes, for inodes that embed
// it; the VFS has refused it before.
type FixedXattrs struct{}

// Setxattr implements fs.Xattrs.
func (FixedXattrs) Setxattr(*fs.Context, string, []byte, int) error { return abi.EROFS }

// Removexattr implements fs.Xattrs.
func (FixedXattrs) Removexattr(*fs.Context, string) error { return abi.EROFS }
