// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"sort"

	"lodger/abi"
)

// Group returns the process with id pid, zombies included; ESRCH.
func (k *Kernel) Group(pid int32) (*ThreadGroup, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g := k.groups[pid]; g != nil {
		return g, nil
	}
	return nil, abi.ESRCH
}

// Task returns the thread with id tid; ESRCH.
func (k *Kernel) Task(tid int32) (*Task, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.tasks[tid]; t != nil {
		return t, nil
	}
	return nil, abi.ESRCH
}

// Groups returns all processes by id, zombies included.
func (k *Kernel) Groups() []*ThreadGroup {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]*ThreadGroup, 0, len(k.groups))
	for _, g := range k.groups {
		out = append(out, g)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].pid < out[j].pid })
	return out
}

// Tasks returns the number of threads and how many processes were ever made.
func (k *Kernel) Tasks() (threads int, forks int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.tasks), k.forks.Load()
}

// Leader is the process's first thread. It may have exited.
func (g *ThreadGroup) Leader() *Task { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.leader }

// Threads returns the live threads.
func (g *ThreadGroup) Threads() []*Task {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	return append([]*Task(nil), g.tasks...)
}

// PPID is the parent's id; 0 for init.
func (g *ThreadGroup) PPID() int32 {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	if g.parent == nil {
		return 0
	}
	return g.parent.pid
}

// IDs returns process group and session.
func (g *ThreadGroup) IDs() (pgid, sid int32) {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	return g.pgid, g.sid
}

// State is the letter that ps shows: R, S, T or Z.
func (g *ThreadGroup) State() byte {
	g.k.mu.Lock()
	defer g.k.mu.Unlock()
	switch {
	case g.zombie:
		return 'Z'
	case g.stopped.Load():
		return 'T'
	}
	for _, t := range g.tasks {
		if !t.asleep.Load() {
			return 'R'
		}
	}
	return 'S'
}

// HostPID is the host's process id; 0 before it runs.
func (g *ThreadGroup) HostPID() int32 { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.hostPID }

// SetSubreaper makes g adopt orphaned descendants (PR_SET_CHILD_SUBREAPER).
func (g *ThreadGroup) SetSubreaper(on bool) { g.k.mu.Lock(); g.subreaper = on; g.k.mu.Unlock() }

// Subreaper reports what SetSubreaper set.
func (g *ThreadGroup) Subreaper() bool { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.subreaper }

// Dumpable is PR_GET_DUMPABLE's value.
func (g *ThreadGroup) Dumpable() int { g.k.mu.Lock(); defer g.k.mu.Unlock(); return g.dumpable }

// SetDumpable changes it.
func (g *ThreadGroup) SetDumpable(v int) { g.k.mu.Lock(); g.dumpable = v; g.k.mu.Unlock() }

// SetSID starts a session: setsid(2). EPERM.
func (t *Task) SetSID() (int32, error) {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	g := t.tg
	for _, o := range k.groups {
		if o.pgid == g.pid {
			return 0, abi.EPERM
		}
	}
	g.sid, g.pgid, g.CTTY = g.pid, g.pid, nil
	return g.pid, nil
}

// SetPGID is setpgid(2), with its errors.
func (t *Task) SetPGID(pid, pgid int32) error {
	if pgid < 0 {
		return abi.EINVAL
	}
	if pid == 0 {
		pid = t.tg.pid
	}
	if pgid == 0 {
		pgid = pid
	}
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.groups[pid]
	switch {
	case g == nil || (g != t.tg && g.parent != t.tg):
		return abi.ESRCH
	case g != t.tg && g.sid != t.tg.sid:
		return abi.EPERM
	case g != t.tg && g.execed:
		return abi.EACCES
	case g.sid == g.pid:
		return abi.EPERM
	}
	if pgid != pid {
		found := false
		for _, o := range k.groups {
			found = found || (o.pgid == pgid && o.sid == t.tg.sid)
		}
		if !found {
			return abi.EPERM
		}
	}
	old := g.pgid
	g.pgid = pgid
	if old != pgid {
		k.hupOrphans(old)
	}
	return nil
}

// MaySignal checks kill(2)'s permission: EPERM.
func (t *Task) MaySignal(g *ThreadGroup, sig int) error {
	c := t.Creds()
	target := g.Leader().Creds()
	if c.Capable(abi.CAP_KILL) || c.EUID == target.SUID || c.EUID == target.UID || c.UID == target.SUID || c.UID == target.UID {
		return nil
	}
	if sig == abi.SIGCONT {
		_, mine := t.tg.IDs()
		_, its := g.IDs()
		if mine == its {
			return nil
		}
	}
	return abi.EPERM
}
