// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/host"

// CPU is the processor that t ran on last.
func (t *Task) CPU() int { return host.LastCPU(t.hostTID) }

// Nice is the process's nice value. It is kept for those who ask; raising it is
// passed to the host.
func (g *ThreadGroup) Nice() int { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.nice }

// SetNice changes the nice value; the host's follows where it lets us.
func (g *ThreadGroup) SetNice(n int) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	g.nice = n
	for _, t := range g.tasks {
		host.SetNice(t.hostTID, max(n, 0))
	}
}

// MaxRSS is the largest resident set in KiB, of the process or of its waited-for
// children.
func (t *Task) MaxRSS(children bool) int64 {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if children {
		return t.tg.childRSS
	}
	return host.PeakRSS(t.tg.hostPID)
}
