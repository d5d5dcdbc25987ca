// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// Scheduling is the host's. Priorities are kept for those who ask; affinity is
// passed on.

// Policies of sched_setscheduler(2).
const (
	schedOther, schedFIFO, schedRR, schedBatch, schedIdle = 0, 1, 2, 3, 5

	schedResetOnFork = 0x40000000
)

func taskOrSelf(t *kernel.Task, tid int32) (*kernel.Task, error) {
	if tid == 0 || tid == t.TID() {
		return t, nil
	}
	if tid < 0 {
		return nil, abi.EINVAL
	}
	return t.Kernel().Task(tid)
}

func schedGetaffinity(t *kernel.Task, a Args) (uint64, error) {
	o, err := taskOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	mask, err := o.Affinity()
	if err != nil {
		return 0, err
	}
	if a[1]&7 != 0 || int(a[1]) < len(mask) {
		return 0, abi.EINVAL
	}
	return uint64(len(mask)), t.CopyOut(a[2], mask)
}

func schedSetaffinity(t *kernel.Task, a Args) (uint64, error) {
	o, err := taskOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	mask := make([]byte, min(a[1], 1024))
	if err := t.CopyIn(a[2], mask); err != nil {
		return 0, err
	}
	if err := t.MaySignal(o.Group(), 0); err != nil {
		return 0, err
	}
	return 0, o.SetAffinity(mask)
}

func priorityRange(policy int) (lo, hi uint64, err error) {
	switch policy {
	case schedFIFO, schedRR:
		return 1, 99, nil
	case schedOther, schedBatch, schedIdle, 6:
		return 0, 0, nil
	}
	return 0, 0, abi.EINVAL
}

func schedPriorityMax(t *kernel.Task, a Args) (uint64, error) {
	_, hi, err := priorityRange(a.Int(0))
	return hi, err
}

func schedPriorityMin(t *kernel.Task, a Args) (uint64, error) {
	lo, _, err := priorityRange(a.Int(0))
	return lo, err
}

func schedGetscheduler(t *kernel.Task, a Args) (uint64, error) {
	o, err := taskOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	return uint64(o.SchedPolicy), nil
}

func schedGetparam(t *kernel.Task, a Args) (uint64, error) {
	if a[1] == 0 {
		return 0, abi.EINVAL
	}
	if _, err := taskOrSelf(t, int32(a[0])); err != nil {
		return 0, err
	}
	return 0, putUint32(t, a[1], 0)
}

func schedSetparam(t *kernel.Task, a Args) (uint64, error) {
	o, err := taskOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	return setScheduler(t, o, o.SchedPolicy, a[1])
}

func schedSetscheduler(t *kernel.Task, a Args) (uint64, error) {
	o, err := taskOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	if a.Int(1) < 0 {
		return 0, abi.EINVAL
	}
	return setScheduler(t, o, a.Int(1)&^schedResetOnFork, a[2])
}

func setScheduler(t, o *kernel.Task, policy int, param uint64) (uint64, error) {
	if param == 0 {
		return 0, abi.EINVAL
	}
	var b [4]byte
	if err := t.CopyIn(param, b[:]); err != nil {
		return 0, err
	}
	lo, hi, err := priorityRange(policy)
	if err != nil {
		return 0, err
	}
	if p := uint64(int32(le.Uint32(b[:]))); p < lo || p > hi {
		return 0, abi.EINVAL
	}
	if policy == schedFIFO || policy == schedRR {
		// Real-time scheduling of a guest would be real-time on the host.
		return 0, abi.EPERM
	}
	o.SchedPolicy = policy
	return 0, nil
}

// prioTargets returns the processes that getpriority and setpriority mean.
func prioTargets(t *kernel.Task, which int, who int32) ([]*kernel.ThreadGroup, error) {
	const process, pgrp, user = 0, 1, 2
	switch which {
	case process:
		g, err := groupOrSelf(t, who)
		if err != nil {
			if o, e := t.Kernel().Task(who); e == nil {
				return []*kernel.ThreadGroup{o.Group()}, nil
			}
			return nil, abi.ESRCH
		}
		return []*kernel.ThreadGroup{g}, nil
	case pgrp, user:
		var out []*kernel.ThreadGroup
		if who == 0 && which == pgrp {
			who, _ = t.Group().IDs()
		}
		if who == 0 && which == user {
			who = int32(t.Creds().UID)
		}
		for _, g := range t.Kernel().Groups() {
			pgid, _ := g.IDs()
			if (which == pgrp && pgid == who) || (which == user && g.Leader().Creds().UID == uint32(who)) {
				out = append(out, g)
			}
		}
		if len(out) == 0 {
			return nil, abi.ESRCH
		}
		return out, nil
	}
	return nil, abi.EINVAL
}

func getpriority(t *kernel.Task, a Args) (uint64, error) {
	gs, err := prioTargets(t, a.Int(0), int32(a[1]))
	if err != nil {
		return 0, err
	}
	best := 20
	for _, g := range gs {
		best = min(best, g.Nice())
	}
	return uint64(20 - best), nil // the raw call returns 40..1
}

func setpriority(t *kernel.Task, a Args) (uint64, error) {
	gs, err := prioTargets(t, a.Int(0), int32(a[1]))
	if err != nil {
		return 0, err
	}
	nice := max(-20, min(19, a.Int(2)))
	for _, g := range gs {
		c, o := t.Creds(), g.Leader().Creds()
		if c.EUID != o.EUID && c.EUID != o.UID && !c.Capable(abi.CAP_SYS_NICE) {
			return 0, abi.EPERM
		}
		if nice < g.Nice() && !c.Capable(abi.CAP_SYS_NICE) {
			return 0, abi.EACCES
		}
		g.SetNice(nice)
	}
	return 0, nil
}

func getcpu(t *kernel.Task, a Args) (uint64, error) {
	cpu := uint32(t.CPU())
	if a[0] != 0 {
		if err := putUint32(t, a[0], cpu); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		return 0, putUint32(t, a[1], 0)
	}
	return 0, nil
}
