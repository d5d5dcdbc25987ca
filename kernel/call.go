// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"
	"syscall"

	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
)

// callKind tells what kind of notification a host thread waits in.
type callKind uint8

const (
	callNone   callKind = iota // it runs, or nobody knows
	callPlain                  // a guest's system call, by notification
	callFrame                  // a guest's system call, registers saved by the stub
	callKick                   // announced itself after a kick
	callFault                  // announced a fault
	callStub                   // some other stub call
	callBatch                  // a guest's system call whose batch the stub has run
	callParked                 // sleeps in the stub; its call was answered already
)

// call is the notification that a task's host thread waits in.
type call struct {
	kind callKind
	id   uint64
	nr   int
	args [6]uint64
	// rsp is the guest's stack pointer, where the notification told it.
	rsp uint64
	// kicked: a framed call whose frame came by a kick, whose answers are orders only.
	kicked bool
}

// interrupted tells that a call of the guest was answered EINTR so that its
// thread would announce itself, and what should become of it.
type interrupted struct {
	nr      int
	restart abi.Errno // an ERESTART*, or EINTR
	// detached: the call still sleeps in the kernel; the thread should park.
	detached bool
	// done: a detached call has ended; val is its result.
	done bool
	val  uint64
	// redo is a call that needs the register frame: run it when the frame is
	// announced and answer that.
	redo func() (uint64, error)
}

func (i *interrupted) active() bool { return i.restart != 0 || i.detached || i.redo != nil }

// ErrSleeping is returned by a handler whose call goes on later; see Sleep.
var ErrSleeping = errors.New("the call sleeps")

// errAnswered is returned by a handler that has answered its notification.
var errAnswered = errors.New("the call has been answered")

// dispatch serves one notification. The caller holds t.callMu.
func (t *Task) dispatch(ev *notify.Event) {
	if t.dying.Load() {
		return // its host process is about to be killed
	}
	if t.ready.Load() {
		t.ready.Store(false)
	}
	if x := t.execC; x != nil && !x.expects(ev, t.tg.hostPID) {
		t.k.Log.Debug("a call out of turn during exec", "task", t.String(), "nr", ev.Nr)
		t.k.forceFatal(t, abi.SIGKILL)
		return
	}
	if t.vforked.Load() != nil {
		t.vforked.Store(nil)
	}
	if !ev.FromStub() || !notify.IsFileMap(int(ev.Nr)) {
		t.endMaps()
	}
	if !ev.FromStub() {
		t.cloneC = nil // back in guest code: the host's clone is done
		t.call = call{kind: callPlain, id: ev.ID, nr: int(ev.Nr), args: ev.Args}
		t.intr = interrupted{}
		t.finish(t.serve(int(ev.Nr), ev.Args))
		return
	}
	op := notify.Op(ev.Nr)
	if op >= notify.OpFrame && op < notify.OpFrame+0x1000 {
		nr := int(op - notify.OpFrame)
		t.call = call{kind: callFrame, id: ev.ID, nr: nr, args: ev.Args, rsp: ev.Args[5]}
		t.intr, t.cloneC = interrupted{}, nil
		t.standing.Store(true)
		t.finish(t.serve(nr, ev.Args))
		return
	}
	t.call = call{kind: callStub, id: ev.ID, nr: int(ev.Nr), args: ev.Args}
	t.stubCall(op, ev)
}

// serve performs a call of guest code: on the receiver's goroutine, and where it
// turns out that it must wait for the disk, once more on one of its own.
func (t *Task) serve(nr int, args [6]uint64) (uint64, error) {
	val, err := t.k.table.Call(t, nr, args)
	if err != fs.ErrMustWait {
		return val, err
	}
	return t.Slow(func() (uint64, error) {
		t.ctx.MayWait = true
		defer func() { t.ctx.MayWait = false }()
		return t.k.table.Redo(t, nr, args)
	})
}

// stubCall serves what only the stub asks for. Everything in ev may be forged.
func (t *Task) stubCall(op notify.Op, ev *notify.Event) {
	switch op {
	case notify.OpKick:
		t.call.kind, t.call.rsp = callKick, ev.Args[2]
		if t.hold(ev) {
			return
		}
		t.kicked.Store(false)
		if t.performRites() {
			return
		}
		t.onKick()
		t.ritesAtOnce(callKick)
	case notify.OpFault:
		t.call.kind, t.call.rsp = callFault, ev.Args[3]
		t.onFault()
		t.ritesAtOnce(callFault)
	case notify.OpMask:
		t.call.rsp = ev.Args[2]
		t.onMask(ev.Args[1] != 0)
	case notify.OpStart:
		t.onStart()
	case notify.OpChild:
		t.onChild()
	case notify.OpBatch:
		if !t.batchRun(ev) {
			t.onBatch()
		}
	case notify.OpCloned:
		t.onCloneFailed()
	case notify.OpBadFrame:
		t.k.forceFatal(t, abi.SIGSEGV)
	case notify.OpNoExec:
		t.k.Log.Debug("the host refused the stub's execve", "task", t.String(), "errno", syscall.Errno(-int64(ev.Args[0])).Error())
		t.k.forceFatal(t, abi.SIGKILL)
	default:
		if op >= notify.OpTraced && op < notify.OpTraced+0x1000 {
			if tr := t.k.cfg.Trace; tr != nil {
				tr.Enter(t, int(op-notify.OpTraced), ev.Args)
			}
			t.act(notify.ActResume)
			return
		}
		t.hostCall(int(ev.Nr), ev.Args)
	}
}

// hostCall decides a real system call that the stub issues and that needs the
// kernel's consent: each only in the state that leads to it, with exactly the
// arguments that the kernel asked for.
func (t *Task) hostCall(nr int, args [6]uint64) {
	switch {
	case notify.IsClone(nr) && (t.cloneC == nil || t.cloneC.started):
		t.directFork(args)
	case notify.IsClone(nr) && t.cloneC.allows(args):
		t.cloneC.started = true
		if t.cloneC.flags&abi.CLONE_VFORK != 0 {
			t.vforked.Store(t.cloneC.child)
		}
		t.proceed()
	case notify.IsStubExec(nr, args) && t.execC != nil && !t.execC.started && t.marked(t.execC):
		t.execC.started = true
		t.proceed()
	case t.execC != nil && isExecMark(nr, args):
		t.proceed()
	case notify.IsFileMap(nr) && t.mapAllowed(args):
		t.proceed()
	case notify.IsFileMap(nr) && t.cloneC != nil && t.cloneC.mapsArea(args):
		t.proceed()
	case notify.IsExit(nr):
		t.finish(t.k.table.Call(t, nr, args))
	default:
		// Guest code that jumped into the stub. Its own calls go elsewhere.
		_ = t.k.p.AnswerErrno(t.call.id, abi.EPERM)
		t.call.kind = callNone
	}
}

// proceed lets the host perform the call.
func (t *Task) proceed() {
	id := t.call.id
	t.call.kind = callNone
	_ = t.k.p.Continue(id)
}

// Continue lets the host perform the present call as it stands; the handler
// returns what it returns. Only for calls without pointers that matter.
func (t *Task) Continue() (uint64, error) {
	t.proceed()
	return 0, errAnswered
}

// act answers the present notification with an order to the stub.
func (t *Task) act(a notify.Act) {
	id := t.call.id
	t.call.kind = callNone
	_ = t.k.p.Answer(id, int64(a))
}

// WithFrame runs f as a call whose registers the stub has saved: at once for a
// framed call, else after the thread has been kicked out of its notification.
func (t *Task) WithFrame(f func() (uint64, error)) (uint64, error) {
	if t.call.kind == callFrame {
		return f()
	}
	id := t.call.id
	if t.call.kind == callParked || t.call.kind == callNone {
		// It sleeps in the stub, or is about to.
		t.intr = interrupted{nr: t.intr.nr, redo: f}
		t.k.mu.Lock()
		t.hostKick()
		t.k.mu.Unlock()
		return 0, errAnswered
	}
	t.intr = interrupted{nr: t.call.nr, redo: f}
	t.call.kind = callNone
	t.k.mu.Lock()
	t.hostKick()
	t.k.mu.Unlock()
	_ = t.k.p.AnswerErrno(id, abi.EINTR)
	return 0, errAnswered
}

// finish answers the present call with a handler's result.
func (t *Task) finish(val uint64, err error) {
	switch {
	case err == nil:
		t.traceReturn(val)
	case err == ErrSleeping, err == errAnswered:
		t.unstand()
		return
	default:
		e := errnoOf(err)
		t.traceReturn(uint64(-int64(e)))
		switch e {
		case abi.ERESTARTSYS, abi.ERESTARTNOINTR, abi.ERESTARTNOHAND, abi.ERESTART_RESTARTBLOCK:
			if !t.intr.detached {
				t.intr.nr = t.call.nr
			}
			t.intr.restart = e
			e = abi.EINTR
			t.mustAnnounce()
		}
		val = uint64(-int64(e))
	}
	t.complete(val)
}

// mustAnnounce makes sure that a kick is under way: a call that is to be restarted
// must not return to guest code first. The signal that ended it may have been
// sent to the whole process, and another thread kicked for it.
func (t *Task) mustAnnounce() {
	if t.kicked.Load() || t.intr.detached {
		return
	}
	t.k.mu.Lock()
	t.hostKick()
	t.k.mu.Unlock()
}

// complete delivers a call's result to wherever its thread waits.
func (t *Task) complete(val uint64) {
	id, kind := t.call.id, t.call.kind
	if t.kicked.Load() && (kind == callPlain || kind == callFrame) {
		t.deliverOnReturn()
	}
	switch kind {
	case callPlain:
		t.call.kind = callNone
		_ = t.k.p.Answer(id, int64(val))
	case callFrame:
		t.answerFrame(val)
	case callBatch:
		if t.proc().SetResult(val) != nil {
			return
		}
		t.act(notify.ActResult)
	case callParked, callNone:
		// The thread was sent to park, or does so: tell it to come back.
		t.intr.detached, t.intr.done, t.intr.val = true, true, val
		t.k.mu.Lock()
		t.kick()
		t.k.mu.Unlock()
	}
}

// answerFrame answers a framed call and delivers what came for its thread in the
// meantime: the stub has the registers at hand, so that needs no kick.
func (t *Task) answerFrame(val uint64) {
	t.k.mu.Lock()
	t.standing.Store(false)
	if t.owed {
		t.owed = false
		t.k.mu.Unlock()
		t.deliverFramed(val)
		return
	}
	t.k.mu.Unlock()
	if t.call.kicked {
		if t.proc().SetResult(val) == nil {
			t.act(notify.ActResult)
		}
		return
	}
	answer := int64(val)
	if answer == -int64(abi.ENOSYS) {
		answer = int64(notify.ActENOSYS)
	}
	t.act(notify.Act(answer))
}

// deliverFramed ends a framed call with what a kick would have brought its thread.
func (t *Task) deliverFramed(val uint64) {
	if t.performRites() {
		return
	}
	t.intr.done, t.intr.val = true, val
	t.k.mu.Lock()
	order := t.decide()
	t.k.mu.Unlock()
	if order != 0 {
		t.act(order)
	}
	t.ritesAtOnce(callFrame)
}

// unstand sends the kick that waited for the answer of a framed call which sleeps,
// or goes on by the stub's orders.
func (t *Task) unstand() {
	if !t.standing.Load() {
		return
	}
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.standing.Store(false)
	if t.owed {
		t.owed = false
		t.hostKick()
	}
}

// errnoOf finds the errno in err; an error that is none is a kernel bug that the
// guest sees as EIO.
func errnoOf(err error) abi.Errno {
	if e, ok := err.(abi.Errno); ok {
		return e
	}
	var e abi.Errno
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, abi.EAGAIN) {
		return abi.EAGAIN
	}
	return abi.EIO
}
