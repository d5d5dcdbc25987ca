// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"encoding/binary"
	"math/rand/v2"

	"lodger/abi"
	"lodger/host/notify"
)

// CloneArgs is struct clone_args, as clone, fork and vfork fill it too.
type CloneArgs struct {
	Flags      uint64
	PIDFD      uint64
	ChildTID   uint64
	ParentTID  uint64
	ExitSignal int
	Stack      uint64 // top: the child's stack pointer; 0: the parent's
	TLS        uint64
}

// cloning is a clone that the kernel agreed to and the host has not finished.
type cloning struct {
	child   *Task
	flags   uint64 // that the host's clone must be called with
	started bool
	area    [2]uint64 // base and length that the stub maps for the child's area
}

// allows checks the stub's own clone: exactly the flags that were agreed.
func (c *cloning) allows(args [6]uint64) bool {
	return !c.started && args[0] == c.flags && args[2] == 0
}

// mapsArea reports whether a mapping is exactly that of the child's area: it comes
// to the kernel where the host cannot seal the stub.
func (c *cloning) mapsArea(args [6]uint64) bool {
	const readWrite, privateAnonFixed = 3, 0x100022
	return !c.started && c.area[1] != 0 && args == [6]uint64{c.area[0], c.area[1], readWrite, privateAnonFixed, ^uint64(0), 0}
}

// cloneUnsupported are namespaces and the like that are not there yet.
const cloneUnsupported = abi.CLONE_NEWNS | abi.CLONE_NEWCGROUP | abi.CLONE_NEWUTS | abi.CLONE_NEWIPC | abi.CLONE_NEWUSER |
	abi.CLONE_NEWPID | abi.CLONE_NEWNET | abi.CLONE_INTO_CGROUP

// Clone makes a new thread or process. It is a framed call: the stub does the
// host's clone, the child announces itself.
func (t *Task) Clone(a CloneArgs) (uint64, error) {
	if err := a.check(); err != nil {
		return 0, err
	}
	if t.call.kind != callFrame {
		return 0, abi.ENOSYS
	}
	k := t.k
	k.forks.Add(1)
	k.mu.Lock()
	child, err := k.newChild(t, &a)
	k.mu.Unlock()
	if err != nil {
		return 0, err
	}
	cmd, c := t.cloneCmd(child, &a)
	if err := t.cloneTIDs(child, &a); err != nil {
		k.abandon(child)
		return 0, err
	}
	if err := cmd.Write(t.proc()); err != nil {
		k.abandon(child)
		return 0, abi.EFAULT
	}
	t.cloneC = c
	k.mu.Lock()
	k.clones[cmd.Token] = child
	k.mu.Unlock()
	child.StartTime = k.Clock.Monotonic()
	k.watchChild(child, cmd.Token)
	t.traceReturn(uint64(child.tid))
	t.holdNear(child)
	t.act(notify.ActClone)
	return 0, errAnswered
}

// directFork serves the stub's clone for a plain fork: it is decided here and goes
// on at once.
func (t *Task) directFork(args [6]uint64) {
	flags, childTID, ok := notify.DirectFork(args)
	if !ok {
		t.refuse(abi.EPERM)
		return
	}
	k := t.k
	k.forks.Add(1)
	if tr := k.cfg.Trace; tr != nil {
		tr.Enter(t, t.call.nr, [6]uint64{flags, 0, 0, childTID})
	}
	a := &CloneArgs{Flags: flags &^ abi.CSIGNAL, ExitSignal: int(flags & abi.CSIGNAL), ChildTID: childTID}
	if err := a.check(); err != nil {
		t.refuse(errnoOf(err))
		return
	}
	token := rand.Uint64()
	k.mu.Lock()
	child, err := k.newChild(t, a)
	if err == nil {
		if flags&abi.CLONE_CHILD_SETTID != 0 {
			child.setTID = childTID
		}
		k.clones[token] = child
	}
	k.mu.Unlock()
	if err != nil {
		t.refuse(errnoOf(err))
		return
	}
	if notify.WriteFork(t.proc(), token, uint64(child.tid)) != nil {
		k.abandon(child)
		t.refuse(abi.EAGAIN)
		return
	}
	t.cloneC = &cloning{child: child, started: true}
	child.StartTime = k.Clock.Monotonic()
	k.watchChild(child, token)
	t.traceReturn(uint64(child.tid))
	t.holdNear(child)
	t.proceed()
}

// refuse answers a stub's own call with an error.
func (t *Task) refuse(e abi.Errno) {
	t.traceReturn(uint64(-int64(e)))
	id := t.call.id
	t.call.kind = callNone
	_ = t.k.p.AnswerErrno(id, e)
}

// check is copy_process's validation of flags.
func (a *CloneArgs) check() error {
	f := a.Flags
	has := func(x uint64) bool { return f&x != 0 }
	switch {
	case has(cloneUnsupported):
		return abi.EINVAL
	case has(abi.CLONE_THREAD) && !has(abi.CLONE_SIGHAND),
		has(abi.CLONE_SIGHAND) && !has(abi.CLONE_VM),
		has(abi.CLONE_SIGHAND) && has(abi.CLONE_CLEAR_SIGHAND),
		has(abi.CLONE_THREAD) && a.ExitSignal != 0 && a.ExitSignal != abi.SIGCHLD:
		return abi.EINVAL
	case a.ExitSignal < 0 || a.ExitSignal > abi.NSIG:
		return abi.EINVAL
	}
	return nil
}

// cloneCmd says what the stub shall do.
func (t *Task) cloneCmd(child *Task, a *CloneArgs) (*notify.CloneCmd, *cloning) {
	shares := a.Flags&abi.CLONE_VM != 0
	var flags uint64
	if a.Flags&abi.CLONE_THREAD != 0 {
		flags = abi.CLONE_VM | abi.CLONE_FS | abi.CLONE_FILES | abi.CLONE_SIGHAND | abi.CLONE_THREAD | abi.CLONE_SYSVSEM
	} else {
		// All host processes are the zygote's children: it reports their deaths.
		flags = abi.CLONE_PARENT
		if shares {
			flags |= abi.CLONE_VM
		}
		if a.Flags&abi.CLONE_VFORK != 0 {
			flags |= abi.CLONE_VFORK
		}
		if a.Flags&abi.CLONE_SIGHAND != 0 {
			flags |= abi.CLONE_SIGHAND // the host's table mirrors the guest's
		}
	}
	c := &cloning{child: child}
	cmd := &notify.CloneCmd{ChildPID: uint64(child.tid), SP: a.Stack, Token: rand.Uint64(), SigTab: child.tg.sigtab}
	if a.Flags&abi.CLONE_SETTLS != 0 {
		flags |= abi.CLONE_SETTLS
		cmd.TLS = a.TLS
	}
	if a.Flags&abi.CLONE_CHILD_CLEARTID != 0 {
		flags |= abi.CLONE_CHILD_CLEARTID
		cmd.CTID = a.ChildTID
	}
	if shares {
		base, header := t.k.p.Area(child.area)
		cmd.ChildHeader, cmd.AreaBase = header, base
		if !child.areaMapped {
			cmd.MapLen = t.k.p.AreaSize()
			c.area = [2]uint64{base, cmd.MapLen}
		}
	}
	c.flags, cmd.Flags = flags, flags
	return cmd, c
}

// cloneTIDs stores thread ids where the flags ask for them.
func (t *Task) cloneTIDs(child *Task, a *CloneArgs) error {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(child.tid))
	if a.Flags&abi.CLONE_PARENT_SETTID != 0 {
		if err := t.CopyOut(a.ParentTID, b[:]); err != nil {
			return err
		}
	}
	if a.Flags&abi.CLONE_CHILD_SETTID != 0 {
		if a.Flags&abi.CLONE_VM == 0 {
			child.setTID = a.ChildTID
		} else {
			_ = t.CopyOut(a.ChildTID, b[:])
		}
	}
	return nil
}

// newChild makes the task. The caller holds k.mu.
func (k *Kernel) newChild(t *Task, a *CloneArgs) (*Task, error) {
	g := t.tg
	if g.exiting {
		return nil, abi.EAGAIN
	}
	if len(k.tasks) >= int(k.cfg.PIDMax) {
		return nil, abi.EAGAIN
	}
	c := t.Creds()
	if lim := g.rlimits[abi.RLIMIT_NPROC].Cur; c.UID != 0 && !c.Capable(abi.CAP_SYS_RESOURCE) && !c.Capable(abi.CAP_SYS_ADMIN) && uint64(k.tasksOf(c.UID)) >= lim {
		return nil, abi.EAGAIN
	}
	tid, err := k.allocPID()
	if err != nil {
		return nil, err
	}
	child := &Task{k: k, tid: tid, cloner: t, NoNewPrivs: t.NoNewPrivs, TimerSlack: t.TimerSlack}
	child.creds.Store(t.creds.Load())
	child.comm.Store(t.comm.Load())
	child.ctx.Now, child.ctx.Task = k.Clock.Now, child
	child.SchedPolicy, child.clearHandlers = t.SchedPolicy, a.Flags&abi.CLONE_CLEAR_SIGHAND != 0
	if a.Flags&abi.CLONE_VM != 0 {
		child.MM = t.MM.Share()
		child.area, child.areaMapped = t.MM.AllocArea()
		_, child.header = k.p.Area(child.area)
		if a.Flags&abi.CLONE_VFORK != 0 {
			child.AltStack = t.AltStack
		}
	} else {
		child.MM = t.MM.Fork(t.area, g.tabArea)
		if m := k.moving.Load(); m != nil && m.has(t.MM) {
			m.add(child.MM)
		}
		child.area, child.header = t.area, t.header
		child.AltStack = t.AltStack
	}
	child.Files, child.FS = t.Files, t.FS
	if a.Flags&abi.CLONE_FILES != 0 {
		t.Files.Share()
	} else {
		child.Files = t.Files.Fork()
	}
	if a.Flags&abi.CLONE_FS != 0 {
		t.FS.Share()
	} else {
		child.FS = t.FS.Fork()
	}
	if a.Flags&abi.CLONE_THREAD != 0 {
		child.tg = g
		g.tasks = append(g.tasks, child)
		if g.stopped.Load() {
			g.stopCount++ // it stops before it runs
		}
	} else {
		k.newGroup(child, t, a)
	}
	k.tasks[tid] = child
	return child, nil
}

// newGroup makes child the leader of a new process.
func (k *Kernel) newGroup(child, t *Task, a *CloneArgs) {
	p := t.tg
	g := &ThreadGroup{
		k: k, pid: child.tid, deathFD: -1, leader: child, tasks: []*Task{child}, children: map[*ThreadGroup]struct{}{},
		parent: p, exitSignal: a.ExitSignal, pgid: p.pgid, sid: p.sid, CTTY: p.CTTY,
		rlimits: p.rlimits, dumpable: p.dumpable, nice: p.nice, sigtab: p.sigtab, tabArea: p.tabArea,
	}
	if a.Flags&abi.CLONE_PARENT != 0 && p.parent != nil {
		g.parent, g.exitSignal = p.parent, p.exitSignal
	}
	if a.Flags&abi.CLONE_VM != 0 {
		if a.Flags&abi.CLONE_SIGHAND != 0 {
			g.tabArea = -1
		} else {
			g.tabArea, g.sigtab = child.area, notify.OwnTable(child.header)
		}
	}
	child.tg = g
	g.parent.children[g] = struct{}{}
	k.groups[g.pid] = g
}

func (k *Kernel) tasksOf(uid uint32) int {
	n := 0
	for _, t := range k.tasks {
		if t.Creds().UID == uid {
			n++
		}
	}
	return n
}

// allocPID finds the next free id, wrapping around as Linux does. The caller
// holds k.mu.
func (k *Kernel) allocPID() (int32, error) {
	const first = 300 // RESERVED_PIDS, used from the second round on
	for range k.cfg.PIDMax {
		k.lastPID++
		if k.lastPID >= max(k.cfg.PIDMax, 32768) {
			k.lastPID = first
		}
		if _, used := k.tasks[k.lastPID]; !used && !k.idInUse(k.lastPID) {
			return k.lastPID, nil
		}
	}
	return 0, abi.EAGAIN
}

// idInUse reports whether id still names a process group or session.
func (k *Kernel) idInUse(id int32) bool {
	if _, ok := k.groups[id]; ok {
		return true
	}
	if k.lastPID < 32768 && k.forks.Load() < 30000 {
		return false // the numbers have not wrapped yet
	}
	for _, g := range k.groups {
		if g.pgid == id || g.sid == id {
			return true
		}
	}
	return false
}

// abandon takes back a child that will never run.
func (k *Kernel) abandon(child *Task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if child.dying.Load() || child.hostTID != 0 {
		return
	}
	g := child.tg
	if g.leader == child {
		k.release(g)
		g.exiting, g.zombie = true, true
		g.tasks = nil
		child.dying.Store(true)
		if g.tabArea == child.area && child.MM != nil {
			child.MM.FreeArea(child.area)
		}
		k.later(child.dropResources)
		return
	}
	k.reapTask(child)
}

// onChild: a new thread's first words. stranger bound it.
func (t *Task) onChild() {
	if t.setTID != 0 {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(t.tid))
		_ = t.CopyOut(t.setTID, b[:])
		t.setTID = 0
	}
	t.enterChild()
}

// enterChild lets a new thread run guest code.
func (t *Task) enterChild() {
	if t.clearHandlers && t.resetHandlers() {
		return
	}
	t.k.mu.Lock()
	if t.anyDeliverable() || t.tg.stopped.Load() {
		t.hostKick()
	}
	t.notePending()
	t.k.mu.Unlock()
	t.act(notify.ActResume)
}

// resetHandlers gives signals with a handler their default action
// (CLONE_CLEAR_SIGHAND), in the stub's table and, by a batch, in the host's. It
// reports whether the stub has work; onBatch comes back here.
func (t *Task) resetHandlers() bool {
	table, err := t.proc().ReadTable(t.tg.sigtab)
	if err != nil {
		return false
	}
	var b notify.Batch
	for i, raw := range table {
		if h := abi.DecodeSigaction(raw[:]).Handler; h == abi.SIG_DFL || h == abi.SIG_IGN {
			continue
		}
		if b.Len() == notify.MaxBatch {
			break
		}
		_ = t.proc().WriteAction(t.tg.sigtab, i+1, [32]byte{})
		if !notify.StubHandles(i + 1) {
			b.AddLoose(notify.NrSigaction, uint64(i+1), notify.ActionAddr(t.tg.sigtab, i+1), 0, 8)
		}
	}
	t.clearHandlers = b.Len() == notify.MaxBatch
	if b.Len() == 0 || b.Write(t.proc()) != nil {
		return false
	}
	t.act(notify.ActBatch)
	return true
}

// onCloneFailed: the host refused. The parent's call gets the error.
func (t *Task) onCloneFailed() {
	k := t.k
	token, e := t.call.args[0], -int64(t.call.args[1])
	if e <= 0 || e > 4095 {
		e = int64(abi.EAGAIN)
	}
	k.mu.Lock()
	child := k.clones[token]
	c := t.cloneC
	if c == nil || c.child != child {
		child = nil
	}
	if child != nil {
		delete(k.clones, token)
	}
	t.letMove()
	k.mu.Unlock()
	t.cloneC = nil
	if c != nil && c.started {
		k.suspect() // the word of guest code, perhaps
	}
	if child != nil {
		child.announce.Stop()
		k.abandon(child)
	}
	t.call.kind = callFrame
	t.finish(0, abi.Errno(e))
}

// dropClones takes back children that t was about to make when it died. Should the
// host have made one, it announces itself in vain and is killed.
func (k *Kernel) dropClones(t *Task) {
	var lost []*Task
	t.callMu.Lock()
	pending := t.cloneC
	t.callMu.Unlock()
	if pending == nil {
		return // its clones are done: their children come in their own time
	}
	k.mu.Lock()
	for token, c := range k.clones {
		if c.cloner == t && c == pending.child {
			delete(k.clones, token)
			lost = append(lost, c)
		}
	}
	k.mu.Unlock()
	if len(lost) > 0 && pending.started {
		k.suspect()
	}
	for _, c := range lost {
		c.announce.Stop()
		k.abandon(c)
	}
}

// watchChild ends a child that does not announce itself: then something other
// than the agreed clone happened in its parent.
func (k *Kernel) watchChild(child *Task, token uint64) {
	const patience = 20e9
	child.announce = k.Clock.After(patience, func() {
		k.Do(func() {
			k.mu.Lock()
			_, waiting := k.clones[token]
			delete(k.clones, token)
			if c := child.cloner; waiting && !child.dying.Load() && c != nil {
				k.Log.Warn("a clone's child did not announce itself", "task", child.String())
				if !c.dying.Load() {
					k.killGroup(c.tg, abi.SIGKILL) // whose parent may be somebody else
				}
			}
			k.mu.Unlock()
			if waiting {
				k.suspect()
				k.abandon(child)
			}
		})
	})
}
