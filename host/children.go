// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ThreadID names one thread of a process for good: its start time tells it from a
// later one with the same number.
type ThreadID struct {
	PID, TID int32
	Start    uint64
}

// ChildThreads lists the threads of parent's child processes.
func ChildThreads(parent int) []ThreadID {
	var out []ThreadID
	for _, pid := range numbers("/proc") {
		dir := "/proc/" + strconv.Itoa(int(pid))
		if ppid, _, _ := threadStat(dir + "/stat"); ppid != parent {
			continue
		}
		for _, tid := range numbers(dir + "/task") {
			if _, start, state := threadStat(dir + "/task/" + strconv.Itoa(int(tid)) + "/stat"); state != 0 && state != 'Z' && state != 'X' {
				out = append(out, ThreadID{pid, tid, start})
			}
		}
	}
	return out
}

// Threads lists the threads of process pid.
func Threads(pid int32) []int32 { return numbers("/proc/" + strconv.Itoa(int(pid)) + "/task") }

// KillChild kills the process of t, if that is still a child of parent's.
func KillChild(parent int, t ThreadID) {
	fd, err := unix.PidfdOpen(int(t.PID), 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	task := "/proc/" + strconv.Itoa(int(t.PID)) + "/task/" + strconv.Itoa(int(t.TID)) + "/stat"
	if ppid, start, _ := threadStat(task); ppid == parent && start == t.Start {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// numbers lists the names of a directory that are numbers.
func numbers(dir string) (out []int32) {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, s := range names {
		if n, err := strconv.ParseInt(s, 10, 32); err == nil {
			out = append(out, int32(n))
		}
	}
	return out
}

// threadStat reads parent, start time and state out of a stat file of /proc; state
// 0: there is no such thread.
func threadStat(file string) (ppid int, start uint64, state byte) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, 0
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 20 {
		return 0, 0, 0
	}
	ppid, _ = strconv.Atoi(string(f[1]))
	start, _ = strconv.ParseUint(string(f[19]), 10, 64)
	return ppid, start, f[0][0]
}
