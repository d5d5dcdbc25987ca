// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host/notify"
	"lodger/lib/ktime"
)

// Last rites: what a killed process owes others before its host process goes. Its
// robust futexes must be marked and their waiters woken, and only a process that
// maps them can wake them on the host. So threads that hold locks are kicked,
// the kernel walks their lists while they stand in the stub, the stub wakes, and
// then the host process is killed. Whoever does not come within ritesPatience
// forgoes it: his locks stay locked.
//
// A process without held locks is killed at once. One that takes a lock while it
// is being looked at loses that race.
type rites struct {
	status int32 // wait status of the process
	left   int   // threads that have yet to come
	timer  *ktime.Timer
}

const ritesPatience = 200e6 // nanoseconds

// beginRites kicks the threads of g that hold robust futexes and reports whether
// there are any. The caller holds k.mu.
func (k *Kernel) beginRites(g *ThreadGroup, status int32) bool {
	if g.rites != nil {
		return true
	}
	var holders []*Task
	for _, t := range g.tasks {
		if t.hostTID != 0 && !t.dying.Load() && t.holdsRobust() {
			holders = append(holders, t)
		}
	}
	if len(holders) == 0 {
		return false
	}
	r := &rites{status: status, left: len(holders)}
	g.rites = r
	r.timer = k.Clock.After(ritesPatience, func() { k.Do(func() { k.endRites(g) }) })
	for _, t := range holders {
		t.owesRites = true
		t.kick()
	}
	return true
}

// endRites kills the process whose rites are over.
func (k *Kernel) endRites(g *ThreadGroup) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := g.rites
	if r == nil || g.exiting || g.zombie {
		return
	}
	r.timer.Stop()
	k.exitGroup(g, r.status)
}

// performRites has the stub of t, which waits in the present notification, wake
// the waiters of t's robust futexes. It reports whether t must not go on. The
// caller holds t.callMu.
func (t *Task) performRites() bool {
	k := t.k
	k.mu.Lock()
	dying, owes := t.tg.rites != nil, t.owesRites
	t.owesRites = false
	k.mu.Unlock()
	if !dying || !owes {
		return dying
	}
	t.releaseRobust()
	b := t.wakeBatch(notify.MaxBatch)
	t.inRites = true
	if b.Len() == 0 || b.Write(t.proc()) != nil {
		t.ritesDone()
		return true
	}
	t.act(notify.ActBatch)
	return true
}

// ritesAtOnce performs the rites when serving the present notification, of kind
// kind and still unanswered, has killed the process.
func (t *Task) ritesAtOnce(kind callKind) {
	if t.call.kind == kind {
		t.performRites()
	}
}

// ritesDone counts t; the last one ends the process.
func (t *Task) ritesDone() {
	t.inRites = false
	k := t.k
	k.mu.Lock()
	last := false
	if r := t.tg.rites; r != nil {
		r.left--
		last = r.left == 0
	}
	k.mu.Unlock()
	if last {
		k.later(func() { k.endRites(t.tg) })
	}
}

// inLastRites reports whether t's process is about to be killed. The caller holds
// k.mu.
func (t *Task) inLastRites() bool { return t.tg.rites != nil }

// wakeBatch is the wakes that releaseRobust found, at most n.
func (t *Task) wakeBatch(n int) *notify.Batch {
	const futexWake = 1
	var b notify.Batch
	for _, addr := range t.robustWakes[:min(len(t.robustWakes), n)] {
		b.AddLoose(notify.NrFutex, addr, futexWake, 1)
	}
	t.robustWakes = nil
	t.RobustList.Store(0)
	return &b
}

// releaseForExec wakes the waiters of t's robust futexes and then goes on with
// the exec; t is at the point of no return.
func (t *Task) releaseForExec() error {
	t.releaseRobust()
	b := t.wakeBatch(notify.MaxBatch - 1)
	t.execC.markExec(b)
	if b.Len() == 0 {
		t.act(notify.ActExec)
		return nil
	}
	if b.Write(t.proc()) != nil {
		return abi.EFAULT
	}
	t.act(notify.ActBatch)
	return nil
}
