// SPDX-License-Identifier: Apache-2.0

// Package kernel stands for Linux's kernel/: tasks, thread groups, signals,
// wait, fork, exec and exit, and the loop that serves guest system calls.
//
// Model. Every guest thread is a host thread that waits in a seccomp
// notification while the kernel works for it. One receiver per listener takes
// notifications one after the other, runs the handler on the spot and answers. A
// handler never blocks: it returns through Task.Sleep, which keeps a retry
// closure; whoever makes the sleeper ready puts it on the run list, and the run
// list is worked off after the waker's own answer, on the waker's thread.
//
// A host signal, the kick, makes a host thread that runs native code announce
// itself; signals, stops and conversions of calls to register frames all come
// through it.
//
// Locks, outermost first:
//
//	Kernel.moveMu   one move of mapped bytes at a time (move.go); held while it waits
//	                for threads, so only by goroutines that nobody waits for
//	Task.callMu     one handler, retry or kick of a task at a time
//	  Kernel.mu     the process tree, ids, signal queues, stop and exit state
//	    Files.mu, FSInfo.mu, mm locks
//	      fs locks (see package fs), wait.Queue
//	      runq.mu
//
// A wait callback only appends to the run list. Nobody takes another task's
// callMu while holding his own, except the run list, which holds none.
package kernel

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/lib/ktime"
	"lodger/lib/printk"
)

// Table dispatches system calls; package sys implements it.
type Table interface {
	// Call performs call nr of task t.
	Call(t *Task, nr int, args [6]uint64) (uint64, error)
	// Redo performs a call anew that returned fs.ErrMustWait, on a goroutine that
	// may wait.
	Redo(t *Task, nr int, args [6]uint64) (uint64, error)
	// Routes tells the platform how each call travels.
	Routes() map[int]notify.Route
}

// Config is what a machine is made of.
type Config struct {
	Table    Table
	Log      *slog.Logger
	Hostname string
	PIDMax   int32  // most tasks at a time; 0: 32768
	Cmdline  string // what /proc/cmdline shows
	// Trace, when not nil, is told of calls, signals and exits.
	Trace Tracer
	// Platform leaves out what the host offers, for tests.
	Platform notify.Options
	// Box, when not nil, is told the confinement before the first program runs.
	Box func(notify.Box) error
}

// Kernel is one guest.
type Kernel struct {
	Clock *ktime.Clock
	Log   *slog.Logger
	VFS   *fs.VFS
	Swaps Swaps
	Block *bdev.Table // nil: no block devices; set before Start
	// Printk is the kernel log; nil: none. Set before Start.
	Printk *printk.Log
	UTS    *UTS

	cfg   Config
	p     *notify.Platform
	table Table

	// mu is the tasklist lock.
	mu      sync.Mutex
	tasks   map[int32]*Task        // by guest tid
	groups  map[int32]*ThreadGroup // by guest pid, zombies included
	lastPID int32
	init    *ThreadGroup
	main    *ThreadGroup     // the guest ends with it
	leaving map[int32]bool   // host threads that an execve under way is about to end; guarded by mu
	clones  map[uint64]*Task // clone tokens of children that have not announced themselves

	kicks kickWatch

	moveMu sync.Mutex // one move at a time; outermost, held by who may wait
	moving atomic.Pointer[move]
	ending []ending // guarded by mu
	pi     piTable

	serving   *Task // whose notification the receiver serves, for a bug's report
	servingNr int

	zeros [pageSize]byte // never written

	byHost hostMap
	run    runq

	dead     atomic.Bool
	downOnce sync.Once
	done     chan struct{}
	status   Status
	missing  sync.Map // numbers of absent calls already named in the log
	absent   atomic.Int64
	straying atomic.Bool // a search for strays is under way
	forks    atomic.Int64
}

// Status is how a guest ended.
type Status struct {
	Code   int  // exit status of its init
	Signal int  // signal that killed it, or 0
	Reboot bool // a program asked for power-off, halt or restart
	// Restart: it was restart.
	Restart bool
	// Panic is why the kernel cannot go on, in Linux's words; "" when it was not that.
	Panic string
	Err   error
}

// UTS is the guest's identity (struct new_utsname).
type UTS struct {
	mu     sync.Mutex
	node   string
	domain string
}

// Names returns host and domain name.
func (u *UTS) Names() (node, domain string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.node, u.domain
}

// SetNode changes the host name.
func (u *UTS) SetNode(s string) { u.mu.Lock(); u.node = s; u.mu.Unlock() }

// SetDomain changes the domain name.
func (u *UTS) SetDomain(s string) { u.mu.Lock(); u.domain = s; u.mu.Unlock() }

// New makes a kernel without processes.
func New(cfg Config) *Kernel {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.PIDMax == 0 {
		cfg.PIDMax = 32768
	}
	return &Kernel{
		Clock:  ktime.New(host.Monotonic),
		Log:    cfg.Log,
		UTS:    &UTS{node: cfg.Hostname, domain: "(none)"},
		cfg:    cfg,
		table:  cfg.Table,
		tasks:  map[int32]*Task{},
		groups: map[int32]*ThreadGroup{},
		clones: map[uint64]*Task{},

		leaving: map[int32]bool{},
		done:    make(chan struct{}),
	}
}

// Start makes the first process, which runs program prog, and serves system
// calls until the guest ends.
func (k *Kernel) Start(prog Program) error {
	k.cfg.Platform.Tasks = int(k.cfg.PIDMax)
	k.cfg.Platform.Trace = k.cfg.Trace != nil
	p, err := notify.Start(k.table.Routes(), k.cfg.Platform)
	if err != nil {
		return err
	}
	k.p = p
	if k.VFS != nil {
		k.VFS.Mappings = k
	}
	if k.cfg.Box != nil {
		if err := k.cfg.Box(p.Box()); err != nil {
			p.Stop()
			return err
		}
	}
	t, err := k.firstTask(prog)
	if err != nil {
		p.Stop()
		return err
	}
	go k.watchDeaths()
	go k.receive(t)
	return nil
}

// Wait blocks until the guest has ended and all its host processes are gone.
func (k *Kernel) Wait() Status {
	<-k.done
	return k.status
}

// Shutdown ends the guest at once, as a power cut does.
func (k *Kernel) Shutdown(s Status) {
	k.downOnce.Do(func() {
		k.status = s
		k.dead.Store(true)
		go func() {
			if k.p != nil {
				k.p.Stop()
				k.mu.Lock()
				for _, g := range k.groups {
					g.unwatch()
				}
				for _, e := range k.ending {
					k.p.Unwatch(e.fd)
				}
				k.ending = nil
				k.mu.Unlock()
			}
			close(k.done)
		}()
	})
}

// lost ends the guest because its host side is gone: the expected end when the
// first program has just exited, else err.
func (k *Kernel) lost(err error) {
	k.mu.Lock()
	s := Status{Err: err, Signal: abi.SIGKILL}
	if k.main != nil && k.main.exiting {
		if s = statusOf(k.main.status); k.main == k.init {
			s = initEnded(k.main.status)
		}
	}
	k.mu.Unlock()
	k.Shutdown(s)
}

// Do runs f, then lets every task that f made ready go on. Whoever wakes guest
// tasks from outside a system call (timers, host files) calls it.
func (k *Kernel) Do(f func()) {
	k.guarded("a timer or host event", f)
	k.drain()
}

// yieldAfter is how long the receiver keeps Go's scheduler waiting, in nanoseconds.
const yieldAfter = 6e6

// receive is the receiver: it owns RECV on the guest's listener.
func (k *Kernel) receive(first *Task) {
	var ev notify.Event
	defer k.catchServing()
	yielded := k.Clock.Monotonic()
	for n := 1; !k.dead.Load(); n++ {
		// Go's sysmon takes the processor from a goroutine that has held it for
		// 10 ms, blocked in RECV or not, every 20 us from then on, and each of these
		// costs some 50 us where an idle processor must be woken. Yielding before
		// it comes to that starts the time anew.
		if n%8 == 0 {
			if now := k.Clock.Monotonic(); now-yielded > yieldAfter {
				yielded = now
				runtime.Gosched()
			}
		}
		err := k.p.Recv(&ev)
		switch {
		case err == syscall.ENOENT && !k.p.Hangup():
			continue // a signal took it back; it will be issued again
		case err != nil:
			k.lost(fmt.Errorf("the guest's host processes are gone (%w)", err))
			return
		}
		t := k.byHost.get(ev.TID)
		if t == nil {
			k.guarded("a new host thread", func() { t = k.stranger(&ev, &first) })
		}
		if t != nil {
			k.serving, k.servingNr = t, int(ev.Nr)
			t.callMu.Lock()
			t.dispatch(&ev)
			t.callMu.Unlock()
			k.serving = nil
			k.pokeMove()
		}
		k.drain()
	}
}

// stranger handles a host thread that no task is bound to: the first process, or
// a clone's child that announces itself. Anybody else got past the kernel, so his
// process is killed.
func (k *Kernel) stranger(ev *notify.Event, first **Task) *Task {
	if *first != nil {
		t := *first
		*first = nil
		t.bind(ev.TID, ev.TID)
		if err := t.proc().Reachable(); err != nil {
			k.Shutdown(Status{Err: fmt.Errorf("the host forbids process_vm_readv on guest processes, without which no guest can run (a seccomp profile, or Yama's ptrace_scope): %w", err), Signal: abi.SIGKILL})
			return nil
		}
		return t
	}
	if ev.FromStub() && notify.Op(ev.Nr) == notify.OpChild {
		k.mu.Lock()
		t := k.clones[ev.Args[0]]
		delete(k.clones, ev.Args[0])
		k.mu.Unlock()
		if t != nil && t.dying.Load() {
			if t == t.tg.leader {
				k.p.KillStranger(ev) // killed before its first words
			}
			return nil // a thread: its process ends or execs, and takes it along
		}
		if t != nil && !k.bound(t, ev) {
			t.announce.Stop()
			k.abandon(t)
			t = nil
		}
		if t != nil {
			hostPID := ev.TID
			if t != t.tg.leader {
				hostPID = t.tg.hostPID
			}
			t.bind(ev.TID, hostPID)
			t.announce.Stop()
			t.MM.Follow(t.cloner.MM)
			k.mu.Lock()
			t.letMove()
			t.cloner.letMove()
			t.cloner = nil
			k.mu.Unlock()
			return t
		}
	}
	k.mu.Lock()
	leaves := k.leaving[ev.TID]
	k.mu.Unlock()
	if !leaves {
		k.p.KillStranger(ev)
	}
	return nil
}

// Missing counts and once names a system call that is absent.
func (k *Kernel) Missing(t *Task, nr int, name string) {
	k.absent.Add(1)
	if _, loaded := k.missing.LoadOrStore(nr, true); !loaded {
		k.Log.Warn("system call is absent", "call", name, "nr", nr, "task", t.Comm())
	}
}

// watchDeaths ends processes in the guest whose host process something killed.
func (k *Kernel) watchDeaths() {
	k.p.Deaths(func(pid int32, fd, sig int) { k.Do(func() { k.buryKilled(pid, fd, sig) }) })
	if !k.dead.Load() {
		k.lost(errors.New("the guest's host init died"))
	}
}
