// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func sigaltstack(t *kernel.Task, a Args) (uint64, error) {
	sp, flags, size := t.AltStack.View(t.RSP())
	if a[0] != 0 {
		w, err := getWords(t, a[0], 3)
		if err != nil {
			return 0, err
		}
		if err := setAltStack(t, w, flags&abi.SS_ONSTACK != 0); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		return 0, putWords(t, a[1], sp, uint64(flags), size)
	}
	return 0, nil
}

// setAltStack is do_sigaltstack's check and change.
func setAltStack(t *kernel.Task, w []uint64, on bool) error {
	if on {
		return abi.EPERM
	}
	mode := uint32(w[1]) &^ abi.SS_AUTODISARM
	if mode != abi.SS_DISABLE && mode != abi.SS_ONSTACK && mode != 0 {
		return abi.EINVAL
	}
	if mode == abi.SS_DISABLE {
		t.AltStack = kernel.AltStack{}
		return nil
	}
	if w[2] < abi.MINSIGSTKSZ {
		return abi.ENOMEM
	}
	t.AltStack = kernel.AltStack{SP: w[0], Size: w[2], Flags: uint32(w[1])}
	return nil
}

func sigpending(t *kernel.Task, a Args) (uint64, error) {
	if a[1] > 8 {
		return 0, abi.EINVAL
	}
	var b [8]byte
	le.PutUint64(b[:], uint64(t.Pending()&t.Mask()))
	return 0, t.CopyOut(a[0], b[:a[1]])
}

// forever is a Try that never succeeds: only a signal ends the sleep.
func forever() (uint64, error) { return 0, kernel.Again }

func pause(t *kernel.Task, a Args) (uint64, error) {
	return t.Sleep(kernel.Sleep{Try: forever, Restart: abi.ERESTARTNOHAND})
}

func sigsuspend(t *kernel.Task, a Args) (uint64, error) {
	m, err := getSigset(t, a[0], a[1])
	if err != nil {
		return 0, err
	}
	t.SetTempMask(m)
	return t.Sleep(kernel.Sleep{Try: forever, Restart: abi.ERESTARTNOHAND})
}

func sigtimedwait(t *kernel.Task, a Args) (uint64, error) {
	set, err := getSigset(t, a[0], a[3])
	if err != nil {
		return 0, err
	}
	set &^= abi.SigBit(abi.SIGKILL) | abi.SigBit(abi.SIGSTOP)
	s := kernel.Sleep{Restart: abi.EINTR, Timeout: func() (uint64, error) { return 0, abi.EAGAIN }}
	poll := false
	if a[2] != 0 {
		w, err := getWords(t, a[2], 2)
		if err != nil {
			return 0, err
		}
		ns, err := duration(w)
		if err != nil {
			return 0, err
		}
		poll = ns == 0
		s.Deadline = t.Kernel().Clock.Monotonic() + ns
	}
	waiting := false
	s.Try = func() (uint64, error) {
		info := t.TakeSignal(set)
		if info == nil && poll {
			return 0, abi.EAGAIN
		}
		if info == nil {
			if !waiting {
				// While we wait, a signal of the set must wake us, not queue up
				// behind the mask.
				waiting = true
				t.WaitForSignals(set)
			}
			return 0, kernel.Again
		}
		if a[1] != 0 {
			if err := t.CopyOut(a[1], info[:]); err != nil {
				return 0, err
			}
		}
		return uint64(info.Signo()), nil
	}
	s.Cleanup = func(bool) { t.WaitForSignals(0) }
	return t.Sleep(s)
}

// userInfo is the siginfo of kill and tgkill.
func userInfo(t *kernel.Task, sig int, code int32) *abi.Siginfo {
	return abi.NewSiginfo(sig, code).SetSender(t.PID(), t.Creds().UID)
}

func kill(t *kernel.Task, a Args) (uint64, error) {
	pid, sig := int32(a[0]), a.Int(1)
	if sig < 0 || sig > abi.NSIG {
		return 0, abi.EINVAL
	}
	k := t.Kernel()
	switch {
	case pid > 0:
		g, err := k.Group(pid)
		if err != nil {
			o, e := k.Task(pid)
			if e != nil {
				return 0, err
			}
			g = o.Group()
		}
		return 0, killGroup(t, g, sig)
	case pid == -1<<31:
		return 0, abi.ESRCH
	}
	pgid := -pid
	if pid == 0 {
		pgid, _ = t.Group().IDs()
	}
	found, sent := false, false
	var last error
	for _, g := range k.Groups() {
		id, _ := g.IDs()
		if pid == -1 {
			if g.PID() == 1 || g == t.Group() {
				continue
			}
		} else if id != pgid {
			continue
		}
		found = true
		if err := killGroup(t, g, sig); err != nil {
			last = err
		} else {
			sent = true
		}
	}
	switch {
	case sent:
		return 0, nil
	case found:
		return 0, last
	}
	return 0, abi.ESRCH
}

func killGroup(t *kernel.Task, g *kernel.ThreadGroup, sig int) error {
	if err := t.MaySignal(g, sig); err != nil {
		return err
	}
	if sig != 0 {
		return t.Kernel().SendGroup(g, userInfo(t, sig, abi.SI_USER))
	}
	return nil
}

func tkill(t *kernel.Task, a Args) (uint64, error) {
	return sendThread(t, 0, int32(a[0]), a.Int(1), nil)
}

func tgkill(t *kernel.Task, a Args) (uint64, error) {
	if int32(a[0]) <= 0 {
		return 0, abi.EINVAL
	}
	return sendThread(t, int32(a[0]), int32(a[1]), a.Int(2), nil)
}

// sendThread sends to thread tid of process tgid (0: any); info nil: as tgkill.
func sendThread(t *kernel.Task, tgid, tid int32, sig int, info *abi.Siginfo) (uint64, error) {
	if tid <= 0 || sig < 0 || sig > abi.NSIG {
		return 0, abi.EINVAL
	}
	o, err := t.Kernel().Task(tid)
	if err != nil {
		return 0, err
	}
	if tgid != 0 && o.PID() != tgid {
		return 0, abi.ESRCH
	}
	if err := t.MaySignal(o.Group(), sig); err != nil {
		return 0, err
	}
	if sig == 0 {
		return 0, nil
	}
	if info == nil {
		info = userInfo(t, sig, abi.SI_TKILL)
	}
	return 0, t.Kernel().SendTask(o, info)
}

// queuedInfo reads a siginfo from user space for process tgid; only the process
// itself may claim to be the kernel or kill(2).
func queuedInfo(t *kernel.Task, addr uint64, sig int, tgid int32) (*abi.Siginfo, error) {
	var info abi.Siginfo
	if err := t.CopyIn(addr, info[:]); err != nil {
		return nil, err
	}
	le.PutUint32(info[:], uint32(sig))
	if c := info.Code(); (c >= 0 || c == abi.SI_TKILL) && tgid != t.PID() {
		return nil, abi.EPERM
	}
	return &info, nil
}

func sigqueueinfo(t *kernel.Task, a Args) (uint64, error) {
	pid, sig := int32(a[0]), a.Int(1)
	info, err := queuedInfo(t, a[2], sig, pid)
	if err != nil {
		return 0, err
	}
	if sig < 0 || sig > abi.NSIG {
		return 0, abi.EINVAL
	}
	g, err := t.Kernel().Group(pid)
	if err != nil {
		return 0, err
	}
	if err := t.MaySignal(g, sig); err != nil || sig == 0 {
		return 0, err
	}
	return 0, t.Kernel().SendGroup(g, info)
}

func tgsigqueueinfo(t *kernel.Task, a Args) (uint64, error) {
	sig := a.Int(2)
	info, err := queuedInfo(t, a[3], sig, int32(a[0]))
	if err != nil {
		return 0, err
	}
	if int32(a[0]) <= 0 {
		return 0, abi.EINVAL
	}
	return sendThread(t, int32(a[0]), int32(a[1]), sig, info)
}
