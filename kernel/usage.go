// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host"
)

// cpuTimes is the thread's user and system time so far, in nanoseconds: what its
// host thread used. The kernel's own work for it is not in it.
func (t *Task) cpuTimes() (user, system int64) {
	if t.hostTID == 0 || t.dying.Load() {
		return 0, 0
	}
	return host.ThreadCPU(t.hostTID)
}

// noteUsage takes the process's totals before its host process goes.
func (g *ThreadGroup) noteUsage() {
	if g.hostPID == 0 {
		return
	}
	if u, s := host.ProcessCPU(g.hostPID); u+s > 0 {
		g.deadU, g.deadS = u, s
	}
}

// Usage is the CPU time of a process in nanoseconds, its own and that of the
// children that it waited for.
func (g *ThreadGroup) Usage() (user, system, childUser, childSystem int64) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	user, system = g.deadU, g.deadS
	if !g.zombie && g.hostPID != 0 {
		user, system = host.ProcessCPU(g.hostPID)
	}
	return user, system, g.childU, g.childS
}

// ThreadUsage is the CPU time of the thread in nanoseconds.
func (t *Task) ThreadUsage() (user, system int64) { return t.cpuTimes() }

// Rlimit returns a limit of t's process.
func (t *Task) Rlimit(which int) abi.Rlimit {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.tg.rlimits[which]
}

// Rlimit returns a limit of the process.
func (g *ThreadGroup) Rlimit(which int) abi.Rlimit {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	return g.rlimits[which]
}

// SetRlimit changes a limit; the host enforces those on memory.
func (g *ThreadGroup) SetRlimit(which int, l abi.Rlimit) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	g.rlimits[which] = l
	switch which {
	case abi.RLIMIT_AS, abi.RLIMIT_DATA, abi.RLIMIT_STACK, abi.RLIMIT_MEMLOCK:
		if g.hostPID != 0 {
			host.SetRlimit(g.hostPID, which, l.Cur)
		}
	case abi.RLIMIT_CPU:
		g.rlimits[which].Cur = max(l.Cur, 1) // update_rlimit_cpu: 0 means 1
		g.watchCPULimit()
	}
}
