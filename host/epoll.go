// SPDX-License-Identifier: Apache-2.0

package host

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Watcher tells when host descriptors become ready. It owns one goroutine that
// sleeps in the host; an idle watcher wakes nobody.
type Watcher struct {
	ep   int
	wake [2]int // a pipe that ends the goroutine
	done chan struct{}

	mu    sync.Mutex
	calls map[int32]func(events uint32) // guarded by mu
}

// NewWatcher starts a watcher. around runs each round's callbacks, so that the
// caller can add what must happen after them.
func NewWatcher(around func(f func())) (*Watcher, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	w := &Watcher{ep: ep, done: make(chan struct{}), calls: map[int32]func(uint32){}}
	if err := unix.Pipe2(w.wake[:], unix.O_CLOEXEC); err != nil {
		unix.Close(ep)
		return nil, err
	}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, w.wake[0], &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(w.wake[0])}); err != nil {
		unix.Close(ep)
		return nil, err
	}
	go w.loop(around)
	return w, nil
}

func (w *Watcher) loop(around func(func())) {
	defer close(w.done)
	var evs [16]unix.EpollEvent
	for {
		n, err := unix.EpollWait(w.ep, evs[:], -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		stop := false
		around(func() {
			for _, e := range evs[:n] {
				if int(e.Fd) == w.wake[0] {
					stop = true
					continue
				}
				w.mu.Lock()
				f := w.calls[e.Fd]
				w.mu.Unlock()
				if f != nil {
					f(e.Events)
				}
			}
		})
		if stop {
			return
		}
	}
}

// Arm calls f once when one of events holds on fd (EPOLL*); EPERM for files that
// are always ready.
func (w *Watcher) Arm(fd int, events uint32, f func(events uint32)) error {
	w.mu.Lock()
	w.calls[int32(fd)] = f
	w.mu.Unlock()
	ev := &unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: int32(fd)}
	err := unix.EpollCtl(w.ep, unix.EPOLL_CTL_MOD, fd, ev)
	if err == unix.ENOENT {
		err = unix.EpollCtl(w.ep, unix.EPOLL_CTL_ADD, fd, ev)
	}
	return err
}

// Forget takes fd off.
func (w *Watcher) Forget(fd int) {
	w.mu.Lock()
	delete(w.calls, int32(fd))
	w.mu.Unlock()
	_ = unix.EpollCtl(w.ep, unix.EPOLL_CTL_DEL, fd, nil)
}

// Close ends the goroutine and waits for it.
func (w *Watcher) Close() {
	_, _ = unix.Write(w.wake[1], []byte{0})
	<-w.done
	for _, fd := range []int{w.ep, w.wake[0], w.wake[1]} {
		unix.Close(fd)
	}
}

// PollNow returns which of events hold on fd at this moment.
func PollNow(fd int, events int16) int16 {
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		_, err := unix.Poll(p, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0
		}
		return p[0].Revents
	}
}
