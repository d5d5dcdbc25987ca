// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func wait4(t *kernel.Task, a Args) (uint64, error) {
	const known = abi.WNOHANG | abi.WUNTRACED | abi.WCONTINUED | abi.WNOTHREAD | abi.WCLONE | abi.WALL
	pid, opts := int32(a[0]), int(uint32(a[2]))
	if opts&^known != 0 {
		return 0, abi.EINVAL
	}
	f := kernel.WaitFilter{Type: abi.P_ALL, Options: opts | abi.WEXITED}
	switch {
	case pid == -1<<31:
		return 0, abi.ESRCH
	case pid < -1:
		f.Type, f.ID = abi.P_PGID, -pid
	case pid == 0:
		f.Type = abi.P_PGID
		f.ID, _ = t.Group().IDs()
	case pid > 0:
		f.Type, f.ID = abi.P_PID, pid
	}
	return waitFor(t, f, func(r *kernel.WaitResult) (uint64, error) {
		if r == nil {
			return 0, nil
		}
		if a[1] != 0 {
			if err := putUint32(t, a[1], uint32(r.Status)); err != nil {
				return 0, err
			}
		}
		if a[3] != 0 {
			if err := putRusage(t, a[3], r.UTime, r.STime, r.MaxRSS); err != nil {
				return 0, err
			}
		}
		return uint64(r.PID), nil
	})
}

// waitFor sleeps until a child has news; done encodes the result, nil for none
// with WNOHANG.
func waitFor(t *kernel.Task, f kernel.WaitFilter, done func(*kernel.WaitResult) (uint64, error)) (uint64, error) {
	return t.Sleep(kernel.Sleep{
		On: []kernel.Source{t.ChildSource()},
		Try: func() (uint64, error) {
			r, err := t.Wait(f)
			if err == kernel.Again && f.Options&abi.WNOHANG != 0 {
				return done(nil)
			}
			if err != nil {
				return 0, err
			}
			return done(r)
		},
	})
}

func waitid(t *kernel.Task, a Args) (uint64, error) {
	const known = abi.WNOHANG | abi.WNOWAIT | abi.WEXITED | abi.WSTOPPED | abi.WCONTINUED | abi.WNOTHREAD | abi.WCLONE | abi.WALL
	opts := int(uint32(a[3]))
	if opts&^known != 0 || opts&(abi.WEXITED|abi.WSTOPPED|abi.WCONTINUED) == 0 {
		return 0, abi.EINVAL
	}
	f := kernel.WaitFilter{Type: a.Int(0), ID: int32(a[1]), Options: opts}
	switch f.Type {
	case abi.P_ALL:
	case abi.P_PID:
		if f.ID <= 0 {
			return 0, abi.EINVAL
		}
	case abi.P_PGID:
		if f.ID < 0 {
			return 0, abi.EINVAL
		}
		if f.ID == 0 {
			f.ID, _ = t.Group().IDs()
		}
	default:
		return 0, abi.EINVAL
	}
	return waitFor(t, f, func(r *kernel.WaitResult) (uint64, error) {
		var info abi.Siginfo
		var ut, st, rss int64
		if r != nil {
			info = *abi.NewSiginfo(abi.SIGCHLD, r.Code).SetChild(r.PID, r.UID, r.CodeStatus, 0, 0)
			ut, st, rss = r.UTime, r.STime, r.MaxRSS
		}
		if a[4] != 0 && r != nil {
			if err := putRusage(t, a[4], ut, st, rss); err != nil {
				return 0, err
			}
		}
		if a[2] != 0 {
			// waitid stores these fields only (kernel/exit.c).
			if err := t.CopyOut(a[2], info[:32]); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
}

// putRusage stores a struct rusage; times in nanoseconds, maxrss in KiB.
func putRusage(t *kernel.Task, addr uint64, ut, st, maxrss int64) error {
	var w [18]uint64
	w[0], w[1] = uint64(ut/1e9), uint64(ut%1e9/1e3)
	w[2], w[3] = uint64(st/1e9), uint64(st%1e9/1e3)
	w[4] = uint64(maxrss)
	return putWords(t, addr, w[:]...)
}
