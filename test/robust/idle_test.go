// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// An idle guest wakes nobody. The Go runtime's sysmon looks around once a minute
// and may then poll some fifty times within 10 ms, so the kernel's wake-ups are
// counted by tenths of a second in which there were any.
func TestIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const (
		settle = 3 * time.Second
		period = time.Minute
		wakes  = 4   // tenths of a second in which the kernel was woken
		most   = 200 // wake-ups in them
	)
	g := start(t, "", compile(t, "testdata/sleepers.c"), "/t/sleepers")
	g.expect("asleep", 5*time.Second)
	time.Sleep(settle)
	stubs := g.stubs()
	before := map[int]int64{g.Process.Pid: switches(g.Process.Pid)}
	for _, pid := range stubs {
		before[pid] = switches(pid)
	}
	moments, last := 0, before[g.Process.Pid]
	for end := time.Now().Add(period); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if n := switches(g.Process.Pid); n != last {
			moments, last = moments+1, n
		}
	}
	if n := last - before[g.Process.Pid]; moments > wakes || n > most {
		t.Errorf("the kernel was woken %d times, at %d moments, in %v", n, moments, period)
	}
	for _, pid := range stubs {
		if n := switches(pid) - before[pid]; n > 0 {
			t.Errorf("host process %d was woken %d times in %v", pid, n, period)
		}
	}
}

// A guest with an idle shell takes little memory: kernel and host processes.
func TestMemory(t *testing.T) {
	const most = 25 << 10 // KiB
	g := start(t, "", "", "sh")
	fmt.Fprintln(g.in, "echo up")
	g.expect("up", 5*time.Second)
	private := int64(0)
	for _, pid := range append([]int{g.Process.Pid}, g.stubs()...) {
		file := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
		n := field(file, "Private_Clean") + field(file, "Private_Dirty")
		t.Logf("process %d: %d KiB private", pid, n)
		private += n
	}
	if private > most {
		t.Errorf("%d KiB of private memory, want at most %d", private, most)
	}
}

// switches counts how often the threads of a process went to sleep.
func switches(pid int) (n int64) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, f := range files {
		n += field(f, "voluntary_ctxt_switches")
	}
	return n
}
