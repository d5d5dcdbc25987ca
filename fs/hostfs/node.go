// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// node is one host file; the inode of the guest.
type node struct {
	fs       *FS
	key      nodeKey
	hostKind uint32 // S_IFMT on the host
	kind     uint32 // S_IFMT in the guest; never changes

	ro, rw *handle // guarded by fdcache.mu

	execMu sync.Mutex // taken before all other locks
	copies []execCopy // guarded by execMu

	mu       sync.Mutex
	parent   *node // where it was seen last; nil for the root
	name     string
	attr     fs.Attr
	stamp    int64 // FS.now when attr was read; 0: must be read again
	seen     int64 // FS.now when the name was checked
	unlinked bool  // the guest removed the last known name
	opens    int   // open files
	writers  int   // of them for writing
	pinned   *handle
	target   string // text of a symbolic link, with Shared
	extra    *mappedAttr
	extraOK  bool // extra was looked for
}

func hostTime(t [2]int64) abi.Timespec { return abi.Timespec{Sec: t[0], Nsec: t[1]} }

// setStat takes over what the host told; mu is held.
func (n *node) setStat(st *host.FileStat) {
	f := n.fs
	a := fs.Attr{Dev: f.sb.Dev, Ino: st.Ino, Mode: st.Mode, Nlink: st.Nlink, UID: st.UID, GID: st.GID, Rdev: st.Rdev,
		Size: st.Size, Blocks: st.Blocks, Blksize: st.Blksize, Atime: hostTime(st.Atime), Mtime: hostTime(st.Mtime),
		Ctime: hostTime(st.Ctime), Btime: hostTime(st.Btime)}
	if st.Dev != f.rootDev { // another host file system mounted below: keep numbers apart
		a.Ino ^= st.Dev << 40
	}
	if !f.opt.Direct {
		if a.UID == f.opt.HostUID {
			a.UID = 0
		}
		if a.GID == f.opt.HostGID {
			a.GID = 0
		}
		n.applyMapped(&a)
	}
	n.attr = a
	n.stamp = f.now()
	n.seen = n.stamp
}

// Getattr gives the attributes.
func (n *node) Getattr() (fs.Attr, error) {
	n.mu.Lock()
	if n.fs.opt.Shared || n.stamp != 0 && n.fs.now()-n.stamp < int64(attrTTL) {
		defer n.mu.Unlock()
		return n.attr, nil
	}
	n.mu.Unlock()
	return n.refresh()
}

// refresh asks the host.
func (n *node) refresh() (fs.Attr, error) {
	var st host.FileStat
	err := n.stat(&st)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		if n.unlinked { // a removed directory or special file that is still held
			n.attr.Nlink = 0
			return n.attr, nil
		}
		return fs.Attr{}, err
	}
	n.setStat(&st)
	return n.attr, nil
}

// stat is statx of the node, by a descriptor if there is one, else by name.
func (n *node) stat(st *host.FileStat) error {
	c := &n.fs.fds
	if h := c.get(n, false, false); h != nil {
		defer c.put(h)
		return host.StatAt(h.fd, "", st)
	}
	n.mu.Lock()
	parent, name, gone := n.parent, n.name, n.unlinked
	n.mu.Unlock()
	if parent == nil || gone {
		return abi.ESTALE
	}
	ph, err := parent.acquire(false, false)
	if err != nil {
		return err
	}
	defer c.put(ph)
	if err := host.StatAt(ph.fd, name, st); err != nil {
		return abi.ESTALE
	}
	if st.Ino != n.key.ino || st.Dev != n.key.dev {
		return abi.ESTALE
	}
	return nil
}

// stale makes the next Getattr ask the host.
func (n *node) stale() {
	n.mu.Lock()
	n.stamp = 0
	n.mu.Unlock()
}

// Readlink gives a link's text.
func (n *node) Readlink(*fs.Context) (string, error) {
	if n.kind != abi.S_IFLNK {
		return "", abi.EINVAL
	}
	n.mu.Lock()
	parent, name, target := n.parent, n.name, n.target
	n.mu.Unlock()
	if target != "" {
		return target, nil
	}
	h, err := parent.acquire(false, false)
	if err != nil {
		return "", err
	}
	defer n.fs.fds.put(h)
	t, err := host.ReadlinkAt(h.fd, name)
	if err == nil && n.fs.opt.Shared {
		n.mu.Lock()
		n.target = t
		n.mu.Unlock()
	}
	return t, err
}

// Pin counts an open file.
func (n *node) Pin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	return nil
}

// Unpin forgets an open file.
func (n *node) Unpin() {
	n.mu.Lock()
	n.opens--
	var h *handle
	if n.opens == 0 {
		h, n.pinned = n.pinned, nil
	}
	n.mu.Unlock()
	if h != nil {
		n.fs.fds.put(h)
		n.fs.fds.forgetNode(n)
	}
}

// Setattr changes attributes on the host.
func (n *node) Setattr(_ *fs.Context, sa fs.SetAttr) error {
	if n.fs.readOnly() {
		return abi.EROFS
	}
	defer n.stale()
	if sa.Valid&fs.AttrSize != 0 {
		h, err := n.acquire(true, false)
		if err != nil {
			return err
		}
		defer n.fs.fds.put(h)
		if err := host.Ftruncate(h.fd, sa.Size); err != nil {
			return err
		}
		sa.Valid &^= fs.AttrMtime // the host has set it
	}
	if sa.Valid&(fs.AttrUID|fs.AttrGID|fs.AttrMode) != 0 {
		if err := n.setOwnerMode(sa); err != nil {
			return err
		}
	}
	if sa.Valid&(fs.AttrAtime|fs.AttrMtime) == 0 {
		return nil
	}
	var at, mt *[2]int64
	if sa.Valid&fs.AttrAtime != 0 {
		at = &[2]int64{sa.Atime.Sec, sa.Atime.Nsec}
	}
	if sa.Valid&fs.AttrMtime != 0 {
		mt = &[2]int64{sa.Mtime.Sec, sa.Mtime.Nsec}
	}
	if n.hostKind == abi.S_IFLNK {
		return n.byName(func(dirfd int, name string) error { return host.UtimesAt(dirfd, name, at, mt) })
	}
	return n.byFD(func(fd int) error { return host.UtimesFD(fd, at, mt) })
}

// byFD calls f with a descriptor of the node, perhaps O_PATH.
func (n *node) byFD(f func(fd int) error) error {
	if h := n.fs.fds.get(n, false, false); h != nil {
		defer n.fs.fds.put(h)
		return f(h.fd)
	}
	n.fs.names.RLock()
	fd, err := n.open(abi.O_PATH, 0)
	n.fs.names.RUnlock()
	if err != nil {
		return err
	}
	defer host.CloseFD(fd)
	return f(fd)
}

// byName calls f with the node's place.
func (n *node) byName(f func(dirfd int, name string) error) error {
	n.mu.Lock()
	parent, name := n.parent, n.name
	n.mu.Unlock()
	if parent == nil {
		return abi.ESTALE
	}
	h, err := parent.acquire(false, false)
	if err != nil {
		return err
	}
	defer n.fs.fds.put(h)
	return f(h.fd, name)
}

// setOwnerMode changes owner and mode, on the host or in the mapped attribute.
func (n *node) setOwnerMode(sa fs.SetAttr) error {
	if !n.fs.opt.Direct {
		return n.setMapped(sa)
	}
	if sa.Valid&(fs.AttrUID|fs.AttrGID) != 0 {
		uid, gid := ^uint32(0), ^uint32(0)
		if sa.Valid&fs.AttrUID != 0 {
			uid = sa.UID
		}
		if sa.Valid&fs.AttrGID != 0 {
			gid = sa.GID
		}
		if err := n.byFDOrLink(func(fd int) error { return host.ChownPath(fd, uid, gid) },
			func(d int, name string) error { return host.ChownAt(d, name, uid, gid) }); err != nil {
			return err
		}
	}
	if sa.Valid&fs.AttrMode != 0 {
		return n.byFD(func(fd int) error { return host.ChmodPath(fd, sa.Mode&abi.S_IALLUGO) })
	}
	return nil
}

func (n *node) byFDOrLink(byFD func(int) error, byName func(int, string) error) error {
	if n.hostKind == abi.S_IFLNK {
		return n.byName(byName)
	}
	return n.byFD(byFD)
}

// DirectAlign says that O_DIRECT makes no difference.
func (n *node) DirectAlign() uint32 { return 1 }
