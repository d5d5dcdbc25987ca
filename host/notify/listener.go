// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"syscall"
	"unsafe"
)

// ioctl numbers of a seccomp listener, include/uapi/linux/seccomp.h.
const (
	ioctlRecv     = 0xc0502100
	ioctlSend     = 0xc0182101
	ioctlAddFD    = 0x40182103
	ioctlSetFlags = 0x40082104

	sendContinue  = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	addFDSetFD    = 1 // SECCOMP_ADDFD_FLAG_SETFD
	syncWakeUp    = 1 // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
	filterListen  = 8
	filterKillRcv = 32 // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
)

// Event is one notification: struct seccomp_notif. It answers to nobody until
// it is sent back through the listener that it came from.
type Event struct {
	ID   uint64
	TID  int32 // the caller's host thread id, in our pid namespace
	_    uint32
	Nr   int32
	Arch uint32
	IP   uint64
	Args [6]uint64
}

// FromStub reports whether the call was issued by an instruction of the stub's
// code. Guest code can make that true at will.
func (e *Event) FromStub() bool { return e.IP >= stubCode && e.IP < StubEnd }

type sendMsg struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

type addFDMsg struct {
	id         uint64
	flags      uint32
	srcFD      uint32
	newFD      uint32
	newFDFlags uint32
}

// Listener is one seccomp listener and whoever is under its filter.
type Listener struct{ fd int }

// Recv waits for the next notification. ENOENT means that one vanished or that
// nobody is left under the filter; Hangup tells which.
//
// SAFETY: ev is as large as struct seccomp_notif and lives over the call.
// WHY: x/sys has no wrapper for this ioctl.
func (l *Listener) Recv(ev *Event) error {
	*ev = Event{} // the host refuses a dirty buffer
	for {
		_, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(l.fd), ioctlRecv, uintptr(unsafe.Pointer(ev)))
		if e == syscall.EINTR {
			continue
		}
		if e != 0 {
			return e
		}
		return nil
	}
}

// Hangup reports whether no process is left under the filter.
func (l *Listener) Hangup() bool {
	type pollfd struct {
		fd              int32
		events, revents int16
	}
	p := pollfd{fd: int32(l.fd), events: 1}
	var zero syscall.Timespec
	// SAFETY: p and zero live over the call; one entry is passed.
	_, _, e := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&zero)), 0, 0, 0)
	return e == 0 && p.revents&0x10 != 0 // POLLHUP
}

func (l *Listener) ioctl(req uintptr, p unsafe.Pointer) (uintptr, error) {
	for {
		// SAFETY: p points to the structure that req names; the callers below
		// are the only ones. WHY: RawSyscall, since SEND and ADDFD never block
		// for long and the receiver's latency is what every guest call pays.
		r, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(l.fd), req, uintptr(p))
		if e == syscall.EINTR {
			continue
		}
		if e != 0 {
			return 0, e
		}
		return r, nil
	}
}

// Answer completes a notification with a value. ENOENT: the caller is gone.
func (l *Listener) Answer(id uint64, val int64) error {
	m := sendMsg{id: id, val: val}
	_, err := l.ioctl(ioctlSend, unsafe.Pointer(&m))
	return err
}

// AnswerErrno completes a notification with an error.
func (l *Listener) AnswerErrno(id uint64, e syscall.Errno) error {
	m := sendMsg{id: id, errno: -int32(e)}
	_, err := l.ioctl(ioctlSend, unsafe.Pointer(&m))
	return err
}

// Continue lets the host perform the call as it stands. The caller must know
// that no pointer in it matters to anyone but the guest itself.
func (l *Listener) Continue(id uint64) error {
	m := sendMsg{id: id, flags: sendContinue}
	_, err := l.ioctl(ioctlSend, unsafe.Pointer(&m))
	return err
}

// AddFD installs a copy of our descriptor fd in the process that waits in id, at
// number at, in place of what is there. close-on-exec is always set. It returns the
// number.
func (l *Listener) AddFD(id uint64, fd, at int) (int, error) {
	m := addFDMsg{id: id, flags: addFDSetFD, srcFD: uint32(fd), newFD: uint32(at), newFDFlags: syscall.O_CLOEXEC}
	r, err := l.ioctl(ioctlAddFD, unsafe.Pointer(&m))
	return int(r), err
}

// setSyncWakeUp asks for the hand-off on the same CPU (host 6.6).
func (l *Listener) setSyncWakeUp() error {
	_, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(l.fd), ioctlSetFlags, syncWakeUp)
	if e != 0 {
		return e
	}
	return nil
}

func (l *Listener) close() error { return syscall.Close(l.fd) }

// valid reports whether the sender of notification id still waits.
func (l *Listener) valid(id uint64) bool {
	const ioctlIDValid = 0x40082102
	_, err := l.ioctl(ioctlIDValid, unsafe.Pointer(&id))
	return err == nil
}
