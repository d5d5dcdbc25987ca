// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/abi"

// JobControl returns process group and session of t, and whether tty c controls
// it.
func (t *Task) JobControl(c any) (pgid, sid int32, controlling bool) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.tg.pgid, t.tg.sid, t.tg.CTTY != nil && any(t.tg.CTTY) == c
}

// Background is what access from the background does (tty_check_change): a signal
// to the process group. EIO: the caller may go on (the signal is blocked or
// ignored) or can never be stopped.
func (t *Task) Background(sig int) error {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	v := t.view(sig)
	if !v.ok || v.mask.Has(sig) || v.action.Handler == abi.SIG_IGN || k.orphaned(t.tg.pgid, nil) {
		return abi.EIO
	}
	k.signalPgrp(t.tg.pgid, abi.NewSiginfo(sig, abi.SI_KERNEL))
	return abi.ERESTARTSYS
}

// TakeTTY makes c the controlling terminal of t's session (TIOCSCTTY).
func (t *Task) TakeTTY(c any) error {
	tty, ok := c.(TTY)
	if !ok {
		return abi.ENOTTY
	}
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	g := t.tg
	if any(g.CTTY) == c {
		return nil
	}
	if g.sid != g.pid || g.CTTY != nil {
		return abi.EPERM
	}
	for _, o := range k.groups {
		if any(o.CTTY) == c && o.sid != g.sid {
			return abi.EPERM
		}
	}
	g.CTTY = tty
	tty.SetForeground(g.sid, g.pgid)
	return nil
}

// DropTTY gives up the controlling terminal; a session leader's whole session
// loses it.
func (t *Task) DropTTY(c any) {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	g := t.tg
	if g.sid == g.pid {
		k.leaveSession(g)
		return
	}
	g.CTTY = nil
}

// InSession reports whether process group pgid has a member in session sid.
func (t *Task) InSession(pgid, sid int32) bool {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	for _, g := range t.k.groups {
		if g.pgid == pgid && g.sid == sid {
			return true
		}
	}
	return false
}

// TTY is the controlling terminal of the process; nil: none.
func (g *ThreadGroup) TTY() TTY { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.CTTY }
