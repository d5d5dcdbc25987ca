// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"runtime"

	"lodger/abi"
	"lodger/host"
)

// leastCPUCheck is how close to its limit a process's CPU time is looked at
// again, in nanoseconds.
const leastCPUCheck = 10e6

// watchCPULimit arms the check of RLIMIT_CPU (check_process_timers of
// kernel/time/posix-cpu-timers.c). The caller holds k.mu; it is called when the
// limit or the process is new, and by the check itself.
func (g *ThreadGroup) watchCPULimit() {
	if g.cpuWatch != nil {
		g.cpuWatch.Stop()
		g.cpuWatch = nil
	}
	l := g.rlimits[abi.RLIMIT_CPU]
	if l.Cur == abi.RLIM_INFINITY && l.Max == abi.RLIM_INFINITY || g.exiting || g.zombie {
		return
	}
	used := int64(0)
	if g.hostPID != 0 {
		u, s := host.ProcessCPU(g.hostPID)
		used = u + s
	}
	const most = 1 << 30 // seconds
	left := int64(min(l.Cur, l.Max, most))*1e9 - used
	wait := max(left/int64(runtime.NumCPU()), leastCPUCheck)
	g.cpuWatch = g.k.Clock.After(wait, func() { g.k.Do(g.checkCPULimit) })
}

// checkCPULimit sends SIGXCPU each second beyond the soft limit, and SIGKILL at
// the hard one.
func (g *ThreadGroup) checkCPULimit() {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	if g.exiting || g.zombie || g.hostPID == 0 {
		return
	}
	u, s := host.ProcessCPU(g.hostPID)
	l := &g.rlimits[abi.RLIMIT_CPU]
	seconds := uint64(u+s) / 1e9
	switch {
	case seconds >= l.Max:
		g.k.killGroup(g, abi.SIGKILL)
		return
	case seconds >= l.Cur:
		l.Cur++ // as Linux has it: the next one comes a second later
		g.k.send(g, nil, abi.NewSiginfo(abi.SIGXCPU, abi.SI_KERNEL))
	}
	g.watchCPULimit()
}
