// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func eventfd(t *kernel.Task, a Args) (uint64, error) { return newEventFD(t, a.Uint(0), 0) }

func eventfd2(t *kernel.Task, a Args) (uint64, error) { return newEventFD(t, a.Uint(0), a.Int(1)) }

func newEventFD(t *kernel.Task, count uint32, flags int) (uint64, error) {
	f, err := fs.NewEventFD(t.Context(), count, flags)
	if err != nil {
		return 0, err
	}
	return install(t, f, flags&abi.EFD_CLOEXEC != 0)
}

// timerClock is a clock of the guest for timerfds.
type timerClock struct {
	k        *kernel.Kernel
	realtime bool
}

// Nano gives the clock's time.
func (c timerClock) Nano() int64 {
	if c.realtime {
		return c.k.Clock.Realtime()
	}
	return c.k.Clock.Monotonic()
}

// AfterFunc calls f at a moment of the clock.
func (c timerClock) AfterFunc(at int64, f func()) (stop func()) {
	tm := c.k.Clock.After(at-c.Nano(), func() { c.k.Do(f) })
	return func() { tm.Stop() }
}

func timerfdCreate(t *kernel.Task, a Args) (uint64, error) {
	c := timerClock{k: t.Kernel()}
	switch a.Int(0) {
	case clockMonotonic, clockBoottime:
	case clockRealtime:
		c.realtime = true
	case clockRealtimeAlarm, clockBoottimeAlarm:
		if !t.Creds().Capable(abi.CAP_WAKE_ALARM) {
			return 0, abi.EPERM
		}
		c.realtime = a.Int(0) == clockRealtimeAlarm
	default:
		return 0, abi.EINVAL
	}
	f, err := fs.NewTimerFD(t.Context(), c, a.Int(1))
	if err != nil {
		return 0, err
	}
	return install(t, f, a.Int(1)&abi.TFD_CLOEXEC != 0)
}

func timerfdSettime(t *kernel.Task, a Args) (uint64, error) {
	var b [32]byte
	if err := t.CopyIn(a[2], b[:]); err != nil {
		return 0, err
	}
	spec := fs.Itimerspec{Interval: decodeTimespec(b[:]), Value: decodeTimespec(b[16:])}
	return withFile(t, a.Int(0), func(f *fs.File) error {
		old, err := fs.TimerFDSettime(f, a.Int(1), spec)
		if err != nil || a[3] == 0 {
			return err
		}
		return putItimerspec(t, a[3], old)
	})
}

func timerfdGettime(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		s, err := fs.TimerFDGettime(f)
		if err != nil {
			return err
		}
		return putItimerspec(t, a[1], s)
	})
}

func putItimerspec(t *kernel.Task, addr uint64, s fs.Itimerspec) error {
	return putWords(t, addr, uint64(s.Interval.Sec), uint64(s.Interval.Nsec), uint64(s.Value.Sec), uint64(s.Value.Nsec))
}
