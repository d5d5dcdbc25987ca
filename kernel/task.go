// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/lib/ktime"
	"lodger/lib/wait"
	"lodger/mm"
)

// Task is one guest thread: struct task_struct.
type Task struct {
	k   *Kernel
	tg  *ThreadGroup // changes only never; an exec keeps the group
	tid int32        // guest thread id; guarded by k.mu for writing (exec)

	// callMu serialises everything that is done for this task's host thread.
	callMu   sync.Mutex
	call     call        // guarded by callMu
	sleep    *sleeping   // nil: awake; guarded by callMu
	intr     interrupted // guarded by callMu
	okMaps   [][6]uint64 // mappings that its stub may make now; guarded by callMu
	injected []int       // of tg.mapFDs, for okMaps; guarded by callMu
	held     heldKick    // guarded by callMu
	cloneC   *cloning    // a clone that the host has not done yet; guarded by callMu
	execC    *execing    // an exec whose program is not running yet; guarded by callMu
	queued   bool        // on the run list; guarded by run.mu

	// The host side.
	hostTID int32       // 0 before it announced itself; guarded by k.mu
	header  uint64      // address of its stub header
	area    int         // index of its area in mm
	kicked  atomic.Bool // a kick is on its way or being handled
	ready   atomic.Bool // the last answer prepared a delivery (deliverOnReturn)
	kickSeq uint64      // counts kicks; guarded by k.mu
	// It stands in a framed call that has not been answered: a kick can wait for
	// the answer, which delivers what came. Cleared with k.mu held.
	standing atomic.Bool
	owed     bool // a kick waits so; guarded by k.mu
	kickMark
	pendW abi.Sigset // what the header's pending word holds; guarded by k.mu

	// The child that the host has it wait for: it runs nothing until that execs or dies.
	vforked atomic.Pointer[Task]

	aff   affinity
	MM    *mm.AddressSpace
	Files *Files
	FS    *FSInfo
	// What a sleep needs, kept from one to the next; guarded by callMu.
	sleepRoom sleeping
	wake      func(wait.Mask) // puts it on the run list
	parkTimer ktime.Timer
	parkFn    func()

	ctx fs.Context // for fs calls; Creds, Root, Cwd refreshed before use
	// ctxGen is the generation of FS that ctx shows; 0: none. FS changes with it.
	ctxGen uint64
	creds  atomic.Pointer[fs.Creds]
	comm   atomic.Pointer[string]

	// Signals; guarded by k.mu.
	pending   sigQueue
	savedMask *abi.Sigset // mask to restore after sigsuspend and the like
	waitSet   abi.Sigset  // blocked signals that sigtimedwait waits for
	dying     atomic.Bool // will run no guest code any more; set with k.mu held
	inStop    bool        // counted as stopped
	asleep    atomic.Bool // sleeps in a call (set with callMu held)

	AltStack      AltStack               // guarded by callMu
	RobustList    atomic.Uint64          // head of the robust futex list
	robustWakes   []uint64               // futex words to wake before the thread ends; guarded by callMu
	afterBatch    func() (uint64, error) // goes on with the call when the stub has run a batch; guarded by callMu
	piIntent      *piKey                 // a futex operation that has begun; guarded by piTable.mu
	piGranted     atomic.Bool            // the futex that it waits for is its own
	owesRites     bool                   // holds robust futexes of a killed process; guarded by k.mu
	inRites       bool                   // its stub is waking waiters; guarded by callMu
	PDeathSig     int                    // guarded by k.mu
	KeepCaps      bool                   // PR_SET_KEEPCAPS
	NoNewPrivs    bool                   // guarded by k.mu
	TimerSlack    uint64
	SchedPolicy   int                    // SCHED_*
	RestartBlock  func() (uint64, error) // what restart_syscall does; guarded by callMu
	StartTime     int64                  // monotonic ns
	areaMapped    bool                   // its area was mapped before it came
	setTID        uint64                 // where the child's id goes in its own memory
	onReturn      bool                   // deliverOnReturn is at work; guarded by callMu
	clearHandlers bool                   // CLONE_CLEAR_SIGHAND
	cloner        *Task                  // who made it
	announce      *ktime.Timer           // until a new child has announced itself
}

// AltStack is the guest's sigaltstack(2) setting.
type AltStack struct {
	SP, Size uint64
	Flags    uint32
}

// ThreadGroup is one guest process: struct signal_struct and what else its
// threads share. All fields are guarded by Kernel.mu unless noted.
type ThreadGroup struct {
	k       *Kernel
	pid     int32
	leader  *Task
	tasks   []*Task // live threads
	hostPID int32
	deathFD int // watches the host process; -1: nothing does
	mapFDs  mapNumbers

	builtin    bool // has no host process: Lodger's own init, or init's parent
	parent     *ThreadGroup
	children   map[*ThreadGroup]struct{}
	exitSignal int
	pgid, sid  int32
	CTTY       TTY // controlling terminal; nil: none

	sigtab  uint64 // address of the table of actions in the group's memory
	tabArea int    // the area that holds it; -1: another process's
	pending sigQueue

	exiting   bool   // a group exit is under way
	rites     *rites // killed, but its threads release robust futexes first
	status    int32
	zombie    bool
	holding   int         // dead threads that have not released all yet
	stopped   atomic.Bool // a group stop; changes with Kernel.mu held
	stopCount int         // threads that have yet to stop
	stopSig   int
	stopNews  bool // the parent has been told of the stop
	stopSeen  bool // wait has reported it
	contNews  bool
	execed    bool // has called exec since fork (setpgid)

	subreaper bool
	childWait wait.Queue // child state changes
	sigNews   wait.Queue // signals were queued

	rlimits  [abi.RLIM_NLIMITS]abi.Rlimit
	dumpable int

	itimers   [3]*itimer
	cpuWatch  *ktime.Timer // until RLIMIT_CPU is looked at; nil: none
	timers    map[int32]*PosixTimer
	nextTimer int32

	// Times of dead threads and of waited-for children, nanoseconds.
	deadU, deadS   int64
	childU, childS int64
	maxRSS         int64
	childRSS       int64
	nice           int
}

// TTY is a controlling terminal, as far as tasks know it.
type TTY interface {
	// SessionEnded tells the terminal that its session's leader is gone.
	SessionEnded(sid int32)
	// SetForeground makes the terminal that of session sid, with process group
	// pgid in the foreground.
	SetForeground(sid, pgid int32)
}

// Kernel returns the guest that t belongs to.
func (t *Task) Kernel() *Kernel { return t.k }

// Group returns t's process.
func (t *Task) Group() *ThreadGroup { return t.tg }

// TID is the guest's thread id.
func (t *Task) TID() int32 { return t.tid }

// PID is the guest's process id.
func (t *Task) PID() int32 { return t.tg.pid }

// PID is the guest's process id.
func (g *ThreadGroup) PID() int32 { return g.pid }

// Creds are t's credentials. The value is never changed in place.
func (t *Task) Creds() *fs.Creds { return t.creds.Load() }

// SetCreds replaces the credentials.
func (t *Task) SetCreds(c *fs.Creds) { t.creds.Store(c) }

// Comm is the thread's name, at most 15 bytes.
func (t *Task) Comm() string { return *t.comm.Load() }

// SetComm changes the thread's name; it is cut to 15 bytes.
func (t *Task) SetComm(s string) {
	if len(s) > 15 {
		s = s[:15]
	}
	t.comm.Store(&s)
}

func (t *Task) String() string { return fmt.Sprintf("%s[%d]", t.Comm(), t.tid) }

// Context is what file system calls on behalf of t need. It is valid until the
// end of the present handler.
func (t *Task) Context() *fs.Context {
	t.ctx.Creds = t.creds.Load()
	t.ctxGen = t.FS.fill(&t.ctx, t.ctxGen)
	return &t.ctx
}

func (t *Task) proc() notify.Proc { return notify.Proc{Pid: t.hostTID, Header: t.header} }

// bind ties a host thread to t.
func (t *Task) bind(hostTID, hostPID int32) {
	t.k.mu.Lock()
	t.hostTID = hostTID
	if t == t.tg.leader {
		t.tg.hostPID = hostPID
		t.tg.watch()
		t.tg.watchCPULimit()
	}
	t.k.mu.Unlock()
	t.k.byHost.set(hostTID, t)
}

// unbind forgets the host thread; its id may be used again by the host.
// The caller holds k.mu.
func (t *Task) unbind() {
	if t.hostTID != 0 {
		t.k.byHost.clear(t.hostTID, t)
	}
}

// kick makes t's host thread announce itself soon. The caller holds k.mu.
func (t *Task) kick() {
	if t.hostTID == 0 || t.dying.Load() {
		return
	}
	t.hostKick()
	t.k.ready(t) // if it sleeps, the sleep is over
}

// CopyIn fills b from guest memory; EFAULT.
func (t *Task) CopyIn(addr uint64, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := host.ReadMem(t.hostTID, host.Piece{Addr: addr, Buf: b})
	if err != nil || n < len(b) {
		return abi.EFAULT
	}
	return nil
}

// CopyInSome fills as much of b as is readable and returns how much; EFAULT when
// nothing is.
func (t *Task) CopyInSome(addr uint64, b []byte) (int, error) {
	n, err := host.ReadMem(t.hostTID, host.Piece{Addr: addr, Buf: b})
	if n == 0 && len(b) > 0 {
		return 0, abi.EFAULT
	}
	_ = err
	return n, nil
}

// CopyOut stores b in guest memory; EFAULT. A stack that must grow is grown.
func (t *Task) CopyOut(addr uint64, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	// What a move takes from one place to another must not be stored to in between.
	// Nobody who must not wait stores into a process that is stopped, but for other
	// processes' calls on its memory.
	if t.ctx.MayWait {
		t.MM.Stores.RLock()
		defer t.MM.Stores.RUnlock()
	} else if t.MM.Stores.TryRLock() {
		defer t.MM.Stores.RUnlock()
	}
	n, err := host.WriteMem(t.hostTID, host.Piece{Addr: addr, Buf: b})
	if err == nil && n == len(b) {
		return nil
	}
	if err != nil {
		n = 0
	}
	if !t.stackMayGrow(addr + uint64(n)) {
		return abi.EFAULT
	}
	m, err := host.WriteMemForce(t.hostTID, addr+uint64(n), b[n:])
	if err != nil || n+m < len(b) {
		return abi.EFAULT
	}
	return nil
}

// stackMayGrow reports whether addr lies where only the main stack's growth can
// make memory: a forced write elsewhere would get past page protections.
func (t *Task) stackMayGrow(addr uint64) bool { return t.MM.BelowStack(addr) }
