// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"

	"lodger/abi"
	"lodger/host/notify"
)

// onKick serves a thread that announced its frame. The caller holds t.callMu.
func (t *Task) onKick() {
	t.kicked.Store(false)
	if t.intr.redo != nil {
		// A call that wanted its registers: it goes on as a framed call.
		redo := t.intr.redo
		t.intr = interrupted{}
		t.call.kind, t.call.kicked = callFrame, true
		t.k.mu.Lock()
		if t.anyDeliverable() {
			t.hostKick()
		}
		t.k.mu.Unlock()
		t.finish(redo())
		return
	}
	if t.intr.detached && !t.intr.done {
		t.act(notify.ActPark)
		t.call.kind = callParked
		return
	}
	t.k.mu.Lock()
	order := t.decide()
	t.k.mu.Unlock()
	if order != 0 {
		t.act(order)
	}
}

// decide says how a thread that stands at the edge of its guest code goes on. The
// caller holds k.mu; 0 means that the thread is dying.
func (t *Task) decide() notify.Act {
	for {
		if t.dying.Load() || t.tg.exiting {
			return 0
		}
		if t.tg.stopped.Load() {
			t.enterStop()
			t.call.kind = callParked
			_ = t.k.p.Answer(t.call.id, int64(notify.ActPark))
			return 0
		}
		t.inStop = false
		m, err := t.proc().ReadMask()
		if err != nil {
			return 0
		}
		mask := abi.Sigset(m)
		info := t.takeLocked(^mask)
		if info == nil {
			return t.noSignal()
		}
		v := t.view(info.Signo())
		if order, again := t.deliver(info, v, mask); !again {
			return order
		}
	}
}

// noSignal returns to the guest, restarting a call that was interrupted for
// nothing.
func (t *Task) noSignal() notify.Act {
	t.restoreMaskLocked()
	t.notePending()
	in := t.intr
	t.intr = interrupted{}
	switch {
	case in.restart == abi.ERESTART_RESTARTBLOCK:
		return t.rewind(sysRestartSyscall)
	case in.restart != 0 && in.restart != abi.EINTR:
		return t.rewind(in.nr)
	case in.done:
		if t.proc().SetResult(in.val) != nil {
			return 0
		}
		return notify.ActResult
	case t.call.kind == callKick && notify.StandsAtFutexWait(t.call.args):
		return t.rewind(notify.NrFutex)
	}
	return notify.ActResume
}

func (t *Task) rewind(nr int) notify.Act {
	if t.proc().SetResult(uint64(nr)) != nil {
		return 0
	}
	return notify.ActRewind
}

// deliver acts on one signal that was taken from a queue. again: nothing came of
// it, look for another.
func (t *Task) deliver(info *abi.Siginfo, v sigView, mask abi.Sigset) (order notify.Act, again bool) {
	sig := info.Signo()
	if !v.ok {
		return 0, false
	}
	a := v.action
	switch {
	case ignores(a, sig):
		return 0, true
	case a.Handler == abi.SIG_DFL && sigStopSet.Has(sig):
		t.traceSignal(info)
		if t.tg != t.k.init && (sig == abi.SIGSTOP || !t.k.orphaned(t.tg.pgid, nil)) {
			t.k.stopGroup(t.tg, sig)
		}
		return 0, true
	case a.Handler == abi.SIG_DFL:
		if t.tg == t.k.init {
			return 0, true
		}
		t.traceSignal(info)
		t.k.killGroup(t.tg, sig)
		return 0, false
	}
	return t.toHandler(info, a, mask), false
}

// toHandler fills the descriptor from which the stub builds the guest's frame.
func (t *Task) toHandler(info *abi.Siginfo, a abi.Sigaction, mask abi.Sigset) notify.Act {
	sig := info.Signo()
	d := notify.Delivery{Signo: uint64(sig), Handler: a.Handler, Restorer: a.Restorer, OldMask: uint64(mask), Restart: -1, Info: *info}
	if t.savedMask != nil {
		d.OldMask = uint64(*t.savedMask)
		t.savedMask = nil
	}
	next := mask | a.Mask
	if a.Flags&abi.SA_NODEFER == 0 {
		next |= abi.SigBit(sig)
	}
	next &^= sigKernelOnly
	d.NewMask = uint64(next)
	in := t.intr
	t.intr = interrupted{}
	switch in.restart {
	case abi.ERESTARTNOINTR:
		d.Restart = int64(in.nr)
	case abi.ERESTARTSYS:
		if a.Flags&abi.SA_RESTART != 0 {
			d.Restart = int64(in.nr)
		}
	}
	if a.Flags&abi.SA_RESTART == 0 && !t.onReturn && t.call.kind == callKick && t.beforeFutexWait() {
		d.Restart = notify.RestartEndWait
	}
	if in.done && d.Restart == -1 {
		// The frame that the handler returns to must show the call's result.
		d.Restart, d.Result = notify.RestartResult, in.val
	}
	t.traceSignal(info)
	t.frameTop(&d, a)
	if a.Flags&abi.SA_RESETHAND != 0 {
		_ = t.proc().WriteAction(t.tg.sigtab, sig, abi.Sigaction{}.Encode())
		if !notify.StubHandles(sig) {
			d.Reset()
		}
	}
	t.setPendingWord((t.pending.set | t.tg.pending.set) & next)
	write := d.Write
	if t.onReturn {
		write = d.WriteReady
	}
	if write(t.proc()) != nil {
		return 0
	}
	if (t.pending.set|t.tg.pending.set)&^next != 0 {
		t.hostKick() // another one: it nests at the handler's first instruction
	}
	return notify.ActDeliver
}

// deliverOnReturn prepares the delivery of a signal to a thread whose call is about
// to be answered: the kick that is on its way finds the descriptor, and the stub
// need not ask. Only for the plain case; others ask. The caller holds t.callMu.
func (t *Task) deliverOnReturn() {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.dying.Load() || t.tg.exiting || t.tg.stopped.Load() || t.AltStack.Size != 0 || t.intr.detached || t.intr.redo != nil {
		return
	}
	// The one signal that is due, with its mask and action read at once.
	q := &t.pending
	if q.set == 0 {
		q = &t.tg.pending
	}
	sig := q.next(^abi.Sigset(0))
	if sig == 0 {
		return
	}
	v := t.view(sig)
	due := (t.pending.set | t.tg.pending.set) &^ v.mask
	if !v.ok || due != abi.SigBit(sig) || v.action.Handler == abi.SIG_DFL || v.action.Handler == abi.SIG_IGN {
		return
	}
	t.onReturn, t.call.rsp = true, 0
	t.toHandler(q.take(sig), v.action, v.mask)
	t.onReturn = false
	t.kicked.Store(false)
	t.ready.Store(true)
}

// beforeFutexWait reports whether the host took t out of an untimed native futex
// wait.
func (t *Task) beforeFutexWait() bool {
	rip, ok := notify.BeforeFutexWait(t.call.args)
	if !ok {
		return false
	}
	var insn [2]byte
	return t.CopyIn(rip, insn[:]) == nil && string(insn[:]) == notify.SyscallInsn
}

// frameTop chooses the stack of the handler.
func (t *Task) frameTop(d *notify.Delivery, a abi.Sigaction) {
	const redZone = 128 // System V ABI x86-64, section 3.2.2
	as := t.AltStack
	on := as.Size != 0 && t.call.rsp > as.SP && t.call.rsp-as.SP <= as.Size
	d.Stack = [3]uint64{as.SP, uint64(as.flags(on)), as.Size}
	if a.Flags&abi.SA_ONSTACK != 0 && as.Size != 0 && !on {
		d.Top = as.SP + as.Size
		return
	}
	if !t.onReturn {
		d.Top = t.call.rsp - redZone
	}
}

// flags are the ss_flags that user space sees.
func (s AltStack) flags(on bool) uint32 {
	switch {
	case s.Size == 0:
		return abi.SS_DISABLE
	case on:
		return abi.SS_ONSTACK
	}
	return 0
}

// View is what sigaltstack(2) reports for a thread whose stack pointer is rsp.
func (s AltStack) View(rsp uint64) (sp uint64, flags uint32, size uint64) {
	on := s.Size != 0 && rsp > s.SP && rsp-s.SP <= s.Size
	if on && s.Flags&abi.SS_AUTODISARM != 0 {
		// Disarmed while a handler runs on it. The setting itself stays, since
		// nobody tells when the handler returns.
		return 0, abi.SS_DISABLE, 0
	}
	return s.SP, s.flags(on) | s.Flags&abi.SS_AUTODISARM, s.Size
}

// RSP is the guest's stack pointer; known in framed calls only.
func (t *Task) RSP() uint64 { return t.call.rsp }

func (t *Task) anyDeliverable() bool {
	set := t.pending.set | t.tg.pending.set
	if set == 0 {
		return false
	}
	m, err := t.proc().ReadMask()
	return err == nil && set&^abi.Sigset(m) != 0
}

// onMask: the stub changed its mask, or an action, while signals are pending. With
// inPlace it holds a frame that a handler can be entered from.
func (t *Task) onMask(inPlace bool) {
	t.k.mu.Lock()
	t.dropIgnored()
	order := notify.ActResume
	switch due := t.anyDeliverable() || t.tg.stopped.Load(); {
	case due && inPlace && !t.intr.active():
		order = t.decide()
	case due:
		t.hostKick()
		fallthrough
	default:
		t.notePending()
	}
	t.k.mu.Unlock()
	if order != 0 {
		t.act(order)
	}
	t.ritesAtOnce(callStub)
}

// dropIgnored throws away pending signals whose action has become to ignore them
// (POSIX; flush_sigqueue_mask in do_sigaction). The caller holds k.mu.
func (t *Task) dropIgnored() {
	set := t.pending.set | t.tg.pending.set
	for sig := 1; set != 0 && sig <= abi.NSIG; sig++ {
		if !set.Has(sig) {
			continue
		}
		set &^= abi.SigBit(sig)
		if v := t.view(sig); v.ok && ignores(v.action, sig) {
			t.tg.dropPending(abi.SigBit(sig))
		}
	}
}

// onFault turns a host fault signal into the guest's.
func (t *Task) onFault() {
	a := t.call.args
	sig := int(int32(a[0]))
	switch sig {
	case abi.SIGSEGV, abi.SIGBUS, abi.SIGFPE, abi.SIGILL, abi.SIGTRAP:
	default:
		sig = abi.SIGSEGV
	}
	code := int32(a[1])
	info := abi.NewSiginfo(sig, code)
	if code > 0 && code != abi.SI_KERNEL {
		info.SetAddr(a[2])
	}
	k := t.k
	k.mu.Lock()
	v := t.view(sig)
	if h := v.action.Handler; !v.ok || h == abi.SIG_IGN || h == abi.SIG_DFL || t.tg == k.init {
		k.mu.Unlock() // the console may keep us waiting
		t.logFault(sig, a)
		k.mu.Lock()
		v = t.view(sig)
	}
	if !v.ok || v.mask.Has(sig) || v.action.Handler == abi.SIG_IGN || v.action.Handler == abi.SIG_DFL {
		k.Log.Debug("fatal fault", "task", t.String(), "signal", sig, "code", code, "addr", fmt.Sprintf("%#x", a[2]), "rsp", fmt.Sprintf("%#x", a[3]), "trap", a[4]>>32)
		t.traceSignal(info)
		k.killGroup(t.tg, sig)
		k.mu.Unlock()
		return
	}
	order := t.toHandler(info, v.action, v.mask)
	k.mu.Unlock()
	if order != 0 {
		t.act(order)
	}
}
