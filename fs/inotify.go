// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

// inotify is one instance: fs/notify/inotify and a struct fsnotify_group.
type inotify struct {
	v     *VFS
	uid   uint32
	queue wait.Queue
	limit int // max_queued_events when it was made

	// Guarded by markTable.mu.
	wds    map[int32]*mark
	lastWD int32

	mu       sync.Mutex
	events   []queued // guarded by mu
	bytes    int      // that they take when read; guarded by mu
	overflow bool     // IN_Q_OVERFLOW is among them; guarded by mu
}

// queued is an event on its way to the reader.
type queued struct {
	wd           int32
	mask, cookie uint32
	name         string
}

// size is what it takes when read: its name is padded with at least one NUL to a
// multiple of the structure's size.
func (q *queued) size() int {
	if q.name == "" {
		return abi.InotifyEventSize
	}
	return abi.InotifyEventSize * (2 + len(q.name)/abi.InotifyEventSize)
}

// readable are the bits that a reader sees (inotify_mask_to_arg).
const readable = abi.IN_ALL_EVENTS | abi.IN_ISDIR | abi.IN_UNMOUNT | abi.IN_IGNORED | abi.IN_Q_OVERFLOW

// add queues an event unless it is the last one's equal (inotify_handle_inode_event).
func (g *inotify) add(wd int32, e event) {
	q := queued{wd: wd, mask: e.mask & readable, cookie: e.cookie, name: e.name}
	if q.mask&(abi.IN_MOVE_SELF|abi.IN_DELETE_SELF) != 0 {
		q.mask &^= abi.IN_ISDIR
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.events) >= g.limit || g.v.queuedEvents.Load() >= maxQueuedAll {
		if g.overflow {
			return
		}
		g.overflow = true
		q = queued{wd: -1, mask: abi.IN_Q_OVERFLOW}
	} else if n := len(g.events); n > 0 {
		last := &g.events[n-1]
		if last.mask&abi.IN_IGNORED == 0 && last.mask == q.mask && last.wd == q.wd && last.name == q.name {
			return
		}
	}
	g.v.queuedEvents.Add(1)
	g.events = append(g.events, q)
	g.bytes += q.size()
	g.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
}

// Read gives the events that fit; EINVAL if not even one does.
func (g *inotify) Read(_ *Context, p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.events) == 0 {
		return 0, abi.EAGAIN
	}
	done, n := 0, 0
	for ; n < len(g.events); n++ {
		q := &g.events[n]
		size := q.size()
		if size > len(p)-done {
			break
		}
		b := p[done : done+size]
		le := binary.NativeEndian
		le.PutUint32(b, uint32(q.wd))
		le.PutUint32(b[4:], q.mask)
		le.PutUint32(b[8:], q.cookie)
		le.PutUint32(b[12:], uint32(size-abi.InotifyEventSize))
		clear(b[abi.InotifyEventSize+copy(b[abi.InotifyEventSize:], q.name):])
		done += size
		if q.mask&abi.IN_Q_OVERFLOW != 0 {
			g.overflow = false
		}
	}
	if n == 0 {
		return 0, abi.EINVAL
	}
	g.take(n)
	g.bytes -= done
	return done, nil
}

// take drops the first n events; mu is held.
func (g *inotify) take(n int) {
	g.v.queuedEvents.Add(-int64(n))
	if n == len(g.events) {
		clear(g.events)
		if g.events = g.events[:0]; cap(g.events) > 1024 {
			g.events = nil
		}
		return
	}
	g.events = slices.Delete(g.events, 0, n)
}

// Poll gives the ready events.
func (g *inotify) Poll() wait.Mask {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.events) > 0 {
		return abi.POLLIN | abi.POLLRDNORM
	}
	return 0
}

// WaitQueue announces changes of Poll.
func (g *inotify) WaitQueue() *wait.Queue { return &g.queue }

// Ioctl answers FIONREAD.
func (g *inotify) Ioctl(_ *Context, cmd uint32, arg uint64, mem UserMemory) (uint64, error) {
	if cmd != abi.FIONREAD {
		return 0, abi.ENOTTY
	}
	g.mu.Lock()
	n := g.bytes
	g.mu.Unlock()
	return 0, put32(mem, arg, uint32(n))
}

// FDInfo gives the lines of /proc/PID/fdinfo, without file handles, which nothing here
// can open.
func (g *inotify) FDInfo() string {
	t := &g.v.marks
	t.mu.RLock()
	// The newest first, as Linux has them.
	marks := slices.SortedFunc(maps.Values(g.wds), func(a, b *mark) int { return int(b.wd - a.wd) })
	type line struct {
		wd   int32
		mask uint32
		i    Inode
		dev  uint64
	}
	lines := make([]line, len(marks))
	for n, m := range marks {
		lines[n] = line{m.wd, m.mask&abi.IN_ALL_EVENTS | m.flags, m.conn.inode, m.conn.sb.Dev}
	}
	t.mu.RUnlock()
	var s strings.Builder
	for _, l := range lines {
		a, err := l.i.Getattr()
		if err != nil {
			continue
		}
		dev := uint64(abi.Major(l.dev))<<20 | uint64(abi.Minor(l.dev)) // the kernel's dev_t
		fmt.Fprintf(&s, "inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0 \n", l.wd, a.Ino, dev, l.mask)
	}
	return s.String()
}

// Seek does nothing (noop_llseek).
func (g *inotify) Seek(_ *Context, pos, _ int64, _ int) (int64, error) { return pos, nil }

// Release ends the instance: its watches go, and nobody is told.
func (g *inotify) Release() {
	t := &g.v.marks
	t.mu.Lock()
	var pins []Pinner
	for _, m := range g.wds {
		pins = t.remove(m, pins)
	}
	t.user(g.uid).instances--
	t.forgetUser(g.uid)
	t.mu.Unlock()
	unpinAll(pins)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.take(len(g.events))
}
