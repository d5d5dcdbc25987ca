// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host"
	"lodger/lib/ktime"
)

// itimer is an interval timer of setitimer(2). Guarded by Kernel.mu.
type itimer struct {
	deadline int64 // on its own clock, ns
	interval int64
	timer    *ktime.Timer
}

// PosixTimer is a timer of timer_create(2). Guarded by Kernel.mu.
type PosixTimer struct {
	ID       int32
	Clock    int32
	Signo    int // 0: SIGEV_NONE
	Value    uint64
	Target   *Task // SIGEV_THREAD_ID; nil: the process
	group    *ThreadGroup
	deadline int64
	interval int64
	overrun  int32 // of queued, while it is, or when it was delivered
	last     int32 // of the signal before it
	queued   *abi.Siginfo
	timer    *ktime.Timer
}

// timeOn reads the clock that a timer runs on, in nanoseconds: CPU clocks are
// those of the whole process.
func (g *ThreadGroup) timeOn(clock int32) int64 {
	const (
		realtime, processCPU, realtimeAlarm, tai = 0, 2, 8, 11
	)
	switch clock {
	case realtime, realtimeAlarm, tai:
		return g.k.Clock.Realtime()
	case processCPU, itimerProf:
		u, s := host.ProcessCPU(g.hostPID)
		return u + s
	case itimerVirtual:
		u, _ := host.ProcessCPU(g.hostPID)
		return u
	}
	return g.k.Clock.Monotonic()
}

// Clock numbers of our own for the CPU interval timers.
const (
	itimerVirtual = -1
	itimerProf    = -2
)

// cpuTimer reports whether a clock advances only while the process runs: its
// timer must look again when it comes early.
func cpuTimer(clock int32) bool { return clock == 2 || clock < 0 }

var itimerClock = [3]int32{1, itimerVirtual, itimerProf}
var itimerSignal = [3]int{abi.SIGALRM, abi.SIGVTALRM, abi.SIGPROF}

// GetItimer returns what is left and the interval, in nanoseconds.
func (g *ThreadGroup) GetItimer(which int) (left, interval int64) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	return g.itimerLeft(which)
}

func (g *ThreadGroup) itimerLeft(which int) (left, interval int64) {
	it := g.itimers[which]
	if it == nil {
		return 0, 0
	}
	return max(it.deadline-g.timeOn(itimerClock[which]), 1000), it.interval
}

// SetItimer arms or (value 0) disarms; it returns the old setting.
func (g *ThreadGroup) SetItimer(which int, value, interval int64) (oldLeft, oldInterval int64) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	oldLeft, oldInterval = g.itimerLeft(which)
	if it := g.itimers[which]; it != nil {
		it.timer.Stop()
		g.itimers[which] = nil
	}
	if value > 0 && !g.exiting {
		it := &itimer{deadline: g.timeOn(itimerClock[which]) + value, interval: interval}
		g.itimers[which] = it
		g.armItimer(which, it)
	}
	return oldLeft, oldInterval
}

func (g *ThreadGroup) armItimer(which int, it *itimer) {
	it.timer = g.k.Clock.After(it.deadline-g.timeOn(itimerClock[which]), func() {
		g.k.Do(func() { g.itimerFires(which, it) })
	})
}

func (g *ThreadGroup) itimerFires(which int, it *itimer) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	if g.itimers[which] != it || g.exiting {
		return
	}
	now := g.timeOn(itimerClock[which])
	if now < it.deadline {
		g.armItimer(which, it)
		return
	}
	if it.interval > 0 {
		it.deadline += it.interval * ((now-it.deadline)/it.interval + 1)
		g.armItimer(which, it)
	} else {
		g.itimers[which] = nil
	}
	g.k.send(g, nil, abi.NewSiginfo(itimerSignal[which], abi.SI_KERNEL))
}

// NewTimer makes a POSIX timer and returns its id.
func (g *ThreadGroup) NewTimer(pt *PosixTimer) int32 {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	if g.timers == nil {
		g.timers = map[int32]*PosixTimer{}
	}
	for g.timers[g.nextTimer] != nil {
		g.nextTimer++
	}
	pt.ID, pt.group = g.nextTimer, g
	g.nextTimer++
	g.timers[pt.ID] = pt
	return pt.ID
}

// SetTimer arms a timer: value is relative unless abs; 0 disarms. EINVAL.
func (g *ThreadGroup) SetTimer(id int32, abs bool, value, interval int64) (oldLeft, oldInterval int64, err error) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	pt := g.timers[id]
	if pt == nil {
		return 0, 0, abi.EINVAL
	}
	oldLeft, oldInterval = g.timerLeft(pt)
	if pt.timer != nil {
		pt.timer.Stop()
		pt.timer = nil
	}
	pt.interval, pt.overrun, pt.last = interval, 0, 0
	if value == 0 {
		return oldLeft, oldInterval, nil
	}
	pt.deadline = value
	if !abs {
		pt.deadline += g.timeOn(pt.Clock)
	}
	g.armTimer(pt)
	return oldLeft, oldInterval, nil
}

// GetTimer returns what is left, the interval and the overrun count. EINVAL.
func (g *ThreadGroup) GetTimer(id int32) (left, interval int64, overrun int32, err error) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	pt := g.timers[id]
	if pt == nil {
		return 0, 0, 0, abi.EINVAL
	}
	left, interval = g.timerLeft(pt)
	if pt.pending() {
		return left, interval, pt.last, nil // timer_getoverrun(2): as of the delivery
	}
	return left, interval, pt.overrun, nil
}

// DeleteTimer removes a timer; EINVAL.
func (g *ThreadGroup) DeleteTimer(id int32) error {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	pt := g.timers[id]
	if pt == nil {
		return abi.EINVAL
	}
	if pt.timer != nil {
		pt.timer.Stop()
	}
	delete(g.timers, id)
	return nil
}

func (g *ThreadGroup) timerLeft(pt *PosixTimer) (left, interval int64) {
	if pt.timer == nil {
		return 0, pt.interval
	}
	return max(pt.deadline-g.timeOn(pt.Clock), 1), pt.interval
}

func (g *ThreadGroup) armTimer(pt *PosixTimer) {
	pt.timer = g.k.Clock.After(pt.deadline-g.timeOn(pt.Clock), func() {
		g.k.Do(func() { g.timerFires(pt) })
	})
}

// pending reports whether pt's last signal is still to be delivered. The caller
// holds k.mu.
func (pt *PosixTimer) pending() bool {
	if pt.queued == nil {
		return false
	}
	if pt.Target != nil {
		return pt.Target.pending.holds(pt.queued)
	}
	return pt.group.pending.holds(pt.queued)
}

func (g *ThreadGroup) timerFires(pt *PosixTimer) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	if g.timers[pt.ID] != pt || pt.timer == nil || g.exiting {
		return
	}
	now := g.timeOn(pt.Clock)
	if now < pt.deadline {
		g.armTimer(pt)
		return
	}
	missed := int64(0)
	if pt.interval > 0 {
		missed = (now - pt.deadline) / pt.interval
		pt.deadline += pt.interval * (missed + 1)
		g.armTimer(pt)
	} else {
		pt.timer = nil
	}
	if pt.Signo == 0 {
		return
	}
	if pt.pending() {
		// One signal a timer at a time; the others are counted
		// (timer_getoverrun(2)).
		pt.overrun += int32(missed) + 1
		pt.queued.SetTimer(pt.ID, pt.overrun)
		return
	}
	pt.last, pt.overrun = pt.overrun, int32(missed)
	pt.queued = abi.NewSiginfo(pt.Signo, abi.SI_TIMER).SetTimer(pt.ID, pt.overrun).SetValue(pt.Value)
	g.k.send(g, pt.Target, pt.queued)
}

// stopTimers disarms everything; the caller holds k.mu.
func (g *ThreadGroup) stopTimers() {
	for i, it := range g.itimers {
		if it != nil {
			it.timer.Stop()
			g.itimers[i] = nil
		}
	}
	if g.cpuWatch != nil {
		g.cpuWatch.Stop()
		g.cpuWatch = nil
	}
	g.dropTimers()
}

// dropTimers removes the POSIX timers, as exec does; the caller holds k.mu.
func (g *ThreadGroup) dropTimers() {
	for id, pt := range g.timers {
		if pt.timer != nil {
			pt.timer.Stop()
		}
		delete(g.timers, id)
	}
}
