// SPDX-License-Identifier: Apache-2.0

package host

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WriteMemForce writes through /proc/PID/mem: it grows stacks and writes to
// read-only private mappings, as ptrace does. It is slow; use it when WriteMem
// fell short.
func WriteMemForce(pid int32, addr uint64, b []byte) (int, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(int(pid))+"/mem", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	total := 0
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, int64(addr))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			if total == 0 {
				return 0, unix.EFAULT
			}
			return total, nil
		}
		b, addr, total = b[n:], addr+uint64(n), total+n
	}
	return total, nil
}

// ReadMemForce reads through /proc/PID/mem, whatever the protection.
func ReadMemForce(pid int32, addr uint64, b []byte) (int, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(int(pid))+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return Pread(fd, b, int64(addr))
}

// Tgkill sends a signal to one thread.
func Tgkill(tgid, tid int32, sig int) error {
	return unix.Tgkill(int(tgid), int(tid), unix.Signal(sig))
}

// ThreadOf reports whether tid is a thread of process tgid; a process is a thread of
// its own.
func ThreadOf(tgid, tid int32) bool { return unix.Tgkill(int(tgid), int(tid), 0) != unix.ESRCH }

// RobustList asks for the robust futex list that the host keeps for a thread.
//
// SAFETY: the host writes two words. WHY: x/sys has no wrapper for this call.
func RobustList(tid int32) (head uint64, err error) {
	var at, size uint64
	_, _, e := unix.RawSyscall(unix.SYS_GET_ROBUST_LIST, uintptr(tid), uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&size)))
	if e != 0 {
		return 0, e
	}
	return at, nil
}

// Kill sends a signal to a process.
func Kill(pid int32, sig int) error { return unix.Kill(int(pid), unix.Signal(sig)) }
