// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"syscall"

	"lodger/abi"
	"lodger/host"
)

// stopGroup begins a group stop: threads that run guest code must announce
// themselves first, sleeping ones count at once. The caller holds k.mu.
func (k *Kernel) stopGroup(g *ThreadGroup, sig int) {
	if g.stopped.Load() || g.exiting {
		return
	}
	g.stopped.Store(true)
	g.stopSig, g.contNews, g.stopNews, g.stopSeen = sig, false, false, false
	g.stopCount = 0
	for _, t := range g.tasks {
		if t.dying.Load() {
			continue
		}
		g.stopCount++
		if t.hostTID != 0 {
			t.hostKick()
		}
		if t.asleep.Load() {
			t.enterStop()
		}
	}
	g.stopDone()
}

// enterStop counts t as stopped. The caller holds k.mu.
func (t *Task) enterStop() {
	if t.inStop {
		return
	}
	t.inStop = true
	t.tg.stopCount--
	t.tg.stopDone()
}

// stopDone tells the parent once all threads have stopped.
func (g *ThreadGroup) stopDone() {
	if !g.stopped.Load() || g.stopCount > 0 || g.stopNews {
		return
	}
	g.stopNews = true
	g.k.notifyParent(g, abi.CLD_STOPPED, int32(g.stopSig))
}

// continueGroup ends a group stop. The caller holds k.mu.
func (k *Kernel) continueGroup(g *ThreadGroup) {
	if !g.stopped.Load() {
		return
	}
	g.stopped.Store(false)
	g.stopNews, g.contNews = false, true
	for _, t := range g.tasks {
		t.inStop = false
		t.kick()
	}
	k.notifyParent(g, abi.CLD_CONTINUED, abi.SIGCONT)
}

func (t *Task) groupStopped() bool { return t.tg.stopped.Load() }

// killGroup ends a process by a signal: its host process dies at once. The
// caller holds k.mu.
func (k *Kernel) killGroup(g *ThreadGroup, sig int) {
	if g.exiting || g.zombie || g.rites != nil {
		return
	}
	status := int32(sig)
	if sigCoreSet.Has(sig) && g.rlimits[abi.RLIMIT_CORE].Cur > 0 && g.dumpable == 1 {
		status |= 0 // no core file is written, so the core flag stays clear
	}
	if k.beginRites(g, status) {
		return
	}
	k.exitGroup(g, status)
}

// exitGroup ends all threads of g with wait status status. The caller holds
// k.mu and, if the host process is not to be killed, has taken care of that.
func (k *Kernel) exitGroup(g *ThreadGroup, status int32) {
	g.exiting, g.status = true, status
	g.noteUsage()
	g.killHost()
	for _, t := range append([]*Task(nil), g.tasks...) {
		k.reapTask(t)
	}
}

// killHost kills the host process, by descriptor: its number may be another's by
// now if something else killed it. The caller holds k.mu.
func (g *ThreadGroup) killHost() {
	switch {
	case g.deathFD >= 0:
		g.k.p.Kill(g.deathFD)
	case g.hostPID != 0:
		_ = host.Kill(g.hostPID, abi.SIGKILL)
	}
}

// watch notices the end of the host process. The caller holds k.mu.
func (g *ThreadGroup) watch() {
	if g.k.dead.Load() {
		return
	}
	fd, err := g.k.p.WatchDeath(g.hostPID)
	g.deathFD = fd
	switch {
	case err == syscall.ESRCH:
		g.k.later(func() {
			g.k.mu.Lock()
			defer g.k.mu.Unlock()
			if !g.exiting && !g.zombie {
				g.k.exitGroup(g, abi.SIGKILL)
			}
		})
	case err != nil:
		g.k.Log.Warn("a host process cannot be watched: if the host kills it, the guest will not notice", "pid", g.pid, "error", err)
	}
}

// unwatch ends that. The caller holds k.mu.
func (g *ThreadGroup) unwatch() {
	if g.deathFD >= 0 {
		g.k.p.Unwatch(g.deathFD)
		g.deathFD = -1
	}
}

// orphaned reports whether process group pgid has no member whose parent is in
// another group of the same session (POSIX orphaned process group); without is
// left out. The caller holds k.mu.
func (k *Kernel) orphaned(pgid int32, without *ThreadGroup) bool {
	for _, g := range k.groups {
		if g == without || g.pgid != pgid || g.zombie || g.parent == nil || g.parent == k.init {
			continue
		}
		if g.parent.pgid != pgid && g.parent.sid == g.sid {
			return false
		}
	}
	return true
}

// hupOrphans sends SIGHUP and SIGCONT to a newly orphaned process group that has
// stopped members (setpgid(2), exit(3p)). The caller holds k.mu.
func (k *Kernel) hupOrphans(pgid int32) {
	if !k.orphaned(pgid, nil) {
		return
	}
	stopped := false
	for _, g := range k.groups {
		stopped = stopped || (g.pgid == pgid && g.stopped.Load())
	}
	if !stopped {
		return
	}
	for _, sig := range []int{abi.SIGHUP, abi.SIGCONT} {
		k.signalPgrp(pgid, abi.NewSiginfo(sig, abi.SI_KERNEL))
	}
}

// signalPgrp sends a signal to each member; the caller holds k.mu. It returns how
// many there are.
func (k *Kernel) signalPgrp(pgid int32, info *abi.Siginfo) int {
	n := 0
	for _, g := range k.groups {
		if g.pgid == pgid && !g.zombie {
			c := *info
			k.send(g, nil, &c)
			n++
		}
	}
	return n
}

// SignalPgrp sends a signal to each member of a process group.
func (k *Kernel) SignalPgrp(pgid int32, info *abi.Siginfo) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.signalPgrp(pgid, info)
}
