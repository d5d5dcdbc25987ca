// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// Lookup finds a name.
func (n *node) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	h, err := n.acquire(false, false)
	if err != nil {
		return nil, err
	}
	defer n.fs.fds.put(h)
	c, err := n.child(h.fd, name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// child looks name up in the directory n, open as fd.
func (n *node) child(fd int, name string) (*node, error) {
	if n.kind != abi.S_IFDIR {
		return nil, abi.ENOTDIR
	}
	var st host.FileStat
	if err := host.StatAt(fd, name, &st); err != nil {
		return nil, err
	}
	c := n.fs.nodeOf(n, strings.Clone(name), &st)
	c.findExtra(fd, name)
	return c, nil
}

// Revalidate reports whether name still leads to child; see the package comment.
func (n *node) Revalidate(_ *fs.Context, name string, child fs.Inode) bool {
	c, _ := child.(*node)
	if c != nil && c.kind == abi.S_IFDIR {
		c.mu.Lock()
		fresh := c.fs.now()-c.seen < int64(dirTTL)
		c.mu.Unlock()
		if fresh {
			return true
		}
	}
	h, err := n.acquire(false, false)
	if err != nil {
		return false
	}
	defer n.fs.fds.put(h)
	var st host.FileStat
	if err := host.StatAt(h.fd, name, &st); err != nil {
		return c == nil && err == abi.ENOENT
	}
	if c == nil || st.Ino != c.key.ino || st.Dev != c.key.dev || st.Mode&abi.S_IFMT != c.hostKind {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.name != name || c.parent != n {
		c.parent, c.name = n, strings.Clone(name)
	}
	c.unlinked = false
	c.setStat(&st)
	return true
}

// edit runs change with the directory's descriptor and names locked.
func (n *node) edit(change func(fd int) error) error {
	if n.fs.readOnly() {
		return abi.EROFS
	}
	h, err := n.acquire(false, false)
	if err != nil {
		return err
	}
	defer n.fs.fds.put(h)
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	defer n.stale()
	return change(h.fd)
}

// Mknod makes a file.
func (n *node) Mknod(_ *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return n.make(name, na, func(dirfd int) (int, error) {
		kind := n.fs.hostKindFor(na.Mode)
		if kind == abi.S_IFREG {
			return host.OpenAt(dirfd, name, abi.O_CREAT|abi.O_EXCL|abi.O_RDWR, n.fs.hostMode(na.Mode))
		}
		return -1, host.MknodAt(dirfd, name, kind|n.fs.hostMode(na.Mode), na.Rdev)
	})
}

// Mkdir makes a directory.
func (n *node) Mkdir(_ *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return n.make(name, na, func(dirfd int) (int, error) { return -1, host.MkdirAt(dirfd, name, n.fs.hostMode(na.Mode)) })
}

// Symlink makes a symbolic link.
func (n *node) Symlink(_ *fs.Context, name, target string, na fs.NewAttr) (fs.Inode, error) {
	return n.make(name, na, func(dirfd int) (int, error) { return -1, host.SymlinkAt(target, dirfd, name) })
}

// make creates a file with create, which may give a descriptor of it, and sets
// owner and mode.
func (n *node) make(name string, na fs.NewAttr, create func(dirfd int) (int, error)) (fs.Inode, error) {
	var c *node
	fd := -1
	err := n.edit(func(dirfd int) (err error) {
		if fd, err = create(dirfd); err != nil {
			return err
		}
		c, err = n.child(dirfd, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	if fd >= 0 {
		n.fs.fds.put(n.fs.fds.add(c, fd, true))
	}
	c.mu.Lock()
	c.unlinked = false
	a := c.attr
	c.mu.Unlock()
	sa := fs.SetAttr{Mode: na.Mode & abi.S_IALLUGO, UID: na.UID, GID: na.GID}
	if a.UID != na.UID || a.GID != na.GID {
		sa.Valid |= fs.AttrUID | fs.AttrGID
	}
	if c.hostKind != abi.S_IFLNK && a.Mode&abi.S_IALLUGO != sa.Mode {
		sa.Valid |= fs.AttrMode
	}
	if c.kind != na.Mode&abi.S_IFMT {
		c.becomes(na)
		sa.Valid |= fs.AttrMode
	}
	if sa.Valid != 0 {
		err = c.setOwnerMode(sa)
		c.stale()
	}
	return c, err
}

// Link makes another name.
func (n *node) Link(_ *fs.Context, name string, target fs.Inode) error {
	t, ok := target.(*node)
	if !ok || t.fs != n.fs {
		return abi.EXDEV
	}
	defer t.stale()
	t.mu.Lock()
	parent, old := t.parent, t.name
	t.mu.Unlock()
	if parent == nil {
		return abi.EPERM
	}
	ph, err := parent.acquire(false, false)
	if err != nil {
		return err
	}
	defer n.fs.fds.put(ph)
	return n.edit(func(fd int) error { return host.LinkAt(ph.fd, old, fd, name) })
}

// Unlink removes a name.
func (n *node) Unlink(_ *fs.Context, name string, victim fs.Inode) error {
	return n.remove(name, victim.(*node), false)
}

// Rmdir removes a directory.
func (n *node) Rmdir(_ *fs.Context, name string, victim fs.Inode) error {
	return n.remove(name, victim.(*node), true)
}

func (n *node) remove(name string, v *node, dir bool) error {
	v.hold()
	err := n.edit(func(fd int) error { return host.UnlinkAt(fd, name, dir) })
	if err == nil {
		v.removed(n, name)
	}
	return err
}

// hold keeps a descriptor of an open file whose name is about to go.
func (n *node) hold() {
	n.mu.Lock()
	need := n.opens > 0 && n.pinned == nil && n.hostKind == abi.S_IFREG
	write := n.writers > 0
	n.mu.Unlock()
	if !need {
		return
	}
	h, err := n.acquire(write, false)
	if err != nil {
		return
	}
	n.mu.Lock()
	if n.pinned == nil && n.opens > 0 {
		n.pinned, h = h, nil
	}
	n.mu.Unlock()
	if h != nil {
		n.fs.fds.put(h)
	}
}

// removed notes that the name in parent is gone.
func (n *node) removed(parent *node, name string) {
	n.mu.Lock()
	n.stamp = 0
	if n.parent == parent && n.name == name {
		n.unlinked = true
	}
	idle := n.opens == 0
	n.mu.Unlock()
	if idle {
		n.fs.fds.forgetNode(n)
	}
}

// Rename moves a name.
func (n *node) Rename(_ *fs.Context, oldName string, victim, newDir fs.Inode, newName string, target fs.Inode, flags uint32) error {
	nd, ok := newDir.(*node)
	if !ok || nd.fs != n.fs {
		return abi.EXDEV
	}
	v := victim.(*node)
	t, _ := target.(*node)
	if t != nil && flags&abi.RENAME_EXCHANGE == 0 {
		t.hold()
	}
	nh, err := nd.acquire(false, false)
	if err != nil {
		return err
	}
	defer n.fs.fds.put(nh)
	if err := n.edit(func(fd int) error { return host.RenameAt(fd, oldName, nh.fd, newName, flags) }); err != nil {
		return err
	}
	nd.stale()
	v.moved(nd, newName)
	switch {
	case t == nil:
	case flags&abi.RENAME_EXCHANGE != 0:
		t.moved(n, oldName)
	default:
		t.removed(nd, newName)
	}
	return nil
}

func (n *node) moved(parent *node, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parent, n.name, n.stamp, n.unlinked = parent, strings.Clone(name), 0, false
}

// dirFile is an open directory: a listing, taken when it is read from the start.
type dirFile struct {
	n    *node
	list []host.DirEntry // guarded by the File's position lock
}

// Iterate lists the entries. Positions are places in the listing.
func (d *dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	if pos == 2 || d.list == nil {
		h, err := d.n.acquire(false, false)
		if err != nil {
			return err
		}
		d.list, err = host.ReadDirFD(h.fd)
		d.n.fs.fds.put(h)
		if err != nil {
			return err
		}
	}
	for i := max(pos-2, 0); i < int64(len(d.list)); i++ {
		e := d.list[i]
		if e.Type == abi.DT_REG && d.n.fs.mapped.Load() {
			e.Type = abi.DT_UNKNOWN // may stand for a device
		}
		if !emit(fs.Dirent{Name: e.Name, Ino: e.Ino, Off: i + 3, Type: e.Type}) {
			return nil
		}
	}
	return nil
}
