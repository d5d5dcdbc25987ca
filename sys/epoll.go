// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"math"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// epollMost is how many events one epoll_wait returns at most; more come with the
// next.
const epollMost = 256

// epollIO holds the handlers that collect events, and their buffers.
type epollIO struct {
	bufs sync.Pool // *[epollMost]fs.EpollEvent
}

func epollCreate(t *kernel.Task, a Args) (uint64, error) {
	if a.Int(0) <= 0 {
		return 0, abi.EINVAL
	}
	return newEpoll(t, 0)
}

func epollCreate1(t *kernel.Task, a Args) (uint64, error) { return newEpoll(t, a.Int(0)) }

func newEpoll(t *kernel.Task, flags int) (uint64, error) {
	f, err := fs.NewEpoll(t.Context(), flags)
	if err != nil {
		return 0, err
	}
	return install(t, f, flags&abi.EPOLL_CLOEXEC != 0)
}

func epollCtl(t *kernel.Task, a Args) (uint64, error) {
	op := a.Int(1)
	var ev fs.EpollEvent
	if op != abi.EPOLL_CTL_DEL {
		var b [epollEventSize]byte
		if err := t.CopyIn(a[3], b[:]); err != nil {
			return 0, err
		}
		ev = fs.EpollEvent{Events: le.Uint32(b[:]), Data: le.Uint64(b[epollDataAt:])}
	}
	ep, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer ep.DecRef()
	return withFile(t, a.Int(2), func(f *fs.File) error { return fs.EpollCtl(ep, op, f, a.Int(2), ev) })
}

func (h *epollIO) wait(t *kernel.Task, a Args) (uint64, error) {
	return h.run(t, a, waiting{deadline: deadlineMS(t, a.Int(3))}, 0, 0)
}

func (h *epollIO) pwait(t *kernel.Task, a Args) (uint64, error) {
	return h.run(t, a, waiting{deadline: deadlineMS(t, a.Int(3))}, a[4], a[5])
}

func (h *epollIO) pwait2(t *kernel.Task, a Args) (uint64, error) {
	ns, set, err := userTimeout(t, a[3])
	if err != nil {
		return 0, err
	}
	return h.run(t, a, waiting{deadline: deadlineNS(t, ns, set)}, a[4], a[5])
}

// run is do_epoll_wait; it is never restarted (man 7 signal).
func (h *epollIO) run(t *kernel.Task, a Args, w waiting, mask, size uint64) (uint64, error) {
	most := a.Int(2)
	if most <= 0 || most > math.MaxInt32/epollEventSize {
		return 0, abi.EINVAL
	}
	if !userRange(a[1], uint64(most)*epollEventSize) {
		return 0, abi.EFAULT
	}
	ep, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	w.restart = abi.EINTR
	if err := w.setMask(t, mask, size); err != nil {
		ep.DecRef()
		return 0, err
	}
	return w.wait(t, waitable{
		check: func() (uint64, error) { return h.collect(t, ep, a[1], most) },
		sources: func() []kernel.Source {
			return []kernel.Source{{Queue: ep.Queue(), Mask: abi.POLLIN | abi.POLLRDNORM}}
		},
		end: func(bool) { ep.DecRef() },
	})
}

// collect takes ready events and stores them.
func (h *epollIO) collect(t *kernel.Task, ep *fs.File, addr uint64, most int) (uint64, error) {
	ev, _ := h.bufs.Get().(*[epollMost]fs.EpollEvent)
	if ev == nil {
		ev = new([epollMost]fs.EpollEvent)
	}
	defer h.bufs.Put(ev)
	n, err := fs.EpollCollect(ep, ev[:min(most, epollMost)])
	if n == 0 || err != nil {
		return 0, err
	}
	var b [epollMost * epollEventSize]byte
	for i, e := range ev[:n] {
		le.PutUint32(b[i*epollEventSize:], e.Events)
		le.PutUint64(b[i*epollEventSize+epollDataAt:], e.Data)
	}
	return uint64(n), t.CopyOut(addr, b[:n*epollEventSize])
}
