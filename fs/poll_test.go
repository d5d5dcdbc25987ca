// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"encoding/binary"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/lib/wait"
)

func collect(t *testing.T, ep *fs.File) []fs.EpollEvent {
	t.Helper()
	out := make([]fs.EpollEvent, 8)
	n, err := fs.EpollCollect(ep, out)
	if err != nil {
		t.Fatal(err)
	}
	return out[:n]
}

func TestEpoll(t *testing.T) {
	e := fstest.New(t, mk)
	r, w, _ := fs.NewPipe(e.Ctx, abi.O_NONBLOCK)
	ep, err := fs.NewEpoll(e.Ctx, 0)
	e.Must(err)
	ctl := func(op int, f *fs.File, fd int, ev uint32) error {
		return fs.EpollCtl(ep, op, f, fd, fs.EpollEvent{Events: ev, Data: uint64(fd)})
	}
	d, _ := e.Open("/", abi.O_RDONLY, 0)
	e.Want(ctl(abi.EPOLL_CTL_ADD, d, 9, abi.EPOLLIN), abi.EPERM, "directory")
	e.Want(ctl(abi.EPOLL_CTL_ADD, ep, 9, abi.EPOLLIN), abi.EINVAL, "itself")
	e.Want(ctl(abi.EPOLL_CTL_MOD, r, 3, abi.EPOLLIN), abi.ENOENT, "mod")
	e.Want(ctl(abi.EPOLL_CTL_DEL, r, 3, 0), abi.ENOENT, "del")
	e.Must(ctl(abi.EPOLL_CTL_ADD, r, 3, abi.EPOLLIN))
	e.Want(ctl(abi.EPOLL_CTL_ADD, r, 3, abi.EPOLLIN), abi.EEXIST, "twice")
	if l := collect(t, ep); len(l) != 0 {
		t.Fatal(l)
	}
	woken := 0
	en := &wait.Entry{Callback: func(wait.Mask) { woken++ }}
	ep.Queue().Add(en)
	w.Write(e.Ctx, []byte("x"))
	if woken == 0 || ep.Poll()&abi.POLLIN == 0 {
		t.Fatal("no wake-up")
	}
	for range 2 { // level
		if l := collect(t, ep); len(l) != 1 || l[0].Events != abi.EPOLLIN || l[0].Data != 3 {
			t.Fatal(l)
		}
	}
	e.Must(ctl(abi.EPOLL_CTL_MOD, r, 3, abi.EPOLLIN|abi.EPOLLET))
	if l := collect(t, ep); len(l) != 1 {
		t.Fatal("edge after mod", l)
	}
	if l := collect(t, ep); len(l) != 0 {
		t.Fatal("edge twice", l)
	}
	w.Write(e.Ctx, []byte("x"))
	if l := collect(t, ep); len(l) != 1 {
		t.Fatal("new edge", l)
	}
	e.Must(ctl(abi.EPOLL_CTL_MOD, r, 3, abi.EPOLLIN|abi.EPOLLONESHOT))
	if l := collect(t, ep); len(l) != 1 {
		t.Fatal("oneshot", l)
	}
	w.Write(e.Ctx, []byte("x"))
	if l := collect(t, ep); len(l) != 0 {
		t.Fatal("oneshot twice", l)
	}
	// Nesting and circles.
	prev := ep
	for i := range 5 {
		n, _ := fs.NewEpoll(e.Ctx, 0)
		err := fs.EpollCtl(n, abi.EPOLL_CTL_ADD, prev, 10, fs.EpollEvent{Events: abi.EPOLLIN})
		want := abi.Errno(0)
		if i == 4 {
			want = abi.ELOOP
		}
		e.Want(err, want, "nesting %d", i)
		if i == 0 {
			e.Want(fs.EpollCtl(ep, abi.EPOLL_CTL_ADD, n, 11, fs.EpollEvent{}), abi.ELOOP, "circle")
			e.Must(ctl(abi.EPOLL_CTL_MOD, r, 3, abi.EPOLLIN))
			if l := collect(t, n); len(l) != 1 {
				t.Fatal("nested", l)
			}
		}
		prev = n
	}
	r.DecRef()
	if l := collect(t, ep); len(l) != 0 {
		t.Fatal("released file reports", l)
	}
	e.Must(ctl(abi.EPOLL_CTL_ADD, w, 4, abi.EPOLLOUT))
	if l := collect(t, ep); len(l) != 1 || l[0].Events != abi.EPOLLOUT|abi.EPOLLERR {
		t.Fatal(l)
	}
	ep.Queue().Remove(en)
	ep.DecRef()
	w.DecRef()
}

func TestEventFD(t *testing.T) {
	e := fstest.New(t, mk)
	f, err := fs.NewEventFD(e.Ctx, 3, abi.EFD_SEMAPHORE)
	e.Must(err)
	p := make([]byte, 8)
	for range 3 {
		if n, err := f.Read(e.Ctx, p); n != 8 || err != nil || p[0] != 1 {
			t.Fatal(n, err, p)
		}
	}
	_, err = f.Read(e.Ctx, p)
	e.Want(err, abi.EAGAIN, "empty")
	binary.NativeEndian.PutUint64(p, ^uint64(0))
	_, err = f.Write(e.Ctx, p)
	e.Want(err, abi.EINVAL, "all ones")
	binary.NativeEndian.PutUint64(p, ^uint64(0)-1)
	_, err = f.Write(e.Ctx, p)
	e.Must(err)
	if f.Poll() != abi.POLLIN {
		t.Fatal(f.Poll())
	}
	_, err = f.Write(e.Ctx, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	e.Want(err, abi.EAGAIN, "full")
}

// fakeClock is a clock that stands still until told.
type fakeClock struct {
	now int64
	at  int64
	f   func()
}

func (c *fakeClock) Nano() int64 { return c.now }
func (c *fakeClock) AfterFunc(at int64, f func()) func() {
	c.at, c.f = at, f
	return func() { c.f = nil }
}
func (c *fakeClock) advance(to int64) {
	c.now = to
	for c.f != nil && c.at <= to {
		f := c.f
		c.f = nil
		f()
	}
}

func TestTimerFD(t *testing.T) {
	e := fstest.New(t, mk)
	c := &fakeClock{now: 1000}
	f, err := fs.NewTimerFD(e.Ctx, c, 0)
	e.Must(err)
	ns := func(n int64) abi.Timespec { return abi.NanoTimespec(n) }
	_, err = fs.TimerFDSettime(f, 0, fs.Itimerspec{Value: ns(100), Interval: ns(50)})
	e.Must(err)
	c.advance(1099)
	p := make([]byte, 8)
	_, err = f.Read(e.Ctx, p)
	e.Want(err, abi.EAGAIN, "early")
	c.advance(1100)
	if f.Poll() != abi.POLLIN {
		t.Fatal("not ready")
	}
	c.advance(1260)
	if _, err := f.Read(e.Ctx, p); err != nil || p[0] != 4 {
		t.Fatal(p, err)
	}
	if s, _ := fs.TimerFDGettime(f); s.Value != ns(40) || s.Interval != ns(50) {
		t.Fatal(s)
	}
	c.advance(1300)
	if _, err := f.Read(e.Ctx, p); err != nil || p[0] != 1 {
		t.Fatal(p, err)
	}
	old, err := fs.TimerFDSettime(f, 0, fs.Itimerspec{})
	e.Must(err)
	if old.Value != ns(50) {
		t.Fatal(old)
	}
	c.advance(5000)
	_, err = f.Read(e.Ctx, p)
	e.Want(err, abi.EAGAIN, "disarmed")
	f.DecRef()
}
