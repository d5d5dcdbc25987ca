// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// Clock numbers, include/uapi/linux/time.h.
const (
	clockRealtime        = 0
	clockMonotonic       = 1
	clockProcessCPU      = 2
	clockThreadCPU       = 3
	clockMonotonicRaw    = 4
	clockRealtimeCoarse  = 5
	clockMonotonicCoarse = 6
	clockBoottime        = 7
	clockRealtimeAlarm   = 8
	clockBoottimeAlarm   = 9
	clockTAI             = 11
	timerAbstime         = 1
	nsPerSec             = 1000000000
	maxSeconds           = 1<<63/nsPerSec - 1
)

// duration turns the words of a timespec into nanoseconds, saturating; EINVAL.
func duration(w []uint64) (int64, error) {
	s, n := int64(w[0]), int64(w[1])
	if s < 0 || n < 0 || n >= nsPerSec {
		return 0, abi.EINVAL
	}
	if s > maxSeconds {
		return 1<<63 - 1, nil
	}
	return s*nsPerSec + n, nil
}

// after adds a duration to a time without wrapping.
func after(now, d int64) int64 {
	if d > 1<<63-1-now {
		return 1<<63 - 1
	}
	return now + d
}

func nanosleep(t *kernel.Task, a Args) (uint64, error) {
	return sleepFor(t, clockMonotonic, 0, a[0], a[1])
}

func clockNanosleep(t *kernel.Task, a Args) (uint64, error) {
	switch a.Int(0) {
	case clockRealtime, clockMonotonic, clockBoottime, clockTAI, clockRealtimeAlarm, clockBoottimeAlarm, clockProcessCPU:
	case clockThreadCPU:
		return 0, abi.EINVAL
	default:
		return 0, abi.EOPNOTSUPP
	}
	return sleepFor(t, a.Int(0), a.Int(1), a[2], a[3])
}

// sleepFor is nanosleep on a clock: rem is where an interrupted relative sleep
// leaves what remains.
func sleepFor(t *kernel.Task, clock, flags int, req, rem uint64) (uint64, error) {
	w, err := getWords(t, req, 2)
	if err != nil {
		return 0, err
	}
	ns, err := duration(w)
	if err != nil {
		return 0, err
	}
	c := t.Kernel().Clock
	if clock == clockProcessCPU {
		return sleepCPU(t, flags, ns)
	}
	deadline := after(c.Monotonic(), ns)
	if flags&timerAbstime != 0 {
		deadline = ns
		if clock == clockRealtime || clock == clockTAI || clock == clockRealtimeAlarm {
			deadline = after(c.Monotonic(), ns-c.Realtime())
		}
		return sleepUntil(t, max(deadline, 1), abi.ERESTARTNOHAND, nil)
	}
	return sleepRelative(t, deadline, rem)
}

// sleepRelative sleeps to a deadline; after an interruption without handler it
// goes on through restart_syscall, so that time is not lost.
func sleepRelative(t *kernel.Task, deadline int64, rem uint64) (uint64, error) {
	return sleepUntil(t, deadline, abi.ERESTART_RESTARTBLOCK, func() {
		left := max(deadline-t.Kernel().Clock.Monotonic(), 0)
		if rem != 0 {
			_ = putWords(t, rem, uint64(left/nsPerSec), uint64(left%nsPerSec))
		}
		t.RestartBlock = func() (uint64, error) { return sleepRelative(t, deadline, rem) }
	})
}

func sleepUntil(t *kernel.Task, deadline int64, restart abi.Errno, interrupted func()) (uint64, error) {
	c := t.Kernel().Clock
	return t.Sleep(kernel.Sleep{
		Deadline: deadline,
		Restart:  restart,
		Timeout:  func() (uint64, error) { return 0, nil },
		Try: func() (uint64, error) {
			if c.Monotonic() >= deadline {
				return 0, nil
			}
			return 0, kernel.Again
		},
		Cleanup: func(intr bool) {
			if intr && interrupted != nil {
				interrupted()
			}
		},
	})
}

// sleepCPU sleeps until the process has used some CPU time; other threads must
// use it.
func sleepCPU(t *kernel.Task, flags int, ns int64) (uint64, error) {
	used := func() int64 { u, s, _, _ := t.Group().Usage(); return u + s }
	target := ns
	if flags&timerAbstime == 0 {
		target = after(used(), ns)
	}
	left := target - used()
	if left <= 0 {
		return 0, nil
	}
	return sleepUntil(t, after(t.Kernel().Clock.Monotonic(), left), abi.ERESTARTNOHAND, nil)
}

// readClock reads a clock in nanoseconds; EINVAL for an unknown one.
func readClock(t *kernel.Task, id int) (int64, error) {
	c := t.Kernel().Clock
	switch id {
	case clockRealtime, clockRealtimeCoarse, clockRealtimeAlarm, clockTAI:
		return c.Realtime(), nil
	case clockMonotonic, clockMonotonicRaw, clockMonotonicCoarse, clockBoottime, clockBoottimeAlarm:
		return c.Monotonic(), nil
	case clockProcessCPU:
		u, s, _, _ := t.Group().Usage()
		return u + s, nil
	case clockThreadCPU:
		u, s := t.ThreadUsage()
		return u + s, nil
	}
	if id < 0 {
		return readCPUClock(t, id)
	}
	return 0, abi.EINVAL
}

// readCPUClock reads a clock made by clock_getcpuclockid or
// pthread_getcpuclockid: ~id<<3, 4 for a thread, the low bits the kind.
func readCPUClock(t *kernel.Task, id int) (int64, error) {
	pid, kind := int32(^(id >> 3)), id&3
	if kind == 3 {
		return 0, abi.EINVAL
	}
	var u, s int64
	if id&4 != 0 {
		o, err := taskOrSelf(t, pid)
		if err != nil || o.Group() != t.Group() {
			return 0, abi.EINVAL
		}
		u, s = o.ThreadUsage()
	} else {
		g, err := groupOrSelf(t, pid)
		if err != nil {
			return 0, abi.EINVAL
		}
		u, s, _, _ = g.Usage()
	}
	if kind == 1 {
		return u, nil
	}
	return u + s, nil
}

func clockGettime(t *kernel.Task, a Args) (uint64, error) {
	ns, err := readClock(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	return 0, putWords(t, a[1], uint64(ns/nsPerSec), uint64(ns%nsPerSec))
}

func clockGetres(t *kernel.Task, a Args) (uint64, error) {
	if _, err := readClock(t, a.Int(0)); err != nil {
		return 0, err
	}
	res := uint64(1)
	if id := a.Int(0); id == clockRealtimeCoarse || id == clockMonotonicCoarse {
		res = 4000000
	}
	if a[1] == 0 {
		return 0, nil
	}
	return 0, putWords(t, a[1], 0, res)
}

func clockSettime(t *kernel.Task, a Args) (uint64, error) { return 0, abi.EPERM }

func gettimeofday(t *kernel.Task, a Args) (uint64, error) {
	ns := t.Kernel().Clock.Realtime()
	if a[0] != 0 {
		if err := putWords(t, a[0], uint64(ns/nsPerSec), uint64(ns%nsPerSec/1000)); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		return 0, putWords(t, a[1], 0)
	}
	return 0, nil
}

func timeCall(t *kernel.Task, a Args) (uint64, error) {
	s := uint64(t.Kernel().Clock.Realtime() / nsPerSec)
	if a[0] != 0 {
		if err := putWords(t, a[0], s); err != nil {
			return 0, err
		}
	}
	return s, nil
}
