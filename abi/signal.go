// SPDX-License-Identifier: Apache-2.0

package abi

import "encoding/binary"

// Signal numbers, include/uapi/asm-generic/signal.h.
const (
	SIGHUP    = 1
	SIGINT    = 2
	SIGQUIT   = 3
	SIGILL    = 4
	SIGTRAP   = 5
	SIGABRT   = 6
	SIGBUS    = 7
	SIGFPE    = 8
	SIGKILL   = 9
	SIGUSR1   = 10
	SIGSEGV   = 11
	SIGUSR2   = 12
	SIGPIPE   = 13
	SIGALRM   = 14
	SIGTERM   = 15
	SIGSTKFLT = 16
	SIGCHLD   = 17
	SIGCONT   = 18
	SIGSTOP   = 19
	SIGTSTP   = 20
	SIGTTIN   = 21
	SIGTTOU   = 22
	SIGURG    = 23
	SIGXCPU   = 24
	SIGXFSZ   = 25
	SIGVTALRM = 26
	SIGPROF   = 27
	SIGWINCH  = 28
	SIGIO     = 29
	SIGPWR    = 30
	SIGSYS    = 31
	SIGRTMIN  = 32
	NSIG      = 64
)

// Sigset is a set of signals: bit n-1 stands for signal n.
type Sigset uint64

// SigBit is the set of one signal.
func SigBit(sig int) Sigset { return 1 << (sig - 1) }

// Has reports whether sig is in the set.
func (s Sigset) Has(sig int) bool { return s>>(sig-1)&1 != 0 }

// Sigaction is struct kernel_sigaction of x86-64 and most others.
type Sigaction struct {
	Handler  uint64
	Flags    uint64
	Restorer uint64
	Mask     Sigset
}

// DecodeSigaction reads the 32 bytes of a struct kernel_sigaction.
func DecodeSigaction(b []byte) Sigaction {
	le := binary.LittleEndian
	return Sigaction{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), Sigset(le.Uint64(b[24:]))}
}

// Encode is the inverse of DecodeSigaction.
func (a Sigaction) Encode() (b [32]byte) {
	le := binary.LittleEndian
	le.PutUint64(b[0:], a.Handler)
	le.PutUint64(b[8:], a.Flags)
	le.PutUint64(b[16:], a.Restorer)
	le.PutUint64(b[24:], uint64(a.Mask))
	return b
}

// Handlers, sigaction flags, sigprocmask's how and sigaltstack flags.
const (
	SIG_DFL = 0
	SIG_IGN = 1

	SA_NOCLDSTOP = 0x1
	SA_NOCLDWAIT = 0x2
	SA_SIGINFO   = 0x4
	SA_RESTORER  = 0x04000000
	SA_ONSTACK   = 0x08000000
	SA_RESTART   = 0x10000000
	SA_NODEFER   = 0x40000000
	SA_RESETHAND = 0x80000000

	SIG_BLOCK   = 0
	SIG_UNBLOCK = 1
	SIG_SETMASK = 2

	SS_ONSTACK    = 1
	SS_DISABLE    = 2
	SS_AUTODISARM = 1 << 31
	MINSIGSTKSZ   = 2048
)

// si_code values.
const (
	SI_USER     = 0
	SI_KERNEL   = 0x80
	SI_QUEUE    = -1
	SI_TIMER    = -2
	SI_MESGQ    = -3
	SI_ASYNCIO  = -4
	SI_SIGIO    = -5
	SI_TKILL    = -6
	SEGV_MAPERR = 1
	SEGV_ACCERR = 2

	CLD_EXITED    = 1
	CLD_KILLED    = 2
	CLD_DUMPED    = 3
	CLD_TRAPPED   = 4
	CLD_STOPPED   = 5
	CLD_CONTINUED = 6
)

// Siginfo is siginfo_t: 128 bytes of which the first words are common and the
// rest is a union.
type Siginfo [128]byte

// NewSiginfo fills the common words.
func NewSiginfo(sig int, code int32) *Siginfo {
	var s Siginfo
	binary.LittleEndian.PutUint32(s[0:], uint32(sig))
	binary.LittleEndian.PutUint32(s[8:], uint32(code))
	return &s
}

// Signo is si_signo.
func (s *Siginfo) Signo() int { return int(int32(binary.LittleEndian.Uint32(s[0:]))) }

// Code is si_code.
func (s *Siginfo) Code() int32 { return int32(binary.LittleEndian.Uint32(s[8:])) }

// SetSender sets si_pid and si_uid.
func (s *Siginfo) SetSender(pid int32, uid uint32) *Siginfo {
	binary.LittleEndian.PutUint32(s[16:], uint32(pid))
	binary.LittleEndian.PutUint32(s[20:], uid)
	return s
}

// SetValue sets si_value of a queued signal.
func (s *Siginfo) SetValue(v uint64) *Siginfo {
	binary.LittleEndian.PutUint64(s[24:], v)
	return s
}

// SetTimer sets si_tid and si_overrun of a POSIX timer's signal.
func (s *Siginfo) SetTimer(id, overrun int32) *Siginfo {
	binary.LittleEndian.PutUint32(s[16:], uint32(id))
	binary.LittleEndian.PutUint32(s[20:], uint32(overrun))
	return s
}

// SetChild sets the fields of SIGCHLD; times in clock ticks.
func (s *Siginfo) SetChild(pid int32, uid uint32, status int32, utime, stime int64) *Siginfo {
	s.SetSender(pid, uid)
	binary.LittleEndian.PutUint32(s[24:], uint32(status))
	binary.LittleEndian.PutUint64(s[32:], uint64(utime))
	binary.LittleEndian.PutUint64(s[40:], uint64(stime))
	return s
}

// SetAddr sets si_addr of a fault.
func (s *Siginfo) SetAddr(addr uint64) *Siginfo {
	binary.LittleEndian.PutUint64(s[16:], addr)
	return s
}

// SetPoll sets si_band and si_fd of SIGIO.
func (s *Siginfo) SetPoll(band int64, fd int32) *Siginfo {
	binary.LittleEndian.PutUint64(s[16:], uint64(band))
	binary.LittleEndian.PutUint32(s[24:], uint32(fd))
	return s
}
