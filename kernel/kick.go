// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"time"

	"lodger/abi"
	"lodger/host"
	"lodger/host/notify"
)

// The kick watchdog. A kick is advisory: guest code can block the host's signal
// through a forged rt_sigreturn and then run on, deaf to signals, stops and
// whatever else the kernel wants of it. A thread that burns CPU time without
// announcing itself costs its process a SIGKILL.
//
// One timer per guest, armed only while kicks are outstanding. A thread that does
// not run (it waits in its notification, in a vfork or for a processor) is looked
// at ever more rarely.
const (
	kickPatience = 200 * time.Millisecond // of user code
	// kickPatienceSys is for time in the host's kernel: a fork or an munmap of
	// a large process heeds no signal there either.
	kickPatienceSys = 10 * time.Second
	kickRarest      = time.Minute
)

// kickWatch is the state of the watchdog; guarded by Kernel.mu.
type kickWatch struct {
	armed    bool
	interval time.Duration
	stop     func() bool
}

// kickMark is what the watchdog saw of one kicked thread; guarded by Kernel.mu.
type kickMark struct {
	seq          uint64 // the kick that it watches
	user, system int64
}

// hostKick signals the host thread without ending a sleep. The caller holds k.mu.
func (t *Task) hostKick() {
	if t.hostTID == 0 || t.dying.Load() {
		return
	}
	if t.standing.Load() {
		t.owed = true
		return
	}
	if t.ready.Load() {
		// The kick that is on its way may not ask the kernel, and this one may
		// be lost in it: have the stub ask in the end.
		t.setPendingWord(^abi.Sigset(0))
	}
	if !t.kicked.Swap(true) {
		t.kickSeq++
		t.k.watchKick()
	}
	_ = host.Tgkill(t.tg.hostPID, t.hostTID, notify.KickSignal)
}

// watchKick arms the watchdog for a new kick. The caller holds k.mu.
func (k *Kernel) watchKick() {
	w := &k.kicks
	if w.armed && w.interval <= kickPatience {
		return
	}
	if w.armed {
		w.stop()
	}
	k.armWatch(kickPatience)
}

func (k *Kernel) armWatch(d time.Duration) {
	k.kicks.armed, k.kicks.interval = true, d
	k.kicks.stop = k.Clock.After(int64(d), func() { k.Do(k.checkKicks) }).Stop
}

// checkKicks looks at every thread that has been kicked and not announced itself.
func (k *Kernel) checkKicks() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kicks.armed = false
	outstanding, busy := false, false
	for _, g := range k.groups {
		for _, t := range g.tasks {
			if !t.kicked.Load() || t.hostTID == 0 || t.dying.Load() {
				continue
			}
			deaf, runs := t.judgeKick()
			outstanding, busy = true, busy || runs
			if deaf {
				k.Log.Warn("a thread does not heed the kernel: its process is killed", "task", t.String())
				k.killGroup(g, abi.SIGKILL)
				break
			}
		}
	}
	if !outstanding || k.dead.Load() {
		return
	}
	next := kickPatience
	if !busy {
		next = min(2*k.kicks.interval, kickRarest)
	}
	k.armWatch(next)
}

// judgeKick reports whether t has run too long since its kick, and whether it
// runs at all. The caller holds k.mu.
func (t *Task) judgeKick() (deaf, runs bool) {
	u, s := host.ThreadCPU(t.hostTID)
	m := &t.kickMark
	if m.seq != t.kickSeq {
		*m = kickMark{t.kickSeq, u, s}
		return false, true
	}
	used, sys := time.Duration(u-m.user), time.Duration(s-m.system)
	return used >= kickPatience || sys >= kickPatienceSys, used+sys > 0
}
