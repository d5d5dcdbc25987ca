// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Affinity reads a thread's processor set, as the raw call returns it.
//
// SAFETY: the buffer lives over the call and its length is passed. WHY: x/sys
// hides how many bytes the host's set has, which guests must see.
func Affinity(tid int32) ([]byte, error) {
	var b [1024]byte
	n, _, e := syscall.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(tid), uintptr(len(b)), uintptr(unsafe.Pointer(&b)))
	if e != 0 {
		return nil, e
	}
	return b[:n], nil
}

// SetAffinity sets it. SAFETY and WHY: as Affinity.
func SetAffinity(tid int32, mask []byte) error {
	if len(mask) == 0 {
		return syscall.EINVAL
	}
	_, _, e := syscall.RawSyscall(unix.SYS_SCHED_SETAFFINITY, uintptr(tid), uintptr(len(mask)), uintptr(unsafe.Pointer(&mask[0])))
	if e != 0 {
		return e
	}
	return nil
}

// CurrentCPU is the processor that the calling thread runs on at this moment.
//
// SAFETY: the host writes one int. WHY: x/sys has no raw form that keeps the thread.
func CurrentCPU() int {
	var cpu uint32
	_, _, e := syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	if e != 0 {
		return -1
	}
	return int(cpu)
}

// SetNice sets a thread's nice value, if the host lets us.
func SetNice(tid int32, nice int) { _ = unix.Setpriority(unix.PRIO_PROCESS, int(tid), nice) }

// LastCPU is the processor that a thread ran on last (proc(5), stat field 39).
func LastCPU(tid int32) int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(tid)) + "/stat")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 37 {
		return 0
	}
	n, _ := strconv.Atoi(string(f[36]))
	return n
}

// PeakRSS is VmHWM of a process in KiB.
func PeakRSS(pid int32) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/status")
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(b, []byte("VmHWM:"))
	if !ok {
		return 0
	}
	n, _ := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
	return n
}
