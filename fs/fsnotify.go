// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync"

	"lodger/abi"
)

// What happens to files, told to whoever watches them: Linux's fs/notify/fsnotify.c and
// include/linux/fsnotify.h. The VFS tells it, so that all file systems do alike; changes
// behind its back (on the host, of devtmpfs by its drivers) are told by nobody.
//
// A mark is a group's watch on an inode. Marks hang on the inode (a connector), which
// they keep; its super block counts the connectors, and while it has none an event
// costs one atomic load. Events have the names and bits of inotify, the only kind of
// group.
//
// An event of a file goes to the marks of its directory, with its name, then to its
// own. Events of a directory's names go to the directory's marks alone.
//
// Locks: markTable.mu is a leaf but for the queues of groups. It is never held over a
// call into a file system: a loop device writes with the locks of the one above held.

// markTable has the connectors of a guest's inodes.
type markTable struct {
	mu    sync.RWMutex
	conns map[Inode]*connector   // guarded by mu
	users map[uint32]*notifyUser // guarded by mu
	total int                    // marks; guarded by mu
}

// connector is what hangs on a watched inode.
type connector struct {
	inode Inode
	sb    *SuperBlock
	dir   uint32  // IN_ISDIR of a directory
	pin   Pinner  // pinned; nil: cannot be
	marks []*mark // guarded by markTable.mu
}

// event is what happens, to an inode or to a name in a directory.
type event struct {
	mask    uint32 // IN_*
	cookie  uint32
	name    string // in the directory that is told; "": the inode itself
	deleted bool   // done to an open file whose name is gone (IN_EXCL_UNLINK)
}

// send gives an event to the marks that want it, and adds to done those that wanted
// one only. The table is locked for reading.
func (c *connector) send(e event, done []*mark) []*mark {
	if c == nil {
		return done
	}
	for _, m := range c.marks {
		if m.mask&e.mask&(abi.IN_ALL_EVENTS|abi.IN_UNMOUNT) == 0 || e.deleted && m.flags&abi.IN_EXCL_UNLINK != 0 {
			continue
		}
		if m.flags&abi.IN_ONESHOT != 0 {
			if m.fired.Swap(true) {
				continue
			}
			done = append(done, m)
		}
		m.group.add(m.wd, e)
	}
	return done
}

// tell tells the marks of inode i.
func (t *markTable) tell(i Inode, e event) {
	t.mu.RLock()
	done := t.conns[i].send(e, nil)
	t.mu.RUnlock()
	t.destroyAll(done)
}

func (d *Dentry) watched() bool { return d.sb.connectors.Load() != 0 }

// dirBit adds IN_ISDIR for directories.
func (d *Dentry) dirBit(mask uint32) uint32 {
	if d.kind == abi.S_IFDIR {
		mask |= abi.IN_ISDIR
	}
	return mask
}

// notify is fsnotify_dentry: something happens to what d leads to.
func (d *Dentry) notify(mask uint32) {
	if d.watched() {
		d.notifyParent(mask, false, false)
	}
}

// notifyParent is fsnotify_parent; quiet keeps it from the directory.
func (d *Dentry) notifyParent(mask uint32, deleted, quiet bool) {
	e := event{mask: d.dirBit(mask), deleted: deleted}
	t := &d.sb.VFS.marks
	l := d.loc.Load()
	var done []*mark
	t.mu.RLock()
	if l.parent != nil && !quiet {
		named := e
		named.name = l.name
		done = t.conns[l.parent.inode].send(named, done)
	}
	done = t.conns[d.inode].send(e, done)
	t.mu.RUnlock()
	t.destroyAll(done)
}

// notifySelf is fsnotify_inode: its directory is not told.
func (d *Dentry) notifySelf(mask uint32) {
	if d.watched() {
		d.sb.VFS.marks.tell(d.inode, event{mask: d.dirBit(mask)})
	}
}

// notifyName is fsnotify_name: something happens to the name of child in directory d.
// A link count that changes with it is told before, by notifySelf.
func (d *Dentry) notifyName(mask uint32, child *Dentry, name string, cookie uint32) {
	if d.watched() {
		d.sb.VFS.marks.tell(d.inode, event{mask: child.dirBit(mask), name: name, cookie: cookie})
	}
}

// notify is fsnotify_file.
func (f *File) notify(mask uint32) {
	d := f.Path.Dentry
	if !d.watched() || f.kind == 0 || f.IsPath() { // nameless files have FMODE_NONOTIFY
		return
	}
	// Reads and writes of devices and FIFOs would tell whoever may read the directory
	// when keys are pressed.
	special := f.kind != abi.S_IFREG && f.kind != abi.S_IFDIR && mask&(abi.IN_ACCESS|abi.IN_MODIFY) != 0
	d.notifyParent(mask, d.gone.Load(), special)
}

// notifyOpen is fsnotify_open; the file's end is told too from then on.
func (f *File) notifyOpen() {
	f.opened = true
	f.notify(abi.IN_OPEN)
}

// notifyClose is fsnotify_close.
func (f *File) notifyClose() {
	switch {
	case !f.opened:
	case f.write:
		f.notify(abi.IN_CLOSE_WRITE)
	default:
		f.notify(abi.IN_CLOSE_NOWRITE)
	}
}

// ReadDone tells who watches that bytes were read (fsnotify_access).
func (f *File) ReadDone() { f.notify(abi.IN_ACCESS) }

// WriteDone tells who watches that bytes were written (fsnotify_modify).
func (f *File) WriteDone() { f.notify(abi.IN_MODIFY) }

// changeEvents is fsnotify_change: what a change of attributes is told as.
func changeEvents(valid uint32) (mask uint32) {
	if valid&(AttrUID|AttrGID|AttrMode) != 0 {
		mask |= abi.IN_ATTRIB
	}
	if valid&AttrSize != 0 {
		mask |= abi.IN_MODIFY
	}
	switch valid & (AttrAtime | AttrMtime) {
	case AttrAtime | AttrMtime:
		mask |= abi.IN_ATTRIB
	case AttrAtime:
		mask |= abi.IN_ACCESS
	case AttrMtime:
		mask |= abi.IN_MODIFY
	}
	return mask
}

// unlinked is the end of d, which has lost its name, when no file and no working
// directory holds it any more (dentry_unlink_inode): of the inode too if that was its
// last name. It may be called twice.
func (d *Dentry) unlinked() {
	if d.users.Load() != 0 || !d.gone.Load() || !d.watched() {
		return
	}
	if a, err := d.inode.Getattr(); err == nil && a.Nlink != 0 {
		return
	}
	t := &d.sb.VFS.marks
	t.tell(d.inode, event{mask: abi.IN_DELETE_SELF})
	t.drop(d.inode)
}

// dropSuper ends the marks of a super block that ends (fsnotify_sb_delete).
func (t *markTable) dropSuper(sb *SuperBlock) {
	if sb.connectors.Load() == 0 {
		return
	}
	var all []*connector
	t.mu.RLock()
	for _, c := range t.conns {
		if c.sb == sb {
			all = append(all, c)
		}
	}
	t.mu.RUnlock()
	for _, c := range all {
		t.tell(c.inode, event{mask: abi.IN_UNMOUNT | c.dir})
		t.drop(c.inode)
	}
}
