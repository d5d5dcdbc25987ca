// SPDX-License-Identifier: Apache-2.0

// Package sys holds the system call handlers and the one table of them.
//
// A Row says everything about a call: its numbers, how it travels (Route), its
// handler, the kinds of its arguments (for the strace printer), how complete it
// is. From the table come the seccomp filter, the dispatcher, the strace printer
// and docs/syscalls.md. Adding a call means a row in one of the table files, a
// handler in the file of its topic and a test.
//
// A handler decodes its arguments, checks them, calls the subsystem and encodes
// the result. It never blocks: what must wait returns through Task.Sleep. It
// holds no locks over a call into kernel or fs.
package sys

import (
	"lodger/abi"
	"lodger/host/notify"
	"lodger/kernel"
)

// Args are the six arguments of a call.
type Args [6]uint64

// Int is argument i as an int (C int: 32 bits).
func (a Args) Int(i int) int { return int(int32(a[i])) }

// Uint is argument i as an unsigned int of 32 bits.
func (a Args) Uint(i int) uint32 { return uint32(a[i]) }

// Int64 is argument i as a long.
func (a Args) Int64(i int) int64 { return int64(a[i]) }

// Handler performs a call for task t.
type Handler func(t *kernel.Task, a Args) (uint64, error)

// Level says how complete a call is.
type Level uint8

// Levels.
const (
	Full    Level = iota // as Linux has it
	Partial              // see Note
	Absent               // ENOSYS, counted and named once in the log
)

// Kind tells the strace printer how to show an argument. The zero Kind is a
// hexadecimal number.
type Kind uint8

// Kinds of arguments.
const (
	Hex Kind = iota
	Dec
	Fd
	DirFd
	Path     // string in guest memory
	Buf      // bytes read by the call: shown after it, length is the result
	InBuf    // bytes given to the call, length is the next argument
	Oct      // mode
	OpenFlg  // O_*
	Sig      // signal number
	Strings  // char *argv[]
	Addr     // pointer
	Size     // size in bytes
	Prot     // PROT_*
	MapFlg   // MAP_*
	CloneFlg // CLONE_*
	WaitFlg  // W*
	Timespec // struct timespec in guest memory
	AtFlg    // AT_*
	IntOut   // int in guest memory, shown after the call

	EnvList     // char *envp[]: only counted
	WaitStatus  // int status, shown after the call
	StatOut     // struct stat, shown after the call
	FdPair      // int[2], shown after the call
	TimespecOut // struct timespec, shown after the call
	RlimitIn    // struct rlimit64
	RlimitOut   // struct rlimit64, shown after the call
	SigsetIn    // sigset_t
	SigsetOut   // sigset_t, shown after the call
	FdFlg       // O_CLOEXEC and the like, without an access mode
	Access      // *_OK
	LockOp      // LOCK_*
	Whence      // SEEK_*
	ClockID     // CLOCK_*
	Resource    // RLIMIT_*
	FcntlCmd    // F_*
	IoctlCmd    // request of ioctl(2)
	EpollOp     // EPOLL_CTL_*
	Advice      // MADV_*
)

// Row is one system call.
type Row struct {
	X86, ARM64 int // numbers; -1: none on that architecture
	Name       string
	Fn         Handler
	Route      notify.Route
	Args       []Kind
	Ret        Kind // Addr or Oct; else a number
	Level      Level
	Note       string
}

const none = -1

// maxCalls bounds the numbers of calls.
const maxCalls = 600

// Rows returns the whole table, by topic.
func Rows() []Row {
	var rows []Row
	for _, topic := range [][]Row{processRows(), signalRows(), timeRows(), memoryRows(), credRows(), infoRows(), netRows(), fileRows(), dirRows(), pollRows(), nativeRows()} {
		rows = append(rows, topic...)
	}
	return rows
}

// Table dispatches calls; it implements kernel.Table.
type Table struct {
	rows   [maxCalls]*Row
	tracer *Tracer
}

// New makes the dispatcher. tracer, when not nil, is told of every call.
func New(tracer *Tracer) *Table {
	t := &Table{tracer: tracer}
	for _, r := range Rows() {
		if nr := r.number(); nr >= 0 {
			t.rows[nr] = &r
		}
	}
	if tracer != nil {
		t.showNative()
		tracer.rows = &t.rows
	}
	return t
}

// Routes implements kernel.Table.
func (tb *Table) Routes() map[int]notify.Route {
	m := map[int]notify.Route{}
	for nr, r := range tb.rows {
		if r != nil {
			m[nr] = r.Route
		}
	}
	return m
}

// Call implements kernel.Table.
func (tb *Table) Call(t *kernel.Task, nr int, args [6]uint64) (uint64, error) {
	var r *Row
	if nr >= 0 && nr < len(tb.rows) {
		r = tb.rows[nr]
	}
	if r == nil || r.Fn == nil {
		t.Kernel().Missing(t, nr, callName(nr))
		if tb.tracer != nil {
			tb.tracer.Enter(t, nr, args)
		}
		return 0, abi.ENOSYS
	}
	if tb.tracer == nil {
		return r.Fn(t, args)
	}
	return tb.tracer.call(t, nr, r, args)
}

// Redo implements kernel.Table: the call was announced before.
func (tb *Table) Redo(t *kernel.Task, nr int, args [6]uint64) (uint64, error) {
	return tb.rows[nr].Fn(t, args)
}
