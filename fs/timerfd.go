// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

// TimerClock is a clock that can call back.
type TimerClock interface {
	// Nano gives the clock's time in nanoseconds.
	Nano() int64
	// AfterFunc calls f once when the clock reaches at; stop cancels. f runs
	// with no locks held and must not block.
	AfterFunc(at int64, f func()) (stop func())
}

// Itimerspec is struct itimerspec.
type Itimerspec struct {
	Interval, Value abi.Timespec
}

// timerfd is fs/timerfd.c.
type timerfd struct {
	queue wait.Queue
	clock TimerClock

	mu       sync.Mutex // guards what follows
	next     int64      // expiry on clock; 0: disarmed
	interval int64      // nanoseconds
	ticks    uint64     // expirations not yet read
	gen      uint64     // counts settings, so that a late callback is ignored
	stop     func()
}

// NewTimerFD is timerfd_create(2) on clock.
func NewTimerFD(ctx *Context, clock TimerClock, flags int) (*File, error) {
	if flags&^(abi.TFD_CLOEXEC|abi.TFD_NONBLOCK) != 0 {
		return nil, abi.EINVAL
	}
	t := &timerfd{clock: clock}
	return ctx.VFS().NewAnonFile(ctx, "anon_inode:[timerfd]", 0o600, nil, t, flags&abi.TFD_NONBLOCK|abi.O_RDWR), nil
}

// TimerFDSettime is timerfd_settime(2); EINVAL when f is no timerfd.
func TimerFDSettime(f *File, flags int, new Itimerspec) (old Itimerspec, err error) {
	t, ok := f.ops.(*timerfd)
	if !ok || flags&^(abi.TFD_TIMER_ABSTIME|abi.TFD_TIMER_CANCEL_ON_SET) != 0 || !validSpec(new.Value) || !validSpec(new.Interval) {
		return old, abi.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old = t.left()
	t.disarm()
	t.ticks = 0
	t.interval = saturate(new.Interval)
	if v := saturate(new.Value); v != 0 {
		if flags&abi.TFD_TIMER_ABSTIME == 0 {
			v = addSat(t.clock.Nano(), v)
		}
		t.arm(v)
	}
	return old, nil
}

// TimerFDGettime is timerfd_gettime(2).
func TimerFDGettime(f *File) (Itimerspec, error) {
	t, ok := f.ops.(*timerfd)
	if !ok {
		return Itimerspec{}, abi.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.left(), nil
}

func validSpec(t abi.Timespec) bool { return t.Sec >= 0 && t.Nsec >= 0 && t.Nsec < 1e9 }

const maxNano int64 = 1<<63 - 1

// saturate gives nanoseconds, at most maxNano (KTIME_MAX).
func saturate(t abi.Timespec) int64 {
	if t.Sec >= maxNano/1e9 {
		return maxNano
	}
	return t.Nano()
}

func addSat(a, b int64) int64 {
	if a > maxNano-b {
		return maxNano
	}
	return a + b
}

// arm starts the timer for expiry at; mu is held.
func (t *timerfd) arm(at int64) {
	t.next = max(at, 1)
	gen := t.gen
	t.stop = t.clock.AfterFunc(t.next, func() { t.expire(gen) })
}

func (t *timerfd) disarm() {
	t.gen++
	t.next = 0
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
}

func (t *timerfd) expire(gen uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if gen != t.gen || t.next == 0 {
		return
	}
	t.ticks++
	if t.interval == 0 {
		t.next = 0
	}
	// An interval timer is not started again before the ticks are read: an idle
	// reader then costs nothing. catchUp counts what passed meanwhile.
	t.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
}

// catchUp counts the periods that passed since the last expiry and starts the
// timer again; mu is held.
func (t *timerfd) catchUp() {
	if t.next == 0 || t.interval == 0 {
		return
	}
	late := t.clock.Nano() - t.next
	if late < 0 {
		return
	}
	n := late / t.interval
	t.ticks += uint64(n)
	t.gen++
	t.arm(t.next + (n+1)*t.interval)
}

// left gives the time to the next expiry; mu is held.
func (t *timerfd) left() Itimerspec {
	s := Itimerspec{Interval: abi.NanoTimespec(t.interval)}
	if t.next == 0 {
		return s
	}
	d := t.next - t.clock.Nano()
	if d <= 0 && t.interval > 0 {
		d = t.interval - (-d)%t.interval
	}
	s.Value = abi.NanoTimespec(max(d, 1))
	return s
}

// Read gives the number of expirations.
func (t *timerfd) Read(_ *Context, p []byte) (int, error) {
	if len(p) < 8 {
		return 0, abi.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ticks == 0 {
		return 0, abi.EAGAIN
	}
	t.catchUp()
	binary.NativeEndian.PutUint64(p, t.ticks)
	t.ticks = 0
	return 8, nil
}

// Poll gives the ready events.
func (t *timerfd) Poll() wait.Mask {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ticks > 0 {
		return abi.POLLIN
	}
	return 0
}

// WaitQueue announces changes of Poll.
func (t *timerfd) WaitQueue() *wait.Queue { return &t.queue }

// Release stops the timer.
func (t *timerfd) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.disarm()
}

// Seek does nothing (noop_llseek).
func (t *timerfd) Seek(_ *Context, pos, _ int64, _ int) (int64, error) { return pos, nil }
