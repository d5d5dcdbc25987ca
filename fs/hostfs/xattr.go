// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// private is the name space that hostfs keeps for itself.
const private = "user.lodger."

// withXattr calls f with a descriptor that xattr calls accept (not O_PATH).
func (n *node) withXattr(f func(fd int) error) error {
	switch n.hostKind {
	case abi.S_IFREG:
		h, err := n.acquire(false, false)
		if err != nil {
			return err
		}
		defer n.fs.fds.put(h)
		return f(h.fd)
	case abi.S_IFDIR:
		h, err := n.acquire(false, false)
		if err != nil {
			return err
		}
		defer n.fs.fds.put(h)
		fd, err := host.OpenAt(h.fd, ".", abi.O_RDONLY|abi.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer host.CloseFD(fd)
		return f(fd)
	}
	return abi.EOPNOTSUPP
}

// hostName gives the name on the host: what needs privilege there is kept in
// the private name space.
func (n *node) hostName(name string) (string, error) {
	if strings.HasPrefix(name, private) {
		return "", abi.EPERM
	}
	if !n.fs.opt.Direct && !strings.HasPrefix(name, "user.") {
		return private + "x." + name, nil
	}
	return name, nil
}

// Getxattr gives the value of an extended attribute.
func (n *node) Getxattr(_ *fs.Context, name string) (v []byte, err error) {
	hn, err := n.hostName(name)
	if err != nil {
		return nil, abi.ENODATA
	}
	if n.hostKind != abi.S_IFREG && n.hostKind != abi.S_IFDIR {
		return nil, abi.ENODATA
	}
	err = n.withXattr(func(fd int) (err error) { v, err = host.GetxattrFD(fd, hn); return err })
	return v, err
}

// Setxattr sets an extended attribute.
func (n *node) Setxattr(_ *fs.Context, name string, value []byte, flags int) error {
	if n.fs.readOnly() {
		return abi.EROFS
	}
	hn, err := n.hostName(name)
	if err != nil {
		return err
	}
	defer n.stale()
	return n.withXattr(func(fd int) error { return host.SetxattrFD(fd, hn, value, flags) })
}

// Removexattr removes an extended attribute.
func (n *node) Removexattr(_ *fs.Context, name string) error {
	if n.fs.readOnly() {
		return abi.EROFS
	}
	hn, err := n.hostName(name)
	if err != nil {
		return err
	}
	defer n.stale()
	return n.withXattr(func(fd int) error { return host.RemovexattrFD(fd, hn) })
}

// Listxattr lists the extended attributes.
func (n *node) Listxattr(*fs.Context) ([]string, error) {
	if n.hostKind != abi.S_IFREG && n.hostKind != abi.S_IFDIR {
		return nil, nil
	}
	var l []string
	err := n.withXattr(func(fd int) (err error) { l, err = host.ListxattrFD(fd); return err })
	if err == abi.EOPNOTSUPP {
		return nil, nil
	}
	out := l[:0]
	for _, name := range l {
		if x, ok := strings.CutPrefix(name, private); ok {
			if name, ok = strings.CutPrefix(x, "x."); !ok {
				continue
			}
		}
		out = append(out, name)
	}
	return out, err
}
