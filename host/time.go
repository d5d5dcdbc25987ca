// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Monotonic reads the host's CLOCK_MONOTONIC in nanoseconds: what guests read
// through the vDSO.
func Monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// cpuClock reads a CPU clock of another process (the number's layout is that of
// linux/posix-timers.h). There is none for the threads of another process.
func cpuClock(pid int32, kind int32) int64 {
	var ts unix.Timespec
	if unix.ClockGettime((^pid)<<3|kind, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// ProcessCPU returns user and system time of a process in nanoseconds.
func ProcessCPU(pid int32) (user, system int64) {
	all, u := cpuClock(pid, 0), cpuClock(pid, 1)
	return u, max(all-u, 0)
}

// ThreadCPU returns user and system time of a thread of any process in
// nanoseconds: its sum is exact where the host tells it (proc(5), schedstat), the
// parts are as good as the host's clock ticks.
func ThreadCPU(tid int32) (user, system int64) {
	const tick = 1e7 // USER_HZ is 100
	dir := "/proc/" + strconv.Itoa(int(tid)) + "/task/" + strconv.Itoa(int(tid))
	b, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return 0, 0
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 13 {
		return 0, 0
	}
	u, _ := strconv.ParseInt(string(f[11]), 10, 64)
	s, _ := strconv.ParseInt(string(f[12]), 10, 64)
	b, err = os.ReadFile(dir + "/schedstat")
	exact, _, _ := bytes.Cut(b, []byte(" "))
	sum, perr := strconv.ParseInt(string(exact), 10, 64)
	switch {
	case err != nil || perr != nil || sum == 0:
		return u * tick, s * tick
	case u+s == 0:
		return sum, 0
	}
	user = int64(float64(sum) * (float64(u) / float64(u+s)))
	return user, sum - user
}

// SetRlimit sets the soft limit of another process; the hard limit stays.
func SetRlimit(pid int32, which int, cur uint64) {
	var old unix.Rlimit
	if unix.Prlimit(int(pid), which, nil, &old) != nil {
		return
	}
	_ = unix.Prlimit(int(pid), which, &unix.Rlimit{Cur: min(cur, old.Max), Max: old.Max}, nil)
}
