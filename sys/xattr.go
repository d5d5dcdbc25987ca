// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// pathOf gives the place that an attribute call is about.
type pathOf func(t *kernel.Task, a Args) (fs.Path, error)

func followed(t *kernel.Task, a Args) (fs.Path, error) { return placeOf(t, a[0], fs.LookupFollow) }
func linkItself(t *kernel.Task, a Args) (fs.Path, error) {
	return placeOf(t, a[0], 0)
}

func placeOf(t *kernel.Task, addr uint64, flags fs.LookupFlags) (fs.Path, error) {
	name, err := userPath(t, addr)
	if err != nil {
		return fs.Path{}, err
	}
	return fs.Lookup(t.Context(), fs.Path{}, name, flags)
}

func openedFile(t *kernel.Task, a Args) (fs.Path, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return fs.Path{}, err
	}
	defer f.DecRef()
	if f.IsPath() {
		return fs.Path{}, abi.EBADF
	}
	return f.Path, nil
}

func setxattr(t *kernel.Task, a Args) (uint64, error)     { return xattrSet(t, a, followed) }
func lsetxattr(t *kernel.Task, a Args) (uint64, error)    { return xattrSet(t, a, linkItself) }
func fsetxattr(t *kernel.Task, a Args) (uint64, error)    { return xattrSet(t, a, openedFile) }
func getxattr(t *kernel.Task, a Args) (uint64, error)     { return xattrGet(t, a, followed) }
func lgetxattr(t *kernel.Task, a Args) (uint64, error)    { return xattrGet(t, a, linkItself) }
func fgetxattr(t *kernel.Task, a Args) (uint64, error)    { return xattrGet(t, a, openedFile) }
func listxattr(t *kernel.Task, a Args) (uint64, error)    { return xattrList(t, a, followed) }
func llistxattr(t *kernel.Task, a Args) (uint64, error)   { return xattrList(t, a, linkItself) }
func flistxattr(t *kernel.Task, a Args) (uint64, error)   { return xattrList(t, a, openedFile) }
func removexattr(t *kernel.Task, a Args) (uint64, error)  { return xattrRemove(t, a, followed) }
func lremovexattr(t *kernel.Task, a Args) (uint64, error) { return xattrRemove(t, a, linkItself) }
func fremovexattr(t *kernel.Task, a Args) (uint64, error) { return xattrRemove(t, a, openedFile) }

// xattrName reads the name of an attribute: ERANGE when empty or too long.
func xattrName(t *kernel.Task, addr uint64) (string, error) {
	b, err := userString(t, addr, abi.XATTR_NAME_MAX+1)
	if err == abi.E2BIG || err == nil && len(b) == 0 {
		return "", abi.ERANGE
	}
	return string(b), err
}

func xattrSet(t *kernel.Task, a Args, where pathOf) (uint64, error) {
	flags := a.Int(4)
	if flags&^(abi.XATTR_CREATE|abi.XATTR_REPLACE) != 0 {
		return 0, abi.EINVAL
	}
	name, err := xattrName(t, a[1])
	if err != nil {
		return 0, err
	}
	if a[3] > abi.XATTR_SIZE_MAX {
		return 0, abi.E2BIG
	}
	value := make([]byte, a[3])
	if err := t.CopyIn(a[2], value); err != nil {
		return 0, err
	}
	p, err := where(t, a)
	if err != nil {
		return 0, err
	}
	return 0, fs.Setxattr(t.Context(), p, name, value, flags)
}

func xattrGet(t *kernel.Task, a Args, where pathOf) (uint64, error) {
	p, name, err := namedPlace(t, a, where)
	if err != nil {
		return 0, err
	}
	value, err := fs.Getxattr(t.Context(), p, name)
	if err != nil {
		return 0, err
	}
	return putSized(t, a[2], a[3], value)
}

func namedPlace(t *kernel.Task, a Args, where pathOf) (fs.Path, string, error) {
	name, err := xattrName(t, a[1])
	if err != nil {
		return fs.Path{}, "", err
	}
	p, err := where(t, a)
	return p, name, err
}

// putSized stores a value in a buffer, or only gives its size when the buffer has
// none; ERANGE.
func putSized(t *kernel.Task, addr, size uint64, value []byte) (uint64, error) {
	if size == 0 {
		return uint64(len(value)), nil
	}
	if uint64(len(value)) > size {
		return 0, abi.ERANGE
	}
	return uint64(len(value)), t.CopyOut(addr, value)
}

func xattrList(t *kernel.Task, a Args, where pathOf) (uint64, error) {
	p, err := where(t, a)
	if err != nil {
		return 0, err
	}
	names, err := fs.Listxattr(t.Context(), p)
	if err != nil {
		return 0, err
	}
	var list []byte
	for _, n := range names {
		list = append(append(list, n...), 0)
	}
	if len(list) > abi.XATTR_LIST_MAX {
		return 0, abi.E2BIG
	}
	return putSized(t, a[1], a[2], list)
}

func xattrRemove(t *kernel.Task, a Args, where pathOf) (uint64, error) {
	p, name, err := namedPlace(t, a, where)
	if err != nil {
		return 0, err
	}
	return 0, fs.Removexattr(t.Context(), p, name)
}
