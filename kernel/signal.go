// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host/notify"
	"lodger/lib/wait"
)

// Signals as kernel/signal.c has them. Actions and masks live in the guest
// process's stub memory (sigaction and sigprocmask are answered there), so the
// kernel reads them when a signal is sent. What it reads may be forged; that
// hurts only the forger.

// What a signal does by default.
const (
	sigStopSet     = abi.Sigset(1<<(abi.SIGSTOP-1) | 1<<(abi.SIGTSTP-1) | 1<<(abi.SIGTTIN-1) | 1<<(abi.SIGTTOU-1))
	sigIgnoreSet   = abi.Sigset(1<<(abi.SIGCHLD-1) | 1<<(abi.SIGCONT-1) | 1<<(abi.SIGURG-1) | 1<<(abi.SIGWINCH-1))
	sigKernelOnly  = abi.Sigset(1<<(abi.SIGKILL-1) | 1<<(abi.SIGSTOP-1))
	sigCoreSet     = abi.Sigset(1<<(abi.SIGQUIT-1)|1<<(abi.SIGABRT-1)|1<<(abi.SIGSYS-1)|1<<(abi.SIGXCPU-1)|1<<(abi.SIGXFSZ-1)) | synchronous
	sigPendingMost = 4096
)

// sigView is what a thread's stub says about one signal.
type sigView struct {
	mask   abi.Sigset
	action abi.Sigaction
	ok     bool
}

// view reads mask and action. The caller holds k.mu.
func (t *Task) view(sig int) sigView {
	var s notify.SigState
	if t.hostTID == 0 || t.dying.Load() || t.proc().ReadSig(t.tg.sigtab, sig, &s) != nil {
		return sigView{}
	}
	return sigView{abi.Sigset(s.Mask) &^ sigKernelOnly, abi.DecodeSigaction(s.Action[:]), true}
}

// SendGroup sends a signal to a process. It does not check permission. EAGAIN:
// RLIMIT_SIGPENDING leaves no room for another queued one.
func (k *Kernel) SendGroup(g *ThreadGroup, info *abi.Siginfo) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !g.mayQueue(info) {
		return abi.EAGAIN
	}
	k.send(g, nil, info)
	return nil
}

// SendTask sends a signal to one thread; EAGAIN as SendGroup.
func (k *Kernel) SendTask(t *Task, info *abi.Siginfo) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !t.tg.mayQueue(info) {
		return abi.EAGAIN
	}
	k.send(t.tg, t, info)
	return nil
}

// mayQueue checks the limit on queued real-time signals; kill(2)'s are let
// through (__send_signal_locked).
func (g *ThreadGroup) mayQueue(info *abi.Siginfo) bool {
	if info.Signo() < abi.SIGRTMIN || info.Code() == abi.SI_USER {
		return true
	}
	n := len(g.pending.list)
	for _, t := range g.tasks {
		n += len(t.pending.list)
	}
	return uint64(n) < g.rlimits[abi.RLIMIT_SIGPENDING].Cur
}

// send queues a signal for group g, or for its thread t when t is not nil. The
// caller holds k.mu.
func (k *Kernel) send(g *ThreadGroup, t *Task, info *abi.Siginfo) {
	sig := info.Signo()
	if g.zombie || g.exiting || g.builtin || (t != nil && t.dying.Load()) {
		return
	}
	switch {
	case sig == abi.SIGKILL:
		if g != k.init {
			k.killGroup(g, sig)
		}
		return
	case sig == abi.SIGCONT:
		g.dropPending(sigStopSet)
		k.continueGroup(g)
	case sigStopSet.Has(sig):
		g.dropPending(abi.SigBit(abi.SIGCONT))
	}
	q := &g.pending
	if t != nil {
		q = &t.pending
	}
	target, v := k.pickTarget(g, t, sig)
	if target == nil {
		// Nobody can be asked: an exec or fork is under way. Keep it.
		q.add(info, sigPendingMost)
		g.sigNews.Notify(abi.POLLIN)
		return
	}
	blocked := v.mask.Has(sig) || (target.savedMask != nil && target.savedMask.Has(sig))
	if !blocked && ignores(v.action, sig) {
		return
	}
	if !blocked && g == k.init && v.action.Handler == abi.SIG_DFL {
		return // init has no default actions (SIGNAL_UNKILLABLE)
	}
	if !q.add(info, sigPendingMost) {
		return
	}
	g.sigNews.Notify(abi.POLLIN)
	if w := g.waiterFor(t, sig); w != nil {
		k.ready(w)
		return
	}
	if v.mask.Has(sig) {
		target.notePending()
		m, err := target.proc().ReadMask()
		if err != nil || abi.Sigset(m).Has(sig) {
			return
		}
		// It was unblocked in between.
	}
	if k.fatal(g, v.action, sig) && !g.stopped.Load() {
		target.traceSignal(info)
		k.killGroup(g, sig)
		return
	}
	target.kick()
}

// SignalQueue announces (POLLIN) that a signal was queued for the process, for
// signalfd.
func (g *ThreadGroup) SignalQueue() *wait.Queue { return &g.sigNews }

// waiterFor finds a thread that waits for blocked signal sig in sigtimedwait.
func (g *ThreadGroup) waiterFor(t *Task, sig int) *Task {
	for _, c := range g.tasks {
		if (t == nil || c == t) && c.waitSet.Has(sig) {
			return c
		}
	}
	return nil
}

// fatal reports whether the default action of sig ends the process.
func (k *Kernel) fatal(g *ThreadGroup, a abi.Sigaction, sig int) bool {
	return a.Handler == abi.SIG_DFL && !sigIgnoreSet.Has(sig) && !sigStopSet.Has(sig) && g != k.init
}

// ignores reports whether a signal with this action is thrown away.
func ignores(a abi.Sigaction, sig int) bool {
	return a.Handler == abi.SIG_IGN || (a.Handler == abi.SIG_DFL && sigIgnoreSet.Has(sig))
}

// pickTarget chooses the thread that should take sig: t itself, or one of the
// group that does not block it, the leader first (complete_signal).
func (k *Kernel) pickTarget(g *ThreadGroup, t *Task, sig int) (*Task, sigView) {
	if t != nil {
		v := t.view(sig)
		if !v.ok {
			return nil, v
		}
		return t, v
	}
	var first *Task
	var firstView sigView
	for _, c := range g.tasks {
		if c.dying.Load() {
			continue
		}
		v := c.view(sig)
		if !v.ok {
			continue
		}
		if !v.mask.Has(sig) {
			return c, v
		}
		if first == nil {
			first, firstView = c, v
		}
	}
	return first, firstView
}

// notePending makes t's stub report when it unblocks something. The caller holds
// k.mu.
func (t *Task) notePending() {
	t.setPendingWord(t.pending.set | t.tg.pending.set)
}

func (t *Task) setPendingWord(want abi.Sigset) {
	if t.pendW == want || t.hostTID == 0 || t.dying.Load() {
		return
	}
	if t.proc().SetPending(uint64(want)) == nil {
		t.pendW = want
	}
}

func (g *ThreadGroup) dropPending(set abi.Sigset) {
	g.pending.drop(set)
	for _, t := range g.tasks {
		t.pending.drop(set)
	}
}

// SignalPending reports whether a signal would interrupt t now.
func (t *Task) SignalPending() bool {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if t.dying.Load() || t.tg.exiting || t.inLastRites() {
		return true
	}
	set := t.pending.set | t.tg.pending.set
	if set == 0 {
		return false
	}
	m, err := t.proc().ReadMask()
	return err == nil && set&^abi.Sigset(m) != 0
}

// Pending is the set of signals that wait, blocked ones included (sigpending).
func (t *Task) Pending() abi.Sigset {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.pending.set | t.tg.pending.set
}

// Mask reads the thread's signal mask.
func (t *Task) Mask() abi.Sigset {
	m, _ := t.proc().ReadMask()
	return abi.Sigset(m)
}

// SetTempMask installs a mask for the length of the present call (sigsuspend,
// ppoll). The old one comes back when the call ends without a handler, and after
// the handler otherwise. Call RestoreMask in Sleep.Cleanup when not interrupted.
func (t *Task) SetTempMask(m abi.Sigset) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	old, err := t.proc().ReadMask()
	if err != nil {
		return
	}
	s := abi.Sigset(old)
	t.savedMask = &s
	_ = t.proc().WriteMask(uint64(m &^ sigKernelOnly))
	if t.anyDeliverable() {
		t.hostKick() // nobody kicked it when these signals came: they were blocked
	}
}

// RestoreMask undoes SetTempMask.
func (t *Task) RestoreMask() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.restoreMaskLocked()
}

func (t *Task) restoreMaskLocked() {
	if t.savedMask == nil {
		return
	}
	_ = t.proc().WriteMask(uint64(*t.savedMask))
	t.savedMask = nil
	t.notePending()
}

// TakeSignal removes and returns a pending signal of set, for sigtimedwait and
// signalfd; nil when there is none.
func (t *Task) TakeSignal(set abi.Sigset) *abi.Siginfo {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.takeLocked(set)
}

// takeLocked prefers the thread's own signals to its process's (dequeue_signal).
func (t *Task) takeLocked(set abi.Sigset) *abi.Siginfo {
	if own := t.pending.next(set); own != 0 {
		return t.pending.take(own)
	}
	if shared := t.tg.pending.next(set); shared != 0 {
		return t.tg.pending.take(shared)
	}
	return nil
}

// ForceSignal makes t take a fault's signal: blocked or ignored, it kills.
func (k *Kernel) ForceSignal(t *Task, info *abi.Siginfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	sig := info.Signo()
	v := t.view(sig)
	if !v.ok || v.mask.Has(sig) || v.action.Handler == abi.SIG_IGN || v.action.Handler == abi.SIG_DFL {
		k.killGroup(t.tg, sig)
		return
	}
	t.pending.add(info, sigPendingMost+1)
	t.kick()
}

// forceFatal kills t's process with sig, whatever it installed.
func (k *Kernel) forceFatal(t *Task, sig int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killGroup(t.tg, sig)
}

// SignalMain sends a signal to the guest's first program.
func (k *Kernel) SignalMain(info *abi.Siginfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.main != nil {
		k.send(k.main, nil, info)
	}
}
