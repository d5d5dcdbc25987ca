// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// NrFutex is futex's number, for ActRewind.
const NrFutex = nrFutex

// goContext is a struct ucontext that enters a program: all registers clear but
// instruction and stack pointer, no signal blocked, the FPU fresh.
func (p *Platform) goContext(entry, sp uint64) []byte {
	const (
		ucFlags    = 0x2 | 0x4 // UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
		userCS     = 0x33
		userSS     = 0x2b
		interrupts = 0x202 // IF and the bit that is always set
	)
	b := make([]byte, 304)
	put := func(off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }
	put(0, ucFlags)
	put(16, p.lay.mainHeader()-p.lay.stackSize)
	put(32, p.lay.stackSize)
	put(160, sp)
	put(168, entry)
	put(176, interrupts)
	put(184, userCS|userSS<<48)
	return b
}

// StandsAtFutexWait reports whether a kicked thread (OpKick's arguments) has just
// come out of a native futex wait with EINTR: the call must be issued again. The
// host leaves rip in rcx at a system call's end.
func StandsAtFutexWait(a [6]uint64) bool {
	rip, rax, rcx, rsi, inWait := a[0], int64(a[1]), a[3], uint32(a[4]), a[5]
	op := rsi &^ futexClockPrivate
	return inWait == 0 && rax == -int64(syscall.EINTR) && rcx == rip && (op == 9 || op == 0)
}

// BeforeFutexWait reports whether a kicked thread stands at a SYSCALL instruction
// that would wait on a futex: the host took it out of an untimed wait, which it
// restarts because kicks have SA_RESTART. The caller checks the instruction.
func BeforeFutexWait(a [6]uint64) (rip uint64, ok bool) {
	op := uint32(a[4]) &^ futexClockPrivate
	return a[0], a[1] == nrFutex && a[5] == 0 && (op == 9 || op == 0)
}

// SyscallInsn is the instruction that makes a system call.
const SyscallInsn = "\x0f\x05"

// DirectFork decodes the host's clone that a stub makes for a plain fork: the
// guest's flags are in the argument that the host ignores. ok: the host's flags are
// just those that the guest's lead to.
func DirectFork(a [6]uint64) (flags, childTID uint64, ok bool) {
	const parent, clearTID, known = 0x8000, 0x200000, 0x12000ff
	flags = a[4]
	return flags, a[3], flags&^uint64(known) == 0 && a[0] == parent|flags&clearTID && a[1] == 0 && a[2] == 0
}

// IsClone, IsFileMap and IsStubExec name the host calls that the stub itself makes
// and that the kernel decides.
func IsClone(nr int) bool { return nr == nrClone }

// IsFileMap: mmap with a descriptor, or mremap.
func IsFileMap(nr int) bool { return nr == nrMmap || nr == nrMremap }

// IsStubExec reports whether a call is exactly the stub's own execve: every
// pointer in it lies in the constants page, which guest code cannot change.
func IsStubExec(nr int, a [6]uint64) bool {
	return nr == nrExecveat && a[0] == imageFD && a[1] == StubBase+cEmpty && a[2] == StubBase+cArgv &&
		a[3] == StubBase+cEnvp && a[4] == unix.AT_EMPTY_PATH
}

// Numbers of the calls that batches make.
const (
	NrMmap      = nrMmap
	NrSigaction = nrRtSigaction
	NrMremap    = nrMremap
	NrClose     = nrClose
	NrPrctl     = nrPrctl
	NrMunmap    = nrMunmap
	NrExit      = 60
	NrExitGroup = 231

	NrSetRobustList = 273
)

// IsExit: the end of a thread or process, which a batch may ask for.
func IsExit(nr int) bool { return nr == NrExit || nr == NrExitGroup }
