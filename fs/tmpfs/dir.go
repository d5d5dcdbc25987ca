// SPDX-License-Identifier: Apache-2.0

package tmpfs

import (
	"sort"
	"strings"

	"lodger/abi"
	"lodger/fs"
)

// direntSize is what an entry adds to a directory's size (BOGO_DIRENT_SIZE).
const direntSize = 20

// directory holds entries by name and, for listings, in the order of making.
type directory struct {
	byName map[string]*dirent
	order  []*dirent // ascending seq; may hold removed entries
	holes  int       // removed entries in order
	seq    int64
	dead   bool // removed: nothing can be made in it
}

// dirent is one entry; seq is its position for getdents, stable for its life.
type dirent struct {
	name  string
	inode *inode
	seq   int64
}

// set makes name lead to i. An existing entry keeps its position.
func (d *directory) set(name string, i *inode) {
	if e := d.byName[name]; e != nil {
		e.inode = i
		return
	}
	if d.byName == nil {
		d.byName = map[string]*dirent{}
	}
	if d.seq == 0 {
		d.seq = 2 // positions up to 2 are "." and ".."
	}
	d.seq++
	e := &dirent{strings.Clone(name), i, d.seq}
	d.byName[e.name] = e
	d.order = append(d.order, e)
}

func (d *directory) remove(name string) {
	e := d.byName[name]
	if e == nil {
		return
	}
	delete(d.byName, name)
	e.inode = nil
	if d.holes++; d.holes > 32 && d.holes > len(d.order)/2 {
		kept := make([]*dirent, 0, len(d.byName))
		for _, x := range d.order {
			if x.inode != nil {
				kept = append(kept, x)
			}
		}
		d.order, d.holes = kept, 0
	}
}

// touched notes a change of the directory's contents; FS.tree is held.
func (i *inode) touched(now abi.Timespec, links int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.attr.Mtime, i.attr.Ctime = now, now
	i.attr.Nlink += uint32(links)
	i.attr.Size = int64(len(i.dir.byName)+2) * direntSize // "." and ".." count
}

// Lookup finds a name.
func (i *inode) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if i.dir == nil {
		return nil, abi.ENOTDIR
	}
	i.fs.tree.RLock()
	defer i.fs.tree.RUnlock()
	if e := i.dir.byName[name]; e != nil {
		return e.inode, nil
	}
	return nil, abi.ENOENT
}

// make adds a new inode under name.
func (i *inode) make(name string, na fs.NewAttr) (*inode, error) {
	if i.dir == nil {
		return nil, abi.ENOTDIR
	}
	i.fs.tree.Lock()
	defer i.fs.tree.Unlock()
	if i.dir.dead {
		return nil, abi.ENOENT
	}
	if i.dir.byName[name] != nil {
		return nil, abi.EEXIST
	}
	n, err := i.fs.newInode(na)
	if err != nil {
		return nil, err
	}
	links := 0
	if n.kind == abi.S_IFDIR {
		links = 1
	}
	i.dir.set(name, n)
	i.touched(na.Now, links)
	return n, nil
}

// Mknod makes a file.
func (i *inode) Mknod(_ *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return asInode(i.make(name, na))
}

// Mkdir makes a directory.
func (i *inode) Mkdir(_ *fs.Context, name string, na fs.NewAttr) (fs.Inode, error) {
	return asInode(i.make(name, na))
}

// Symlink makes a symbolic link.
func (i *inode) Symlink(_ *fs.Context, name, target string, na fs.NewAttr) (fs.Inode, error) {
	n, err := i.make(name, na)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.target = strings.Clone(target)
	n.attr.Size = int64(len(target))
	return n, nil
}

func asInode(n *inode, err error) (fs.Inode, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Link makes another name.
func (i *inode) Link(ctx *fs.Context, name string, target fs.Inode) error {
	t, ok := target.(*inode)
	if !ok || t.fs != i.fs {
		return abi.EXDEV
	}
	i.fs.tree.Lock()
	defer i.fs.tree.Unlock()
	if i.dir.dead {
		return abi.ENOENT
	}
	if i.dir.byName[name] != nil {
		return abi.EEXIST
	}
	now := ctx.Time()
	t.mu.Lock()
	if t.dead || t.attr.Nlink == 0 && !t.linkable() {
		t.mu.Unlock()
		return abi.ENOENT
	}
	if t.attr.Nlink > 0 {
		if err := i.fs.reserveInode(); err != nil {
			t.mu.Unlock()
			return err
		}
	}
	t.attr.Nlink++
	t.attr.Ctime = now
	t.mu.Unlock()
	i.dir.set(name, t)
	i.touched(now, 0)
	return nil
}

// linkable tells O_TMPFILE files, which may get their first name, from deleted
// ones; mu is held.
func (i *inode) linkable() bool {
	return i.kind == abi.S_IFREG && i.opens > 0 && i.target == tmpfileMark
}

// tmpfileMark is the target of O_TMPFILE inodes, which no regular file has.
const tmpfileMark = "\x00tmpfile"

// Tmpfile makes an unnamed file.
func (i *inode) Tmpfile(_ *fs.Context, na fs.NewAttr) (fs.Inode, error) {
	n, err := i.fs.newInode(na)
	if err != nil {
		return nil, err
	}
	n.attr.Nlink = 0
	if !na.NoLink {
		n.target = tmpfileMark
	}
	return n, nil
}

// Unlink removes a name.
func (i *inode) Unlink(ctx *fs.Context, name string, victim fs.Inode) error {
	i.fs.tree.Lock()
	defer i.fs.tree.Unlock()
	e := i.dir.byName[name]
	if e == nil {
		return abi.ENOENT
	}
	n := e.inode
	now := ctx.Time()
	i.dir.remove(name)
	i.touched(now, 0)
	n.unlinked(1, now)
	return nil
}

// Rmdir removes a directory.
func (i *inode) Rmdir(ctx *fs.Context, name string, victim fs.Inode) error {
	i.fs.tree.Lock()
	defer i.fs.tree.Unlock()
	e := i.dir.byName[name]
	if e == nil {
		return abi.ENOENT
	}
	return i.rmdirLocked(e.inode, name, ctx.Time())
}

func (i *inode) rmdirLocked(n *inode, name string, now abi.Timespec) error {
	if n.dir == nil {
		return abi.ENOTDIR
	}
	if len(n.dir.byName) > 0 {
		return abi.ENOTEMPTY
	}
	n.dir.dead = true
	i.dir.remove(name)
	i.touched(now, -1)
	n.unlinked(2, now)
	return nil
}

// Rename moves a name.
func (i *inode) Rename(ctx *fs.Context, oldName string, _ fs.Inode, newDir fs.Inode, newName string, _ fs.Inode, flags uint32) error {
	nd, ok := newDir.(*inode)
	if !ok || nd.fs != i.fs {
		return abi.EXDEV
	}
	i.fs.tree.Lock()
	defer i.fs.tree.Unlock()
	src := i.dir.byName[oldName]
	if src == nil || nd.dir.dead {
		return abi.ENOENT
	}
	now := ctx.Time()
	victim, dst := src.inode, nd.dir.byName[newName]
	if flags&abi.RENAME_EXCHANGE != 0 {
		if dst == nil {
			return abi.ENOENT
		}
		src.inode, dst.inode = dst.inode, src.inode
		shift := dirLinks(src.inode) - dirLinks(dst.inode)
		i.touched(now, shift)
		if nd != i {
			nd.touched(now, -shift)
		} else {
			i.touched(now, -shift)
		}
		victim.changed(now)
		src.inode.changed(now)
		return nil
	}
	if dst != nil {
		if err := nd.replace(dst.inode, newName, victim, flags, now); err != nil {
			return err
		}
	}
	i.dir.remove(oldName)
	nd.dir.set(newName, victim)
	links := dirLinks(victim)
	i.touched(now, -links)
	nd.touched(now, links)
	victim.changed(now)
	if flags&abi.RENAME_WHITEOUT != 0 {
		w, err := i.fs.newInode(fs.NewAttr{Mode: abi.S_IFCHR, Now: now})
		if err != nil {
			return err
		}
		i.dir.set(oldName, w)
		i.touched(now, 0)
	}
	return nil
}

// replace removes the target of a rename.
func (i *inode) replace(n *inode, name string, victim *inode, flags uint32, now abi.Timespec) error {
	switch {
	case flags&abi.RENAME_NOREPLACE != 0:
		return abi.EEXIST
	case n.dir != nil && victim.dir == nil:
		return abi.EISDIR
	case n.dir == nil && victim.dir != nil:
		return abi.ENOTDIR
	case n.dir != nil:
		return i.rmdirLocked(n, name, now)
	}
	i.dir.remove(name)
	n.unlinked(1, now)
	return nil
}

func dirLinks(n *inode) int {
	if n.dir != nil {
		return 1
	}
	return 0
}

func (i *inode) changed(now abi.Timespec) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.attr.Ctime = now
}

// dirFile is an open directory.
type dirFile struct{ inode *inode }

// Iterate lists the entries.
func (d dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	f := d.inode.fs
	f.tree.RLock()
	defer f.tree.RUnlock()
	order := d.inode.dir.order
	for at := sort.Search(len(order), func(k int) bool { return order[k].seq > pos }); at < len(order); at++ {
		e := order[at]
		if e.inode == nil {
			continue
		}
		// Ino and kind never change: no need for the inode's lock.
		if !emit(fs.Dirent{Name: e.name, Ino: e.inode.attr.Ino, Off: e.seq, Type: fs.DTypeOf(e.inode.kind)}) {
			return nil
		}
	}
	return nil
}
