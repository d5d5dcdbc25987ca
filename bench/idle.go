// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settle is how long a guest may take to come to rest before it is watched.
const settle = 3 * time.Second

// watchIdle starts a guest that sleeps and looks at all its host processes:
// wake-ups are voluntary context switches of every thread, memory is the
// private part of smaps_rollup.
func (b *bench) watchIdle() error {
	if b.idle == 0 {
		return nil
	}
	if b.tree == "" {
		return fmt.Errorf("no Debian tree")
	}
	cmd := exec.Command(b.lodger, "run", b.tree, "--", "/bin/sleep", "1000")
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	time.Sleep(settle)
	pids := family(cmd.Process.Pid)
	before := switches(pids)
	fmt.Fprintf(os.Stderr, "idle guest: %d host processes, %d threads; watching %v\n", len(pids), len(before), b.idle)
	time.Sleep(b.idle)
	after := switches(family(cmd.Process.Pid))
	if len(after) == 0 {
		return fmt.Errorf("the guest ended early")
	}
	wakeups := 0
	for tid, n := range after {
		d := n - before[tid] // a thread born meanwhile counts from zero
		if d > 0 {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", tid))
			fmt.Fprintf(os.Stderr, "  thread %d (%s): %d wake-ups\n", tid, strings.TrimSpace(string(name)), d)
		}
		wakeups += d
	}
	b.guest["idle-wakeups-per-minute"] = []float64{float64(wakeups) * float64(time.Minute) / float64(b.idle)}
	kb := 0
	for _, pid := range pids {
		f := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
		kb += field(f, "Private_Clean") + field(f, "Private_Dirty")
	}
	b.guest["idle-private-MB"] = []float64{float64(kb) / 1024}
	return nil
}

// family lists a process and its descendants.
func family(root int) []int {
	parent := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, f := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		parent[pid] = field(f, "PPid")
	}
	var out []int
	for pid := range parent {
		for p := pid; p > 0; p = parent[p] {
			if p == root {
				out = append(out, pid)
				break
			}
		}
	}
	return out
}

// switches gives the voluntary context switches of every thread.
func switches(pids []int) map[int]int {
	n := map[int]int{}
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, f := range tasks {
			tid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			n[tid] = field(f, "voluntary_ctxt_switches")
		}
	}
	return n
}

// field reads the number of one "Name: number" line; 0 when there is none.
func field(file, name string) int {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(v)[0])
			return n
		}
	}
	return 0
}
