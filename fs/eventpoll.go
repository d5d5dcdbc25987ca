// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

// EpollEvent is struct epoll_event without its packing.
type EpollEvent struct {
	Events uint32
	Data   uint64
}

// eventpoll is fs/eventpoll.c.
//
// Locks: mu is taken before the locks of the watched files; readyMu is a leaf,
// because the files' queues call back with their locks held.
type eventpoll struct {
	queue wait.Queue
	file  *File // its own; constant

	mu    sync.Mutex
	items map[epollKey]*epollItem // guarded by mu

	readyMu sync.Mutex
	ready   []*epollItem // in order of readiness; guarded by readyMu
}

type epollKey struct {
	file *File
	fd   int
}

// epollItem is one watched descriptor.
type epollItem struct {
	ep    *eventpoll
	key   epollKey
	event EpollEvent // guarded by ep.mu
	entry wait.Entry
	// queued is set while the item is on ep.ready; guarded by ep.readyMu.
	queued bool
}

const (
	epollPrivate = abi.EPOLLWAKEUP | abi.EPOLLONESHOT | abi.EPOLLET | abi.EPOLLEXCLUSIVE
	// epollExclusiveOK are the bits that may go with EPOLLEXCLUSIVE.
	epollExclusiveOK = abi.EPOLLIN | abi.EPOLLOUT | abi.EPOLLERR | abi.EPOLLHUP | abi.EPOLLWAKEUP | abi.EPOLLET | abi.EPOLLEXCLUSIVE
	// epollMaxNests is EP_MAX_NESTS.
	epollMaxNests = 4
)

// NewEpoll is epoll_create1(2).
func NewEpoll(ctx *Context, flags int) (*File, error) {
	if flags&^abi.EPOLL_CLOEXEC != 0 {
		return nil, abi.EINVAL
	}
	ep := &eventpoll{items: map[epollKey]*epollItem{}}
	ep.file = ctx.VFS().NewAnonFile(ctx, "anon_inode:[eventpoll]", 0o600, nil, ep, abi.O_RDWR)
	return ep.file, nil
}

// EpollCtl is epoll_ctl(2) on the file behind fd.
func EpollCtl(epf *File, op int, f *File, fd int, ev EpollEvent) error {
	if f.IsPath() {
		return abi.EBADF
	}
	if !f.Pollable() {
		return abi.EPERM
	}
	ep, ok := epf.ops.(*eventpoll)
	if !ok || f == epf {
		return abi.EINVAL
	}
	if op != abi.EPOLL_CTL_DEL && ev.Events&abi.EPOLLEXCLUSIVE != 0 {
		_, nested := f.ops.(*eventpoll)
		if op == abi.EPOLL_CTL_MOD || nested || ev.Events&^uint32(epollExclusiveOK) != 0 {
			return abi.EINVAL
		}
	}
	if op == abi.EPOLL_CTL_ADD {
		if err := checkNesting(ep, f); err != nil {
			return err
		}
	}
	ep.mu.Lock()
	defer ep.mu.Unlock()
	key := epollKey{f, fd}
	it := ep.items[key]
	switch op {
	case abi.EPOLL_CTL_ADD:
		if it != nil {
			return abi.EEXIST
		}
		ep.add(key, ev)
	case abi.EPOLL_CTL_MOD:
		if it == nil {
			return abi.ENOENT
		}
		if it.event.Events&abi.EPOLLEXCLUSIVE != 0 {
			return abi.EINVAL
		}
		it.event = ev
		it.event.Events |= abi.EPOLLERR | abi.EPOLLHUP
		it.recheck()
	case abi.EPOLL_CTL_DEL:
		if it == nil {
			return abi.ENOENT
		}
		ep.remove(it)
	default:
		return abi.EINVAL
	}
	return nil
}

// add watches key; mu is held.
func (e *eventpoll) add(key epollKey, ev EpollEvent) {
	ev.Events |= abi.EPOLLERR | abi.EPOLLHUP
	it := &epollItem{ep: e, key: key, event: ev}
	it.entry.Callback = it.wake
	it.entry.Exclusive = ev.Events&abi.EPOLLEXCLUSIVE != 0
	e.items[key] = it
	f := key.file
	f.watchMu.Lock()
	if f.watches == nil {
		f.watches = map[*epollItem]struct{}{}
	}
	f.watches[it] = struct{}{}
	f.watchMu.Unlock()
	f.Queue().Add(&it.entry)
	it.recheck()
}

// remove ends a watch; mu is held.
func (e *eventpoll) remove(it *epollItem) {
	delete(e.items, it.key)
	f := it.key.file
	f.watchMu.Lock()
	delete(f.watches, it)
	f.watchMu.Unlock()
	f.Queue().Remove(&it.entry)
	e.readyMu.Lock()
	defer e.readyMu.Unlock()
	if !it.queued {
		return
	}
	it.queued = false
	for i, x := range e.ready {
		if x == it {
			e.ready = append(e.ready[:i], e.ready[i+1:]...)
			break
		}
	}
}

// dropWatches removes a file that is released from all epoll files.
func (f *File) dropWatches() {
	f.watchMu.Lock()
	if len(f.watches) == 0 {
		f.watchMu.Unlock()
		return
	}
	var l []*epollItem
	for it := range f.watches {
		l = append(l, it)
	}
	f.watchMu.Unlock()
	for _, it := range l {
		it.ep.mu.Lock()
		if it.ep.items[it.key] == it {
			it.ep.remove(it)
		}
		it.ep.mu.Unlock()
	}
}

// wake is called by the file's queue, with the file's locks held. It does not
// look at the wanted events, which ep.mu guards: Collect does.
func (it *epollItem) wake(wait.Mask) {
	it.enqueue()
	it.ep.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
}

// enqueue puts the item on the ready list, unless it is there.
func (it *epollItem) enqueue() bool {
	e := it.ep
	e.readyMu.Lock()
	defer e.readyMu.Unlock()
	if it.queued {
		return false
	}
	it.queued = true
	e.ready = append(e.ready, it)
	return true
}

// poll gives the wanted events that hold; ep.mu is held.
func (it *epollItem) poll() uint32 {
	if it.event.Events&^uint32(epollPrivate) == 0 { // disarmed by EPOLLONESHOT
		return 0
	}
	return uint32(it.key.file.Poll()) & it.event.Events &^ uint32(epollPrivate)
}

// recheck queues the item if it is ready already; ep.mu is held.
func (it *epollItem) recheck() {
	if it.poll() != 0 && it.enqueue() {
		it.ep.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
	}
}

// EpollCollect takes ready events, at most len(out); 0 means wait on epf.Queue()
// for POLLIN. EINVAL when epf is no epoll file.
func EpollCollect(epf *File, out []EpollEvent) (int, error) {
	e, ok := epf.ops.(*eventpoll)
	if !ok {
		return 0, abi.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readyMu.Lock()
	todo := len(e.ready)
	e.readyMu.Unlock()
	n := 0
	for ; todo > 0 && n < len(out); todo-- {
		it := e.pop()
		if it == nil {
			break
		}
		got := it.poll()
		if got == 0 {
			continue
		}
		out[n] = EpollEvent{Events: got, Data: it.event.Data}
		n++
		switch {
		case it.event.Events&abi.EPOLLONESHOT != 0:
			it.event.Events &= epollPrivate
		case it.event.Events&abi.EPOLLET == 0:
			it.enqueue() // level: look again next time
		}
	}
	return n, nil
}

// pop takes the first item off the ready list.
func (e *eventpoll) pop() *epollItem {
	e.readyMu.Lock()
	defer e.readyMu.Unlock()
	if len(e.ready) == 0 {
		return nil
	}
	it := e.ready[0]
	e.ready[0] = nil
	e.ready = e.ready[1:]
	it.queued = false
	return it
}

// Poll reports whether a watched file is ready.
func (e *eventpoll) Poll() wait.Mask {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readyMu.Lock()
	l := append([]*epollItem(nil), e.ready...)
	e.readyMu.Unlock()
	for _, it := range l {
		if it.poll() != 0 {
			return abi.POLLIN | abi.POLLRDNORM
		}
	}
	return 0
}

// WaitQueue announces changes of Poll.
func (e *eventpoll) WaitQueue() *wait.Queue { return &e.queue }

// Release ends all watches.
func (e *eventpoll) Release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, it := range e.items {
		e.remove(it)
	}
}

// Seek does nothing (noop_llseek).
func (e *eventpoll) Seek(_ *Context, pos, _ int64, _ int) (int64, error) { return pos, nil }
