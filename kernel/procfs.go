// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"slices"
	"sync"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/fs/proc"
	"lodger/host"
	"lodger/lib/printk"
)

// ProcFS returns what fs/proc shows of the guest (proc.Type).
func (k *Kernel) ProcFS() proc.System { return &procSystem{k: k, oom: map[*ThreadGroup]int{}} }

// procSystem implements proc.System.
type procSystem struct {
	k   *Kernel
	mu  sync.Mutex
	oom map[*ThreadGroup]int // oom_score_adj where it is not 0; guarded by mu, a leaf
}

// Processes implements proc.System.
func (s *procSystem) Processes() []int32 {
	groups := s.k.Groups()
	out := make([]int32, len(groups))
	for i, g := range groups {
		out[i] = g.pid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.oom {
		if !slices.Contains(groups, g) {
			delete(s.oom, g)
		}
	}
	return out
}

// Process implements proc.System.
func (s *procSystem) Process(pid int32) proc.Task {
	t, err := s.k.Task(pid)
	if err != nil {
		return nil
	}
	return procTask{t, s}
}

// Caller implements proc.System.
func (s *procSystem) Caller(ctx *fs.Context) proc.Task {
	if t, ok := ctx.Task.(*Task); ok {
		return procTask{t, s}
	}
	return nil
}

// Blocks implements proc.BlockSystem.
func (s *procSystem) Blocks() *bdev.Table { return s.k.Block }

// KernelLog implements proc.LogSystem.
func (s *procSystem) KernelLog() *printk.Log { return s.k.Printk }

// Swaps implements proc.BlockSystem.
func (s *procSystem) Swaps() []proc.Swap { return s.k.Swaps.list() }

// SetNodeName implements proc.System.
func (s *procSystem) SetNodeName(n string) { s.k.UTS.SetNode(n) }

// SetDomainName implements proc.System.
func (s *procSystem) SetDomainName(n string) { s.k.UTS.SetDomain(n) }

// Machine implements proc.System.
func (s *procSystem) Machine() proc.Machine {
	k := s.k
	m := proc.Machine{Release: Release, Version: Version, Banner: Banner, Cmdline: k.cfg.Cmdline, Uptime: k.Uptime(), PIDMax: k.cfg.PIDMax, Load: k.LoadAvg()}
	m.BootTime = (k.Clock.Realtime() - m.Uptime) / 1e9
	m.NodeName, m.DomainName = k.UTS.Names()
	k.mu.Lock()
	defer k.mu.Unlock()
	m.Threads, m.LastPID, m.Forks = len(k.tasks), k.lastPID, k.forks.Load()
	for _, t := range k.tasks {
		if t.hostTID != 0 && !t.dying.Load() && !t.asleep.Load() {
			m.Running++
		}
	}
	return m
}

// procTask implements proc.Task.
type procTask struct {
	t *Task
	s *procSystem
}

// Key implements proc.Task.
func (p procTask) Key() any { return p.t }

// Creds implements proc.Task.
func (p procTask) Creds() *fs.Creds { return p.t.Creds() }

// SetComm implements proc.Task.
func (p procTask) SetComm(name string) { p.t.SetComm(name) }

// Ident implements proc.Task.
func (p procTask) Ident() (proc.Ident, error) {
	k := p.t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tasks[p.t.tid] != p.t {
		return proc.Ident{}, abi.ESRCH
	}
	return proc.Ident{PID: p.t.tg.pid, TID: p.t.tid, Dumpable: p.t.tg.dumpable == 1}, nil
}

// Info implements proc.Task.
func (p procTask) Info() (proc.Info, error) {
	t, g, k := p.t, p.t.tg, p.t.k
	k.mu.Lock()
	if k.tasks[t.tid] != t {
		k.mu.Unlock()
		return proc.Info{}, abi.ESRCH
	}
	i := proc.Info{
		PID: g.pid, TID: t.tid, PGID: g.pgid, SID: g.sid, TPGID: -1, Comm: t.Comm(), Threads: max(len(g.tasks), 1), Nice: g.nice,
		Policy: t.SchedPolicy, ChildUser: g.childU, ChildSystem: g.childS, Dumpable: g.dumpable == 1, Pending: t.pending.set,
		Shared: g.pending.set, Queued: len(t.pending.list) + len(g.pending.list), NoNewPrivs: t.NoNewPrivs,
		ExitSignal: g.exitSignal, HostPID: g.hostPID, HostTID: t.hostTID, Limits: g.rlimits, State: 'S',
	}
	i.Start = t.StartTime - (k.Clock.Monotonic() - k.Uptime())
	if g.parent != nil {
		i.PPID = g.parent.pid
	}
	if g.CTTY != nil {
		i.TTY = ttyDevice(g.CTTY)
		if f, ok := g.CTTY.(interface{ Foreground() int32 }); ok {
			i.TPGID = f.Foreground()
		}
	}
	dead, stopped := g.zombie || t.dying.Load(), g.stopped.Load()
	if dead && g.zombie {
		i.ExitCode = g.status
	}
	sigtab := g.sigtab
	k.mu.Unlock()

	i.GroupUser, i.GroupSystem, _, _ = g.Usage()
	switch {
	case dead:
		i.State, i.HostPID, i.HostTID = 'Z', 0, 0
		return i, nil
	case stopped:
		i.State = 'T'
	case t.hostTID != 0 && !t.asleep.Load():
		i.State = p.hostState()
	}
	i.User, i.System = t.cpuTimes()
	i.Layout, i.Umask, i.FDSize = t.MM.Layout, t.FS.Umask(), fdSize(t.Files.Len())
	if t.hostTID == 0 {
		return i, nil
	}
	i.CPU = host.LastCPU(t.hostTID)
	i.Blocked = t.Mask()
	if table, err := t.proc().ReadTable(sigtab); err == nil {
		for n, b := range table {
			switch abi.DecodeSigaction(b[:]).Handler {
			case abi.SIG_DFL:
			case abi.SIG_IGN:
				i.Ignored |= abi.SigBit(n + 1)
			default:
				i.Caught |= abi.SigBit(n + 1)
			}
		}
	}
	return i, nil
}

// hostState is the state of a thread that does not sleep in the kernel: a call in
// progress is running, otherwise the host knows (a futex wait sleeps there).
func (p procTask) hostState() byte {
	b, err := host.ProcFile(p.t.hostTID, "syscall")
	if err == nil && !bytes.HasPrefix(b, []byte("running")) && p.t.call.kind == callNone {
		return 'S'
	}
	return 'R'
}

// fdSize is how Linux sizes descriptor tables.
func fdSize(n int) int {
	size := 64
	for size < n {
		size *= 2
	}
	return size
}

// ttyDevice is the device number of a controlling terminal; one that does not
// tell is the console.
func ttyDevice(c TTY) uint64 {
	if d, ok := c.(interface{ Device() uint64 }); ok {
		return d.Device()
	}
	return abi.Makedev(5, 1)
}

// Threads implements proc.Task.
func (p procTask) Threads() []int32 {
	threads := p.t.tg.Threads()
	if len(threads) == 0 { // a zombie, or our own init
		return []int32{p.t.tg.pid}
	}
	var out []int32
	for _, t := range threads {
		out = append(out, t.tid)
	}
	slices.Sort(out)
	return out
}

// gone reports whether the thread has let go of its resources.
func (p procTask) gone() bool {
	p.t.k.mu.Lock()
	defer p.t.k.mu.Unlock()
	return p.t.dying.Load() || p.t.tg.zombie
}

// Places implements proc.Task.
func (p procTask) Places() (root, cwd, exe fs.Path) {
	if p.gone() {
		return
	}
	if x := p.t.MM.Exe; x != nil {
		exe = x.Path
	}
	return p.t.FS.Root(), p.t.FS.Cwd(), exe
}

// Files implements proc.Task.
func (p procTask) Files() proc.Files {
	if p.gone() {
		return nil
	}
	return p.t.Files
}

// ReadMemory implements proc.Task.
func (p procTask) ReadMemory(addr uint64, b []byte) int {
	if p.t.hostTID == 0 || p.gone() {
		return 0
	}
	n, _ := p.t.CopyInSome(addr, b)
	return n
}

// Mapped implements proc.Task.
func (p procTask) Mapped() map[proc.FileID]fs.Path {
	out := map[proc.FileID]fs.Path{}
	if p.gone() {
		return out
	}
	for _, f := range p.t.MM.Mapped() {
		if fd, _, err := f.MapFD(0, pageSize, false, false, false); err == nil {
			if major, minor, ino, err := host.FileID(fd); err == nil {
				out[proc.FileID{Major: major, Minor: minor, Ino: ino}] = f.Path
			}
		}
		f.DecRef()
	}
	return out
}

// OOMAdjust implements proc.Task.
func (p procTask) OOMAdjust() int {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.oom[p.t.tg]
}

// SetOOMAdjust implements proc.Task.
func (p procTask) SetOOMAdjust(v int) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.oom[p.t.tg] = v
}
