// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"math"
	"slices"
	"sync/atomic"

	"lodger/abi"
)

// mark is an inotify watch (struct inotify_inode_mark).
type mark struct {
	group *inotify
	wd    int32
	fired atomic.Bool // IN_ONESHOT: the event has come

	// Guarded by markTable.mu.
	conn  *connector // nil: destroyed
	mask  uint32     // IN_* events wanted, IN_UNMOUNT among them
	flags uint32     // IN_EXCL_UNLINK, IN_ONESHOT
}

// NotifyLimits are the values of /proc/sys/fs/inotify.
type NotifyLimits struct {
	QueuedEvents, UserInstances, UserWatches atomic.Int64
}

// What a guest may have at all, whoever asks, as it is Lodger's memory: set above what
// programs need. On Linux the memory controller sees to it.
const (
	maxQueuedAll = 1 << 20
	maxMarksAll  = 1 << 20
)

// setDefaults is inotify_user_setup, for a machine of middle size.
func (l *NotifyLimits) setDefaults() {
	l.QueuedEvents.Store(16384)
	l.UserInstances.Store(128)
	l.UserWatches.Store(65536)
}

// notifyUser counts what a user has (struct ucounts).
type notifyUser struct{ instances, watches int64 }

// user gives a user's counts; mu is held for writing.
func (t *markTable) user(uid uint32) *notifyUser {
	u := t.users[uid]
	if u == nil {
		u = &notifyUser{}
		t.users[uid] = u
	}
	return u
}

func (t *markTable) forgetUser(uid uint32) {
	if u := t.users[uid]; u != nil && *u == (notifyUser{}) {
		delete(t.users, uid)
	}
}

// NewInotify is inotify_init1(2).
func NewInotify(ctx *Context, flags int) (*File, error) {
	if flags&^(abi.IN_CLOEXEC|abi.IN_NONBLOCK) != 0 {
		return nil, abi.EINVAL
	}
	v := ctx.VFS()
	g := &inotify{v: v, uid: ctx.Creds.EUID, wds: map[int32]*mark{}, limit: int(v.Notify.QueuedEvents.Load())}
	t := &v.marks
	t.mu.Lock()
	u := t.user(g.uid)
	full := u.instances >= v.Notify.UserInstances.Load()
	if !full {
		u.instances++
	}
	t.forgetUser(g.uid)
	t.mu.Unlock()
	if full {
		return nil, abi.EMFILE
	}
	return v.NewAnonFile(ctx, "anon_inode:inotify", 0o600, nil, g, flags&abi.IN_NONBLOCK|abi.O_RDONLY), nil
}

// InotifyAdd is inotify_add_watch(2) on f, after InotifyCheck.
func InotifyAdd(ctx *Context, f *File, name string, arg uint32) (int32, error) {
	g, ok := f.ops.(*inotify)
	if !ok {
		return 0, abi.EINVAL
	}
	how := LookupFollow
	if arg&abi.IN_DONT_FOLLOW != 0 {
		how = 0
	}
	if arg&abi.IN_ONLYDIR != 0 {
		how |= LookupDirectory
	}
	p, err := Lookup(ctx, Path{}, name, how)
	if err != nil {
		return 0, err
	}
	if err := mayAccess(ctx, p.Dentry, abi.R_OK); err != nil {
		return 0, err
	}
	// Whoever removes the name meanwhile finds it in use, and letting go of it then
	// ends the new watch.
	held := Hold(p)
	defer held.Put()
	return g.update(p.Dentry, arg)
}

// InotifyCheck gives the errors that come before the path is looked at.
func InotifyCheck(f *File, arg uint32) error {
	if arg&abi.IN_MASK_ADD != 0 && arg&abi.IN_MASK_CREATE != 0 {
		return abi.EINVAL
	}
	if _, ok := f.ops.(*inotify); !ok {
		return abi.EINVAL
	}
	return nil
}

// InotifyMask are the bits that inotify_add_watch knows (ALL_INOTIFY_BITS).
const InotifyMask = abi.IN_ALL_EVENTS | abi.IN_UNMOUNT | abi.IN_Q_OVERFLOW | abi.IN_IGNORED | abi.IN_ONLYDIR |
	abi.IN_DONT_FOLLOW | abi.IN_EXCL_UNLINK | abi.IN_MASK_ADD | abi.IN_MASK_CREATE | abi.IN_ISDIR | abi.IN_ONESHOT

// update changes g's watch of what d leads to, or makes one (inotify_update_watch).
func (g *inotify) update(d *Dentry, arg uint32) (int32, error) {
	mask, flags := arg&abi.IN_ALL_EVENTS|abi.IN_UNMOUNT, arg&(abi.IN_EXCL_UNLINK|abi.IN_ONESHOT)
	pin, _ := d.inode.(Pinner)
	if pin != nil {
		if err := pin.Pin(); err != nil {
			return 0, err
		}
	}
	t := &g.v.marks
	t.mu.Lock()
	wd, used, err := t.update(g, d, pin, mask, flags, arg)
	t.mu.Unlock()
	if pin != nil && !used {
		pin.Unpin()
	}
	return wd, err
}

// update does it with mu held; used tells that the pin is a new connector's.
func (t *markTable) update(g *inotify, d *Dentry, pin Pinner, mask, flags, arg uint32) (wd int32, used bool, err error) {
	c := t.conns[d.inode]
	if c != nil {
		if k := slices.IndexFunc(c.marks, func(m *mark) bool { return m.group == g }); k >= 0 {
			m := c.marks[k]
			switch {
			case arg&abi.IN_MASK_CREATE != 0:
				return 0, false, abi.EEXIST
			case arg&abi.IN_MASK_ADD != 0:
				m.mask, m.flags = m.mask|mask, m.flags|flags
			default:
				m.mask, m.flags = mask, flags
			}
			return m.wd, false, nil
		}
	}
	u := t.user(g.uid)
	if u.watches >= g.v.Notify.UserWatches.Load() || t.total >= maxMarksAll {
		return 0, false, abi.ENOSPC
	}
	if c == nil {
		c, used = &connector{inode: d.inode, sb: d.sb, dir: d.dirBit(0), pin: pin}, true
		t.conns[d.inode] = c
		d.sb.connectors.Add(1)
	}
	m := &mark{group: g, wd: g.newWD(), conn: c, mask: mask, flags: flags}
	c.marks = append(c.marks, m)
	g.wds[m.wd] = m
	u.watches++
	t.total++
	return m.wd, used, nil
}

// newWD gives the next free number, which one that went is not soon (idr_alloc_cyclic).
func (g *inotify) newWD() int32 {
	for {
		if g.lastWD == math.MaxInt32 {
			g.lastWD = 0
		}
		g.lastWD++
		if g.wds[g.lastWD] == nil {
			return g.lastWD
		}
	}
}

// InotifyRemove is inotify_rm_watch(2).
func InotifyRemove(f *File, wd int32) error {
	g, ok := f.ops.(*inotify)
	if !ok {
		return abi.EINVAL
	}
	t := &g.v.marks
	t.mu.RLock()
	m := g.wds[wd]
	t.mu.RUnlock()
	if m == nil {
		return abi.EINVAL
	}
	t.destroyAll([]*mark{m})
	return nil
}

// remove takes a mark off, and adds the pin of an inode that has no more to pins. mu is
// held for writing.
func (t *markTable) remove(m *mark, pins []Pinner) []Pinner {
	c := m.conn
	if c == nil {
		return pins
	}
	m.conn = nil
	c.marks = slices.DeleteFunc(c.marks, func(o *mark) bool { return o == m })
	if len(c.marks) == 0 {
		delete(t.conns, c.inode)
		c.sb.connectors.Add(-1)
		if c.pin != nil {
			pins = append(pins, c.pin)
		}
	}
	delete(m.group.wds, m.wd)
	t.user(m.group.uid).watches--
	t.total--
	return pins
}

// destroyAll ends watches, which is told with IN_IGNORED (fsnotify_destroy_mark).
func (t *markTable) destroyAll(marks []*mark) {
	if len(marks) == 0 {
		return
	}
	var pins []Pinner
	t.mu.Lock()
	for _, m := range marks {
		if m.conn == nil {
			continue
		}
		pins = t.remove(m, pins)
		m.group.add(m.wd, event{mask: abi.IN_IGNORED})
	}
	t.mu.Unlock()
	unpinAll(pins)
}

// drop ends all watches of an inode (fsnotify_inode_delete).
func (t *markTable) drop(i Inode) {
	t.mu.RLock()
	var marks []*mark
	if c := t.conns[i]; c != nil {
		marks = slices.Clone(c.marks)
	}
	t.mu.RUnlock()
	t.destroyAll(marks)
}

func unpinAll(pins []Pinner) {
	for _, p := range pins {
		p.Unpin()
	}
}
