// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/abi"

// WaitFilter selects the children that a wait call means: P_ALL, P_PID, P_PGID.
type WaitFilter struct {
	Type    int
	ID      int32
	Options int
}

// WaitResult is one child's change of state.
type WaitResult struct {
	PID          int32
	UID          uint32
	Status       int32 // as wait4(2) stores it
	Code         int32 // CLD_*
	CodeStatus   int32 // si_status
	UTime, STime int64 // nanoseconds, of the child and what it waited for
	MaxRSS       int64
}

func (f WaitFilter) matches(g *ThreadGroup) bool {
	switch f.Type {
	case abi.P_PID:
		if g.pid != f.ID {
			return false
		}
	case abi.P_PGID:
		if g.pgid != f.ID {
			return false
		}
	}
	if f.Options&abi.WALL != 0 {
		return true
	}
	return (g.exitSignal != abi.SIGCHLD) == (f.Options&abi.WCLONE != 0)
}

// Wait looks for a child that f means. It returns Again when there are such
// children but none has news, ECHILD when there is none.
func (t *Task) Wait(f WaitFilter) (*WaitResult, error) {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	found := false
	for g := range t.tg.children {
		if !f.matches(g) {
			continue
		}
		found = true
		if r := k.childNews(t.tg, g, f.Options); r != nil {
			return r, nil
		}
	}
	if !found {
		return nil, abi.ECHILD
	}
	return nil, Again
}

// ChildSource is what to sleep on while waiting for children.
func (t *Task) ChildSource() Source { return Source{Queue: &t.tg.childWait} }

// childNews takes g's news, if it has some that opts ask for.
func (k *Kernel) childNews(parent, g *ThreadGroup, opts int) *WaitResult {
	r := &WaitResult{PID: g.pid, UID: g.leader.Creds().UID}
	keep := opts&abi.WNOWAIT != 0
	switch {
	case g.zombie && opts&abi.WEXITED != 0:
		r.Status, r.Code, r.CodeStatus = g.status, abi.CLD_EXITED, g.status>>8&0xff
		if g.status&0x7f != 0 {
			r.Code, r.CodeStatus = abi.CLD_KILLED, g.status&0x7f
		}
		r.UTime, r.STime, r.MaxRSS = g.deadU+g.childU, g.deadS+g.childS, g.maxRSS
		if !keep {
			parent.childU += r.UTime
			parent.childS += r.STime
			k.release(g)
		}
	case g.stopped.Load() && g.stopNews && g.stopCount <= 0 && !g.stopSeen && opts&abi.WSTOPPED != 0:
		r.Status, r.Code, r.CodeStatus = int32(g.stopSig)<<8|0x7f, abi.CLD_STOPPED, int32(g.stopSig)
		g.stopSeen = !keep
	case g.contNews && opts&abi.WCONTINUED != 0:
		r.Status, r.Code, r.CodeStatus = 0xffff, abi.CLD_CONTINUED, abi.SIGCONT
		g.contNews = keep
	default:
		return nil
	}
	return r
}
