// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/mm"
)

// Program is the first program of a guest: its init.
type Program struct {
	Path  string
	Argv  []string
	Envp  []string
	Creds *fs.Creds
	Root  fs.Path
	Cwd   fs.Path
	CTTY  TTY        // controlling terminal; nil: none
	Files []*fs.File // descriptors 0, 1, 2...; nil: closed
	// Init: the program is process 1 itself. The guest's end is then a panic when it
	// ends, unless it asks for power-off. Otherwise Lodger's own init is process 1.
	Init bool
}

// DefaultRlimits are the limits of a guest's first process.
func DefaultRlimits(pids uint64) (l [abi.RLIM_NLIMITS]abi.Rlimit) {
	for i := range l {
		l[i] = abi.Rlimit{Cur: abi.RLIM_INFINITY, Max: abi.RLIM_INFINITY}
	}
	l[abi.RLIMIT_STACK] = abi.Rlimit{Cur: 8 << 20, Max: abi.RLIM_INFINITY}
	l[abi.RLIMIT_CORE] = abi.Rlimit{Cur: 0, Max: abi.RLIM_INFINITY}
	l[abi.RLIMIT_NPROC] = abi.Rlimit{Cur: pids, Max: pids}
	l[abi.RLIMIT_NOFILE] = abi.Rlimit{Cur: 1024, Max: 1048576}
	l[abi.RLIMIT_MEMLOCK] = abi.Rlimit{Cur: 8 << 20, Max: 8 << 20}
	l[abi.RLIMIT_SIGPENDING] = abi.Rlimit{Cur: sigPendingMost, Max: sigPendingMost}
	l[abi.RLIMIT_MSGQUEUE] = abi.Rlimit{Cur: 819200, Max: 819200}
	l[abi.RLIMIT_NICE] = abi.Rlimit{}
	l[abi.RLIMIT_RTPRIO] = abi.Rlimit{}
	return l
}

// makeInit makes process 1: Lodger's own small init, which has no host process.
// It adopts orphans and reaps them at once, ignores every signal, and the guest
// ends with its first child.
func (k *Kernel) makeInit(p Program) {
	t := k.newInitTask(1, p)
	t.SetComm("init")
	t.tg.tasks = nil
	t.tg.builtin = true
	k.init = t.tg
	k.tasks[1], k.groups[1] = t, t.tg
	k.lastPID = 1
}

func (k *Kernel) newInitTask(pid int32, p Program) *Task {
	t := &Task{k: k, tid: pid, FS: NewFSInfo(p.Root, p.Cwd), Files: NewFiles(), StartTime: k.Clock.Monotonic()}
	t.tg = &ThreadGroup{
		k: k, pid: pid, deathFD: -1, leader: t, tasks: []*Task{t}, children: map[*ThreadGroup]struct{}{},
		exitSignal: abi.SIGCHLD, pgid: pid, sid: pid, dumpable: 1, rlimits: DefaultRlimits(uint64(k.cfg.PIDMax)),
	}
	t.MM = mm.New()
	t.creds.Store(p.Creds)
	t.ctx.Now = k.Clock.Now
	t.ctx.Task = t
	return t
}

// makeIdle makes the parent of a guest's own init: Linux's process 0, which nobody
// sees but as a number.
func (k *Kernel) makeIdle(p Program) *ThreadGroup {
	g := k.newInitTask(0, p).tg
	g.tasks, g.builtin = nil, true
	return g
}

// firstTask prepares the first program, whose host process waits at its first
// execve: process 1, or under Lodger's own init process 2, which leads a session of
// its own.
func (k *Kernel) firstTask(p Program) (*Task, error) {
	var parent *ThreadGroup
	pid := int32(1)
	if p.Init {
		parent = k.makeIdle(p)
	} else {
		k.makeInit(p)
		parent, pid = k.init, 2
	}
	t := k.newInitTask(pid, p)
	t.SetComm("lodger")
	for fd, f := range p.Files {
		if f != nil {
			t.Files.InstallAt(f, fd, false)
		}
	}
	x, err := t.prepareExec(ExecArgs{Dir: p.Cwd, Path: p.Path, Argv: p.Argv, Envp: p.Envp})
	if err != nil {
		return nil, err
	}
	x.proof = false // there is no guest code yet that could lie
	t.execC = x
	g := t.tg
	g.parent, g.CTTY = parent, p.CTTY
	parent.children[g] = struct{}{}
	if p.Init {
		k.init = g
		g.pgid, g.sid = 0, 0 // until it calls setsid
	}
	k.main = g
	k.lastPID = pid
	k.tasks[pid], k.groups[pid] = t, g
	if p.CTTY != nil {
		p.CTTY.SetForeground(g.sid, g.pgid)
	}
	return t, nil
}
