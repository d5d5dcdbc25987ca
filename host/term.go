// SPDX-License-Identifier: Apache-2.0

package host

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// IsTerminal reports whether fd is a terminal.
func IsTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// Termios is a terminal's setting, to be put back at the end.
type Termios struct{ t unix.Termios }

// GetTermios reads a terminal's setting.
func GetTermios(fd int) (*Termios, error) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	return &Termios{*t}, nil
}

// Restore puts a setting back. It does not wait for output to drain: that would
// hang on a terminal that Ctrl-S has stopped.
func (t *Termios) Restore(fd int) { _ = unix.IoctlSetTermios(fd, unix.TCSETS, &t.t) }

// InForeground reports whether we are the terminal's foreground process group, or
// it does not control us and so does not stop us.
func InForeground(fd int) bool {
	fg, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err != nil || fg == unix.Getpgrp()
}

// Ioctl performs a terminal control whose argument is the structure in b; the
// host fills b for the reading ones.
//
// SAFETY: b is at least as large as the structure of every request that the
// caller lets through (256 bytes). WHY: x/sys has typed wrappers only.
func Ioctl(fd int, req uint, b *[256]byte) error {
	_, _, e := syscall.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(b)))
	if e != 0 {
		return e
	}
	return nil
}

// IoctlInt performs a control whose argument is a number.
func IoctlInt(fd int, req uint, v int) error { return unix.IoctlSetInt(fd, req, v) }

// Read reads from a descriptor that poll said is ready.
func Read(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Write writes to a descriptor that poll said is ready.
func Write(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Write(fd, b)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// IsOpen reports whether a descriptor is open.
func IsOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}
