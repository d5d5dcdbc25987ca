// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"fmt"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// Mapped mode: without root rights on the host, owners, modes and device numbers
// are kept in an extended attribute of the file, and devices are empty regular
// files with one. mapped.marker on the root tells that the tree has some.
const (
	attrName   = "user.lodger.attr"
	attrMarker = "user.lodger.mapped"
)

// mappedAttr is the attribute's value: "mode uid gid rdev", mode in octal with
// the type.
type mappedAttr struct {
	mode, uid, gid uint32
	rdev           uint64
}

func (m *mappedAttr) encode() []byte {
	return fmt.Appendf(nil, "%o %d %d %d", m.mode, m.uid, m.gid, m.rdev)
}

func decodeMapped(b []byte) *mappedAttr {
	var m mappedAttr
	if n, err := fmt.Sscanf(string(b), "%o %d %d %d", &m.mode, &m.uid, &m.gid, &m.rdev); n != 4 || err != nil {
		return nil
	}
	return &m
}

// findMapped looks for the marker.
func (f *FS) findMapped() {
	if f.opt.Direct {
		return
	}
	fd, err := host.OpenAt(f.opt.RootFD, ".", abi.O_RDONLY|abi.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer host.CloseFD(fd)
	if _, err := host.GetxattrFD(fd, attrMarker); err == nil {
		f.mapped.Store(true)
	}
}

// startMapped sets the marker.
func (f *FS) startMapped() error {
	if f.mapped.Swap(true) {
		return nil
	}
	fd, err := host.OpenAt(f.opt.RootFD, ".", abi.O_RDONLY|abi.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer host.CloseFD(fd)
	if err := host.SetxattrFD(fd, attrMarker, []byte("1"), 0); err != nil {
		f.mapped.Store(false)
		return err
	}
	return nil
}

// hostMode gives the permission bits for a new host file: in mapped mode its
// owner must always get at it.
func (f *FS) hostMode(mode uint32) uint32 {
	p := mode & abi.S_IALLUGO
	if !f.opt.Direct {
		p &= 0o777
		p |= 0o600
		if mode&abi.S_IFMT == abi.S_IFDIR {
			p |= 0o700
		}
	}
	return p
}

// hostKindFor gives the type that stands for a guest type on the host.
func (f *FS) hostKindFor(mode uint32) uint32 {
	k := mode & abi.S_IFMT
	if !f.opt.Direct && (k == abi.S_IFCHR || k == abi.S_IFBLK) {
		return abi.S_IFREG
	}
	return k
}

// becomes makes a new regular file stand for a device.
func (n *node) becomes(na fs.NewAttr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kind = na.Mode & abi.S_IFMT
	n.extra = &mappedAttr{mode: na.Mode, rdev: na.Rdev}
	n.extraOK = true
}

// applyMapped puts the mapped attribute over the host's; mu is held.
func (n *node) applyMapped(a *fs.Attr) {
	m := n.extra
	if m == nil {
		return
	}
	a.Mode = n.kind | m.mode&abi.S_IALLUGO
	a.UID, a.GID = m.uid, m.gid
	if n.kind == abi.S_IFCHR || n.kind == abi.S_IFBLK {
		a.Rdev, a.Size, a.Blocks = m.rdev, 0, 0
	}
}

// findExtra reads the mapped attribute of a node that was just looked up.
func (n *node) findExtra(dirfd int, name string) {
	if !n.fs.mapped.Load() || n.hostKind != abi.S_IFREG && n.hostKind != abi.S_IFDIR {
		return
	}
	n.mu.Lock()
	known := n.extraOK
	n.mu.Unlock()
	if known {
		return
	}
	var m *mappedAttr
	if fd, err := host.OpenAt(dirfd, name, abi.O_RDONLY, 0); err == nil {
		if b, err := host.GetxattrFD(fd, attrName); err == nil {
			m = decodeMapped(b)
		}
		host.CloseFD(fd)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.extra, n.extraOK = m, true
	if m != nil {
		if n.hostKind == abi.S_IFREG {
			switch k := m.mode & abi.S_IFMT; k {
			case abi.S_IFCHR, abi.S_IFBLK:
				n.kind = k
			}
		}
		n.applyMapped(&n.attr)
	}
}

// setMapped records owner and mode in the attribute, and gives the host what it
// can have.
func (n *node) setMapped(sa fs.SetAttr) error {
	a, err := n.Getattr()
	if err != nil {
		return err
	}
	m := mappedAttr{mode: a.Mode, uid: a.UID, gid: a.GID, rdev: a.Rdev}
	if sa.Valid&fs.AttrMode != 0 {
		m.mode = n.kind | sa.Mode&abi.S_IALLUGO
	}
	if sa.Valid&fs.AttrUID != 0 {
		m.uid = sa.UID
	}
	if sa.Valid&fs.AttrGID != 0 {
		m.gid = sa.GID
	}
	if n.hostKind == abi.S_IFLNK {
		return nil // a link can have no attribute; nobody asks its owner
	}
	if sa.Valid&fs.AttrMode != 0 {
		if err := n.byFD(func(fd int) error { return host.ChmodPath(fd, n.fs.hostMode(m.mode)) }); err != nil {
			return err
		}
	}
	n.mu.Lock()
	plain := n.extra == nil && m.uid == 0 && m.gid == 0 && n.fs.hostMode(m.mode) == m.mode&abi.S_IALLUGO && n.kind == n.hostKind
	n.mu.Unlock()
	if plain || n.hostKind != abi.S_IFREG && n.hostKind != abi.S_IFDIR {
		return nil
	}
	if err := n.fs.startMapped(); err != nil {
		return abi.EPERM
	}
	if err := n.withXattr(func(fd int) error { return host.SetxattrFD(fd, attrName, m.encode(), 0) }); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.extra, n.extraOK = &m, true
	return nil
}
