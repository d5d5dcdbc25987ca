// SPDX-License-Identifier: Apache-2.0

package host

import (
	"strconv"

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

// Tgkill sends a signal to one thread.
func Tgkill(tgid, tid int32, sig int) error {
	return unix.Tgkill(int(tgid), int(tid), unix.Signal(sig))
}

// Kill sends a signal to a process.
func Kill(pid int32, sig int) error { return unix.Kill(int(pid), unix.Signal(sig)) }
