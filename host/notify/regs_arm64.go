// SPDX-License-Identifier: Apache-2.0

package notify

// Numbers of the calls that batches make and that the kernel asks about. They
// are the generic table's, include/uapi/asm-generic/unistd.h.
const (
	NrFutex     = 98
	NrMmap      = 222
	NrSigaction = 134
	NrMremap    = 216
	NrClose     = 57
	NrPrctl     = 167
	NrMunmap    = 215
	NrExit      = 93
	NrExitGroup = 94

	NrSetRobustList = 99

	nrMseal = 462
)

// goContext would be a struct ucontext; no process gets as far as to need it.
func (p *Platform) goContext(entry, sp uint64) []byte { return nil }

// StandsAtFutexWait never holds: there is no stub that could announce a kick.
func StandsAtFutexWait([6]uint64) bool { return false }

// IsClone, IsFileMap and IsStubExec refuse everything: there is no stub whose
// calls could be let through.
func IsClone(int) bool { return false }

// IsFileMap: see IsClone.
func IsFileMap(int) bool { return false }

// IsStubExec: see IsClone.
func IsStubExec(int, [6]uint64) bool { return false }

// IsExit: the end of a thread or process.
func IsExit(nr int) bool { return nr == NrExit || nr == NrExitGroup }

// BeforeFutexWait: see StandsAtFutexWait.
func BeforeFutexWait([6]uint64) (rip uint64, ok bool) { return 0, false }

// SyscallInsn is the instruction that makes a system call: SVC #0.
const SyscallInsn = "\x01\x00\x00\xd4"

// DirectFork: see IsClone.
func DirectFork([6]uint64) (flags, childTID uint64, ok bool) { return 0, 0, false }
