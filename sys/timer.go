// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func alarm(t *kernel.Task, a Args) (uint64, error) {
	left, _ := t.Group().SetItimer(abi.ITIMER_REAL, int64(a.Uint(0))*nsPerSec, 0)
	s := (left + nsPerSec/2) / nsPerSec // rounded, but a pending alarm is never 0
	if left > 0 && s == 0 {
		s = 1
	}
	return uint64(s), nil
}

func timevals(left, interval int64) []uint64 {
	return []uint64{uint64(interval / nsPerSec), uint64(interval % nsPerSec / 1000), uint64(left / nsPerSec), uint64(left % nsPerSec / 1000)}
}

func getitimer(t *kernel.Task, a Args) (uint64, error) {
	if a[0] > abi.ITIMER_PROF {
		return 0, abi.EINVAL
	}
	left, interval := t.Group().GetItimer(int(a[0]))
	return 0, putWords(t, a[1], timevals(left, interval)...)
}

func setitimer(t *kernel.Task, a Args) (uint64, error) {
	var value, interval int64
	if a[1] != 0 {
		w, err := getWords(t, a[1], 4)
		if err != nil {
			return 0, err
		}
		if interval, err = microseconds(w[0:]); err != nil {
			return 0, err
		}
		if value, err = microseconds(w[2:]); err != nil {
			return 0, err
		}
	}
	if a[0] > abi.ITIMER_PROF {
		return 0, abi.EINVAL
	}
	left, old := t.Group().SetItimer(int(a[0]), value, interval)
	if a[2] != 0 {
		return 0, putWords(t, a[2], timevals(left, old)...)
	}
	return 0, nil
}

// microseconds turns a struct timeval into nanoseconds.
func microseconds(w []uint64) (int64, error) {
	s, us := int64(w[0]), int64(w[1])
	if s < 0 || us < 0 || us >= 1000000 {
		return 0, abi.EINVAL
	}
	return duration([]uint64{uint64(s), uint64(us * 1000)})
}

func timerCreate(t *kernel.Task, a Args) (uint64, error) {
	const (
		sigevSignal, sigevNone, sigevThread, sigevThreadID = 0, 1, 2, 4
	)
	switch a.Int(0) {
	case clockRealtime, clockMonotonic, clockProcessCPU, clockThreadCPU, clockBoottime, clockTAI, clockRealtimeAlarm, clockBoottimeAlarm:
	default:
		return 0, abi.EINVAL
	}
	pt := &kernel.PosixTimer{Clock: int32(a[0]), Signo: abi.SIGALRM}
	valueSet := false
	if a[1] != 0 {
		var b [64]byte // struct sigevent: value, signo, notify, tid
		if err := t.CopyIn(a[1], b[:]); err != nil {
			return 0, err
		}
		sig, notify, tid := int(int32(le.Uint32(b[8:]))), le.Uint32(b[12:]), int32(le.Uint32(b[16:]))
		pt.Value, valueSet = le.Uint64(b[:]), true
		if notify&^(sigevThreadID|sigevNone|sigevThread) != 0 {
			return 0, abi.EINVAL
		}
		if notify == sigevNone {
			pt.Signo = 0
		} else if pt.Signo = sig; sig < 1 || sig > abi.NSIG {
			return 0, abi.EINVAL
		}
		if notify&sigevThreadID != 0 {
			o, err := t.Kernel().Task(tid)
			if err != nil || o.Group() != t.Group() {
				return 0, abi.EINVAL
			}
			pt.Target = o
		}
	}
	id := t.Group().NewTimer(pt)
	if !valueSet {
		pt.Value = uint64(id)
	}
	if err := putUint32(t, a[2], uint32(id)); err != nil {
		_ = t.Group().DeleteTimer(id)
		return 0, err
	}
	return 0, nil
}

func timespecs(left, interval int64) []uint64 {
	return []uint64{uint64(interval / nsPerSec), uint64(interval % nsPerSec), uint64(left / nsPerSec), uint64(left % nsPerSec)}
}

func timerSettime(t *kernel.Task, a Args) (uint64, error) {
	if a[2] == 0 {
		return 0, abi.EINVAL
	}
	w, err := getWords(t, a[2], 4)
	if err != nil {
		return 0, err
	}
	interval, err := duration(w[0:])
	if err != nil {
		return 0, err
	}
	value, err := duration(w[2:])
	if err != nil {
		return 0, err
	}
	left, old, err := t.Group().SetTimer(int32(a[0]), a.Int(1)&timerAbstime != 0, value, interval)
	if err != nil {
		return 0, err
	}
	if a[3] != 0 {
		return 0, putWords(t, a[3], timespecs(left, old)...)
	}
	return 0, nil
}

func timerGettime(t *kernel.Task, a Args) (uint64, error) {
	left, interval, _, err := t.Group().GetTimer(int32(a[0]))
	if err != nil {
		return 0, err
	}
	return 0, putWords(t, a[1], timespecs(left, interval)...)
}

func timerGetoverrun(t *kernel.Task, a Args) (uint64, error) {
	_, _, n, err := t.Group().GetTimer(int32(a[0]))
	return uint64(n), err
}

func timerDelete(t *kernel.Task, a Args) (uint64, error) {
	return 0, t.Group().DeleteTimer(int32(a[0]))
}
