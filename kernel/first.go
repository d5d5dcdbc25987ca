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

// firstTask prepares the first program, process 2, whose host process waits at
// its first execve. It leads a session of its own.
func (k *Kernel) firstTask(p Program) (*Task, error) {
	k.makeInit(p)
	t := k.newInitTask(2, p)
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
	g.parent, g.CTTY = k.init, p.CTTY
	k.init.children[g] = struct{}{}
	k.main = g
	k.lastPID = 2
	k.tasks[2], k.groups[2] = t, g
	if p.CTTY != nil {
		p.CTTY.SetForeground(g.sid, g.pgid)
	}
	return t, nil
}
