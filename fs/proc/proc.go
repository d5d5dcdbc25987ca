// SPDX-License-Identifier: Apache-2.0

// Package proc is procfs: Linux's fs/proc/*.c.
//
// # Model
//
// A tree of kernfs nodes. What it shows comes from a System, which the kernel
// implements: a Task gives one consistent Info, from which the files of its
// directory are formatted, and the few things that are more than values (files,
// places, memory). A directory of a process is made when somebody looks for it
// and lives as long as the process; a walk asks again each time, so that names
// vanish with their process. Files that were opened before give ESRCH.
//
// Memory figures and mappings are the host's, of the host process that runs the
// guest's: the stub's region is left out, and host files bear their guest names.
//
// # Locks
//
// tree.mu is a leaf: the table of process directories. All else is System's.
//
// # Left out
//
// mem, io, stack, sched, timers and the net directory; smaps_rollup; writing to
// id maps; hidepid.
package proc

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
	"lodger/mm"
)

// System is what procfs shows of a kernel.
type System interface {
	// Processes gives the ids of all processes, zombies included, ascending.
	Processes() []int32
	// Process finds a process by its id, a thread by its own; nil: none.
	Process(pid int32) Task
	// Caller is the thread on whose behalf ctx is; nil: none.
	Caller(ctx *fs.Context) Task
	// Machine gives the values of the whole machine.
	Machine() Machine
	// SetNodeName changes the host name.
	SetNodeName(name string)
	// SetDomainName changes the domain name.
	SetDomainName(name string)
}

// Machine is what is said of the whole machine.
type Machine struct {
	NodeName, DomainName string
	Release, Version     string // as uname(2)
	Banner, Cmdline      string // of /proc/version and /proc/cmdline
	Uptime               int64  // nanoseconds
	BootTime             int64  // seconds since the epoch
	Threads              int
	Running              int // threads that do not sleep
	LastPID              int32
	PIDMax               int32
	Forks                int64
	Load                 [3]float64
}

// Task is one thread; of a process, its first.
type Task interface {
	// Key identifies the thread among all that ever lived; comparable.
	Key() any
	// Info gives its values, which costs several host calls; ESRCH when it is gone.
	Info() (Info, error)
	// Ident gives the few values that every access to /proc/PID asks for, and costs
	// nothing; ESRCH when it is gone.
	Ident() (Ident, error)
	// Creds are its credentials.
	Creds() *fs.Creds
	// SetComm changes its name.
	SetComm(name string)
	// Threads gives the ids of its process's live threads, ascending.
	Threads() []int32
	// Places gives root and working directory and the program; those of a zombie
	// are the zero Path.
	Places() (root, cwd, exe fs.Path)
	// Files is its descriptor table; nil for a zombie.
	Files() Files
	// ReadMemory reads as much of p as it can from its memory.
	ReadMemory(addr uint64, p []byte) int
	// Mapped gives the files that may be mapped, by host identity.
	Mapped() map[FileID]fs.Path
	// OOMAdjust and SetOOMAdjust keep oom_score_adj.
	OOMAdjust() int
	SetOOMAdjust(v int)
}

// Ident is who a task is.
type Ident struct {
	PID, TID int32
	Dumpable bool // may be looked into
}

// Files is a descriptor table.
type Files interface {
	// List gives the descriptors in use, ascending.
	List() []int
	// Get gives a file with a reference of the caller's; EBADF.
	Get(fd int) (*fs.File, error)
	// Cloexec reads the close-on-exec flag; EBADF.
	Cloexec(fd int) (bool, error)
}

// FileID is a file as the host's maps show it.
type FileID struct {
	Major, Minor uint32
	Ino          uint64
}

// Info is the state of a thread and its process.
type Info struct {
	PID, TID, PPID  int32
	PGID, SID       int32
	TTY             uint64 // device number; 0: no controlling terminal
	TPGID           int32  // its foreground process group; -1: none
	State           byte   // R, S, D, T, Z
	Comm            string
	Threads         int
	Nice, Policy    int
	User, System    int64 // the thread's, nanoseconds
	GroupUser       int64 // the process's, nanoseconds
	GroupSystem     int64
	ChildUser       int64 // of waited-for children, nanoseconds
	ChildSystem     int64
	Start           int64 // nanoseconds after boot
	Umask           uint32
	FDSize          int
	Dumpable        bool
	Pending, Shared abi.Sigset // signals pending for the thread and for the process
	Queued          int
	Blocked         abi.Sigset
	Ignored, Caught abi.Sigset
	NoNewPrivs      bool
	ExitSignal      int
	ExitCode        int32
	CPU             int
	HostPID         int32 // the host process; 0: none
	HostTID         int32
	Layout          mm.Layout
	Limits          [abi.RLIM_NLIMITS]abi.Rlimit
}

// Type is the row for fs.RegisterFS. Each mount is a file system of its own, as since
// Linux 5.8.
func Type(sys System) fs.FSType {
	boot := uuid()
	return fs.FSType{Name: "proc", NoDev: true, Mount: func(v *fs.VFS, _ *fs.Context, _ string, _ uint32, _ string) (*fs.SuperBlock, error) {
		return newTree(v, sys, boot)
	}}
}

// New makes a procfs that shows sys.
func New(v *fs.VFS, sys System) (*fs.SuperBlock, error) { return newTree(v, sys, uuid()) }

func newTree(v *fs.VFS, sys System, boot string) (*fs.SuperBlock, error) {
	return kernfs.New(v, "proc", abi.PROC_SUPER_MAGIC, func(f *kernfs.FS) fs.Inode {
		f.SB.NoNegatives = true
		t := &tree{fs: f, sys: sys, bootID: boot, dirs: map[dirKey]*kernfs.DirNode{}, pidRows: newPIDRows(false), tidRows: newPIDRows(true)}
		return t.root()
	})
}

// tree makes nodes.
type tree struct {
	fs     *kernfs.FS
	sys    System
	bootID string

	pidRows, tidRows *pidRows

	mu      sync.Mutex
	dirs    map[dirKey]*kernfs.DirNode // of processes and threads; guarded by mu
	sweepAt int                        // size of dirs to sweep at; guarded by mu
}

// dirKey names a directory: /proc/PID or /proc/PID/task/TID.
type dirKey struct {
	task   any
	thread bool
}

// text adapts a function without errors.
func text(f func() string) func(*fs.Context) ([]byte, error) {
	return func(*fs.Context) ([]byte, error) { return []byte(f()), nil }
}

func entry(name string, i fs.Inode) kernfs.Entry { return kernfs.Entry{Name: name, Inode: i} }
