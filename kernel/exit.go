// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"

	"lodger/abi"
	"lodger/host/notify"
)

// Exit ends the calling thread (exit(2)); the last one ends its process. Its
// handler returns what Exit returns.
func (t *Task) Exit(code int32) (uint64, error) {
	t.releaseRobust()
	if len(t.robustWakes) > 0 {
		return t.wakeThenExit(false, code)
	}
	k := t.k
	k.mu.Lock()
	g := t.tg
	last := true
	for _, o := range g.tasks {
		if o != t && !o.dying.Load() {
			last = false
		}
	}
	if last {
		g.exiting, g.status = true, (code&0xff)<<8
	} else if t == g.leader {
		g.status = (code & 0xff) << 8
	}
	k.reapTask(t)
	k.mu.Unlock()
	return t.letGo()
}

// ExitGroup ends the calling process (exit_group(2)).
func (t *Task) ExitGroup(code int32) (uint64, error) {
	t.releaseRobust()
	if len(t.robustWakes) > 0 {
		return t.wakeThenExit(true, code)
	}
	k := t.k
	k.mu.Lock()
	g := t.tg
	g.exiting, g.status = true, (code&0xff)<<8
	for _, o := range append([]*Task(nil), g.tasks...) {
		k.reapTask(o)
	}
	k.mu.Unlock()
	return t.letGo()
}

// wakeThenExit has the thread's own stub wake the waiters of its robust futexes:
// the host wakes only within an address space. Then it exits again.
func (t *Task) wakeThenExit(group bool, code int32) (uint64, error) {
	b := t.wakeBatch(notify.MaxBatch - 1)
	return t.WithFrame(func() (uint64, error) {
		nr := uint64(notify.NrExit)
		if group {
			nr = notify.NrExitGroup
		}
		b.AddLoose(uint32(nr), uint64(code))
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.act(notify.ActBatch)
		return 0, errAnswered
	})
}

// letGo lets the host end the thread or process that calls exit.
func (t *Task) letGo() (uint64, error) {
	if t.k.dead.Load() {
		return 0, errAnswered
	}
	return t.Continue()
}

// reapTask takes a thread out of its process: do_exit. The host thread's slot is
// cleared before the host can use its number again. The caller holds k.mu.
func (k *Kernel) reapTask(t *Task) {
	if t.dying.Load() {
		return
	}
	g := t.tg
	t.unbind()
	t.dying.Store(true)
	k.pokeMove()
	t.traceExit()
	if t.execC != nil {
		k.forgetSiblings(t.execC)
	}
	if g.stopped.Load() && !t.inStop {
		t.enterStop()
	}
	for i, o := range g.tasks {
		if o == t {
			g.tasks = append(g.tasks[:i], g.tasks[i+1:]...)
			break
		}
	}
	last := len(g.tasks) == 0
	if last {
		// CPU times of the whole process, before its clock is gone.
		g.noteUsage()
	}
	if t != g.leader {
		delete(k.tasks, t.tid)
	}
	if t.area != g.tabArea {
		t.MM.FreeArea(t.area)
	}
	if last && g.tabArea >= 0 {
		t.MM.FreeArea(g.tabArea)
	}
	g.holding++
	k.later(func() {
		t.dropResources()
		k.released(g)
	})
	if !last {
		k.ready(t)
		return
	}
	g.exiting = true
	k.noteEnding(g)
	g.stopTimers()
}

// released notes that a dead thread of g has released what it held. Only when all have, the
// process is a zombie and its parent told, who may count on files being closed and
// mounts free (do_exit calls exit_mm and exit_files before exit_notify).
func (k *Kernel) released(g *ThreadGroup) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g.holding--; g.holding == 0 && len(g.tasks) == 0 {
		k.exitNotify(g)
	}
}

// dropResources releases what a dead task held: closing files may wake others.
func (t *Task) dropResources() {
	t.k.dropClones(t)
	ctx := t.Context()
	t.Files.Drop(ctx, t.tg)
	t.FS.Drop()
	t.MM.Drop()
	t.k.piExit(t)
	t.k.ready(t) // ends its sleep, if it had one
}

// exitNotify makes a zombie of g: exit_notify. The caller holds k.mu.
func (k *Kernel) exitNotify(g *ThreadGroup) {
	g.zombie = true
	g.stopped.Store(false)
	if g == k.init { // do_exit's panic: nobody is left to go on
		k.later(func() { k.Shutdown(initEnded(g.status)) })
		return
	}
	if g == k.main {
		k.later(func() { k.Shutdown(statusOf(g.status)) })
	}
	k.adopt(g)
	k.leaveSession(g)
	if g.parent.pgid != g.pgid && g.parent.sid == g.sid {
		k.hupOrphans(g.pgid)
	}
	code := int32(abi.CLD_EXITED)
	status := g.status >> 8 & 0xff
	if g.status&0x7f != 0 {
		code, status = abi.CLD_KILLED, g.status&0x7f
	}
	if k.notifyParent(g, code, status) {
		k.release(g)
	}
}

// initEnded is the end of a guest whose init has ended, with wait status ws.
func initEnded(ws int32) Status {
	s := statusOf(ws)
	s.Panic = fmt.Sprintf("Attempted to kill init! exitcode=0x%08x", uint32(ws))
	return s
}

func statusOf(ws int32) Status {
	if sig := int(ws & 0x7f); sig != 0 {
		return Status{Signal: sig, Code: 128 + sig}
	}
	return Status{Code: int(ws >> 8 & 0xff)}
}

// adopt gives g's children a new parent: the nearest subreaper or init.
func (k *Kernel) adopt(g *ThreadGroup) {
	reaper := k.init
	for p := g.parent; p != nil; p = p.parent {
		if p.subreaper && !p.exiting {
			reaper = p
			break
		}
	}
	for c := range g.children {
		delete(g.children, c)
		c.parent = reaper
		reaper.children[c] = struct{}{}
		c.exitSignal = abi.SIGCHLD
		if sig := c.leader.PDeathSig; sig != 0 && !c.zombie {
			k.send(c, nil, abi.NewSiginfo(sig, abi.SI_USER).SetSender(g.pid, 0))
		}
		if c.zombie {
			if k.notifyParent(c, abi.CLD_EXITED, c.status>>8&0xff) {
				k.release(c)
			}
		} else if c.pgid != g.pgid && c.sid == g.sid {
			k.hupOrphans(c.pgid)
		}
	}
}

// leaveSession: when a session leader ends, its terminal's foreground group gets
// SIGHUP and the terminal is free.
func (k *Kernel) leaveSession(g *ThreadGroup) {
	if g.sid != g.pid || g.CTTY == nil {
		return
	}
	tty := g.CTTY
	for _, o := range k.groups {
		if o.sid == g.sid {
			o.CTTY = nil
		}
	}
	k.later(func() { tty.SessionEnded(g.sid) })
}

// notifyParent tells g's parent of a change of state: do_notify_parent. It
// reports whether nobody will wait for g. The caller holds k.mu.
func (k *Kernel) notifyParent(g *ThreadGroup, code, status int32) (autoreap bool) {
	p := g.parent
	if p == nil || p.zombie || p.builtin {
		return g.zombie
	}
	sig := g.exitSignal
	if !g.zombie {
		sig = abi.SIGCHLD
	}
	if sig == abi.SIGCHLD {
		if v := p.anyView(abi.SIGCHLD); v.ok {
			if g.zombie && (v.action.Handler == abi.SIG_IGN || v.action.Flags&abi.SA_NOCLDWAIT != 0) {
				autoreap = true
				if v.action.Handler == abi.SIG_IGN {
					sig = 0
				}
			}
			if !g.zombie && v.action.Flags&abi.SA_NOCLDSTOP != 0 {
				sig = 0
			}
			if !v.mask.Has(abi.SIGCHLD) && ignores(v.action, abi.SIGCHLD) && p.SignalQueue().Empty() {
				sig = 0 // send would find the same
			}
		}
	}
	if sig != 0 {
		info := abi.NewSiginfo(sig, code).SetChild(g.pid, g.leader.Creds().UID, status, ticks(g.deadU), ticks(g.deadS))
		k.send(p, nil, info)
	}
	p.childWait.Notify(0)
	return autoreap
}

// anyView reads an action from any thread that can be asked.
func (g *ThreadGroup) anyView(sig int) sigView {
	for _, t := range g.tasks {
		if v := t.view(sig); v.ok {
			return v
		}
	}
	return sigView{}
}

// release forgets a zombie: release_task. The caller holds k.mu.
func (k *Kernel) release(g *ThreadGroup) {
	delete(k.groups, g.pid)
	delete(k.tasks, g.pid)
	if g.parent != nil {
		delete(g.parent.children, g)
	}
}

// buryKilled ends a process in the guest too whose host process is gone: pid, which
// was watched by descriptor fd, ended by signal sig.
func (k *Kernel) buryKilled(pid int32, fd, sig int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range k.groups {
		if g.hostPID == pid && g.deathFD == fd && !g.exiting && !g.zombie {
			k.exitGroup(g, int32(sig))
			return
		}
	}
}

// ticks turns nanoseconds into clock ticks of 10 ms.
func ticks(ns int64) int64 { return ns / 1e7 }
