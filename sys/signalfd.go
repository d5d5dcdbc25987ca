// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
	"lodger/lib/wait"
)

// signalFile is fs/signalfd.c: reading it takes pending signals of whoever reads.
// poll and read ask about the calling process; epoll, which has no caller, about
// the process that made the file.
type signalFile struct {
	group *kernel.ThreadGroup
	mask  atomic.Uint64
}

const signalInfoSize = 128 // struct signalfd_siginfo

// Read takes signals, as many as there are and fit.
func (s *signalFile) Read(ctx *fs.Context, p []byte) (int, error) {
	if len(p) < signalInfoSize {
		return 0, abi.EINVAL
	}
	t, ok := ctx.Task.(*kernel.Task)
	if !ok {
		return 0, abi.EIO
	}
	n := 0
	for ; len(p)-n >= signalInfoSize; n += signalInfoSize {
		info := t.TakeSignal(abi.Sigset(s.mask.Load()))
		if info == nil {
			break
		}
		b := encodeSignalInfo(info)
		copy(p[n:], b[:])
	}
	if n == 0 {
		return 0, abi.EAGAIN
	}
	return n, nil
}

// Poll tells whether the process that made the file has such signals.
func (s *signalFile) Poll() wait.Mask { return s.pollFor(s.group.Leader()) }

func (s *signalFile) pollFor(t *kernel.Task) wait.Mask {
	if t != nil && t.Pending()&abi.Sigset(s.mask.Load()) != 0 {
		return abi.POLLIN
	}
	return 0
}

// WaitQueue announces signals of the process that made the file.
func (s *signalFile) WaitQueue() *wait.Queue { return s.group.SignalQueue() }

// Seek is noop_llseek.
func (s *signalFile) Seek(_ *fs.Context, pos, _ int64, _ int) (int64, error) { return pos, nil }

// queueOf is where task t waits for f.
func queueOf(t *kernel.Task, f *fs.File) *wait.Queue {
	if _, ok := f.Ops().(*signalFile); ok {
		return t.Group().SignalQueue()
	}
	return f.Queue()
}

// pollFile is f.Poll on behalf of t.
func pollFile(t *kernel.Task, f *fs.File) wait.Mask {
	if s, ok := f.Ops().(*signalFile); ok {
		return s.pollFor(t)
	}
	return f.Poll()
}

func signalfd(t *kernel.Task, a Args) (uint64, error) { return setSignalFD(t, a, 0) }

func signalfd4(t *kernel.Task, a Args) (uint64, error) { return setSignalFD(t, a, a.Int(3)) }

// setSignalFD makes a signalfd, or changes the mask of one.
func setSignalFD(t *kernel.Task, a Args, flags int) (uint64, error) {
	mask, err := getSigset(t, a[1], a[2])
	if err != nil {
		return 0, err
	}
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK) != 0 {
		return 0, abi.EINVAL
	}
	mask &^= abi.SigBit(abi.SIGKILL) | abi.SigBit(abi.SIGSTOP)
	if a.Int(0) != -1 {
		return withFileValue(t, a.Int(0), func(f *fs.File) (uint64, error) {
			s, ok := f.Ops().(*signalFile)
			if !ok {
				return 0, abi.EINVAL
			}
			s.mask.Store(uint64(mask))
			t.Group().SignalQueue().Notify(abi.POLLIN)
			return uint64(a.Uint(0)), nil
		})
	}
	s := &signalFile{group: t.Group()}
	s.mask.Store(uint64(mask))
	ctx := t.Context()
	f := ctx.VFS().NewAnonFile(ctx, "anon_inode:[signalfd]", 0o600, nil, s, flags&abi.O_NONBLOCK|abi.O_RDWR)
	return install(t, f, flags&abi.O_CLOEXEC != 0)
}

// encodeSignalInfo is signalfd_copyinfo: which union member of the siginfo counts
// depends on signal and code.
func encodeSignalInfo(info *abi.Siginfo) (b [signalInfoSize]byte) {
	sig, code := info.Signo(), info.Code()
	copy(b[0:12], info[0:12]) // signo, errno, code
	sender := func() { copy(b[12:20], info[16:24]) }
	value := func() {
		copy(b[44:48], info[24:28]) // ssi_int
		copy(b[48:56], info[24:32]) // ssi_ptr
	}
	switch {
	case code == abi.SI_TIMER:
		copy(b[24:28], info[16:20]) // ssi_tid
		copy(b[32:36], info[20:24]) // ssi_overrun
		value()
	case code == abi.SI_SIGIO || sig == abi.SIGIO && code > 0 && code != abi.SI_KERNEL:
		copy(b[28:32], info[16:20]) // ssi_band
		copy(b[20:24], info[24:28]) // ssi_fd
	case code < 0 && code != abi.SI_TKILL:
		sender()
		value()
	case code <= 0 || code == abi.SI_KERNEL:
		sender()
	case sig == abi.SIGCHLD:
		sender()
		copy(b[40:44], info[24:28]) // ssi_status
		copy(b[56:72], info[32:48]) // ssi_utime, ssi_stime
	default: // a fault
		copy(b[72:80], info[16:24]) // ssi_addr
	}
	return b
}
