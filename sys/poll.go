// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
	"lodger/lib/wait"
)

// waiting is how long a poll, select or epoll_wait waits, and under which signal
// mask.
type waiting struct {
	// deadline on the monotonic clock, in nanoseconds, or noDeadline or noWait.
	deadline int64
	restart  abi.Errno
	masked   bool // SetTempMask was called
}

const (
	noDeadline = 0
	noWait     = -1
)

// deadlineMS turns a timeout in milliseconds, negative for none, into a deadline.
func deadlineMS(t *kernel.Task, ms int) int64 {
	if ms < 0 {
		return noDeadline
	}
	return deadlineNS(t, int64(ms)*1e6, true)
}

func deadlineNS(t *kernel.Task, ns int64, set bool) int64 {
	switch {
	case !set:
		return noDeadline
	case ns == 0:
		return noWait
	}
	return after(t.Kernel().Clock.Monotonic(), ns)
}

// setMask installs the signal mask at addr, if there is one, for the call.
func (w *waiting) setMask(t *kernel.Task, addr, size uint64) error {
	if addr == 0 {
		return nil
	}
	m, err := getSigset(t, addr, size)
	if err != nil {
		return err
	}
	t.SetTempMask(m)
	w.masked = true
	return nil
}

// waitable is what is waited for.
type waitable struct {
	check   func() (uint64, error) // the result, 0 while there is none
	sources func() []kernel.Source // what to sleep on
	timeout func() error           // stores the empty result
	end     func(interrupted bool) // runs when all is over
}

// wait performs the call.
func (w *waiting) wait(t *kernel.Task, x waitable) (uint64, error) {
	done := func(interrupted bool) {
		if w.masked && !interrupted {
			t.RestoreMask()
		}
		x.end(interrupted)
	}
	timeout := func() (uint64, error) {
		if x.timeout == nil {
			return 0, nil
		}
		return 0, x.timeout()
	}
	n, err := x.check()
	if n != 0 || err != nil {
		done(false)
		return n, err
	}
	if w.deadline == noWait {
		if w.restart != abi.EINTR && t.SignalPending() { // epoll does not look
			done(true)
			return 0, w.restart
		}
		n, err := timeout()
		done(false)
		return n, err
	}
	return t.Sleep(kernel.Sleep{
		Try: func() (uint64, error) {
			n, err := x.check()
			if n == 0 && err == nil {
				return 0, kernel.Again
			}
			return n, err
		},
		On:       x.sources(),
		Deadline: w.deadline,
		Timeout:  timeout,
		Restart:  w.restart,
		Cleanup:  done,
	})
}

// polled is one file of a poll or select.
type polled struct {
	file *fs.File
	want wait.Mask
	slot int // which pollfd, or which descriptor
}

// releaseAll drops the references of a poll.
func releaseAll(p []polled) {
	for _, x := range p {
		x.file.DecRef()
	}
}

func pollSources(t *kernel.Task, p []polled) []kernel.Source {
	var s []kernel.Source
	for _, x := range p {
		if q := queueOf(t, x.file); q != nil {
			s = append(s, kernel.Source{Queue: q, Mask: wakeMask(x.want)})
		}
	}
	return s
}

// wakeMask widens wanted events: files do not always announce all the names of
// one event.
func wakeMask(want wait.Mask) wait.Mask {
	const in, out = abi.POLLIN | abi.POLLRDNORM | abi.POLLRDHUP, abi.POLLOUT | abi.POLLWRNORM | abi.POLLWRBAND
	if want&(in|abi.POLLRDBAND) != 0 {
		want |= in
	}
	if want&out != 0 {
		want |= out
	}
	return want | abi.POLLERR | abi.POLLHUP
}

// pollFDs is the array of a poll(2).
type pollFDs struct {
	t     *kernel.Task
	addr  uint64
	buf   []byte // struct pollfd of 8 bytes each
	files []polled
	bad   uint64 // descriptors that are not open
}

func userPollFDs(t *kernel.Task, addr, n uint64) (*pollFDs, error) {
	if n > t.Rlimit(abi.RLIMIT_NOFILE).Cur {
		return nil, abi.EINVAL
	}
	p := &pollFDs{t: t, addr: addr, buf: make([]byte, 8*n)}
	if err := t.CopyIn(addr, p.buf); err != nil {
		return nil, err
	}
	for i := 0; i < len(p.buf); i += 8 {
		le.PutUint16(p.buf[i+6:], 0)
		fd := int(int32(le.Uint32(p.buf[i:])))
		if fd < 0 {
			continue
		}
		f, err := t.Files.Get(fd)
		if err != nil {
			le.PutUint16(p.buf[i+6:], abi.POLLNVAL)
			p.bad++
			continue
		}
		if f.IsPath() {
			f.DecRef()
			le.PutUint16(p.buf[i+6:], abi.POLLNVAL)
			p.bad++
			continue
		}
		want := wait.Mask(le.Uint16(p.buf[i+4:])) | abi.POLLERR | abi.POLLHUP
		p.files = append(p.files, polled{f, want, i})
	}
	return p, nil
}

// check stores the events of now in the array and counts the ready ones.
func (p *pollFDs) check() uint64 {
	n := p.bad
	for _, x := range p.files {
		got := pollFile(p.t, x.file) & x.want
		le.PutUint16(p.buf[x.slot+6:], uint16(got))
		if got != 0 {
			n++
		}
	}
	return n
}

func (p *pollFDs) store() error { return p.t.CopyOut(p.addr, p.buf) }

// run polls until something is ready.
func (p *pollFDs) run(w waiting, end func(interrupted bool)) (uint64, error) {
	return w.wait(p.t, waitable{
		check: func() (uint64, error) {
			n := p.check()
			if n == 0 {
				return 0, nil
			}
			return n, p.store()
		},
		sources: func() []kernel.Source { return pollSources(p.t, p.files) },
		timeout: p.store,
		end: func(interrupted bool) {
			releaseAll(p.files)
			end(interrupted)
		},
	})
}

func poll(t *kernel.Task, a Args) (uint64, error) {
	return pollUntil(t, a[0], uint64(a.Uint(1)), deadlineMS(t, a.Int(2)))
}

// pollUntil can go on after a stop with the same deadline (restart_syscall).
func pollUntil(t *kernel.Task, addr, n uint64, deadline int64) (uint64, error) {
	p, err := userPollFDs(t, addr, n)
	if err != nil {
		return 0, err
	}
	w := waiting{deadline: deadline, restart: abi.ERESTART_RESTARTBLOCK}
	return p.run(w, func(interrupted bool) {
		if interrupted {
			t.RestartBlock = func() (uint64, error) { return pollUntil(t, addr, n, deadline) }
		}
	})
}

func ppoll(t *kernel.Task, a Args) (uint64, error) {
	ns, set, err := userTimeout(t, a[2])
	if err != nil {
		return 0, err
	}
	w := waiting{deadline: deadlineNS(t, ns, set), restart: abi.ERESTARTNOHAND}
	p, err := userPollFDs(t, a[0], uint64(a.Uint(1)))
	if err != nil {
		return 0, err
	}
	if err := w.setMask(t, a[3], a[4]); err != nil {
		releaseAll(p.files)
		return 0, err
	}
	return p.run(w, func(bool) { leaveTime(t, a[2], w.deadline, timespecUnit) })
}

// Divisors that make the second word of what remains.
const (
	timespecUnit = 1
	timevalUnit  = 1000
)

// leaveTime stores what remains of a timeout (poll_select_finish). A guest that
// keeps it in read-only memory gets it no more than on Linux.
func leaveTime(t *kernel.Task, addr uint64, deadline, unit int64) {
	if addr == 0 || deadline == noDeadline {
		return
	}
	left := int64(0)
	if deadline > 0 {
		left = max(deadline-t.Kernel().Clock.Monotonic(), 0)
	}
	_ = putWords(t, addr, uint64(left/nsPerSec), uint64(left%nsPerSec/unit))
}
