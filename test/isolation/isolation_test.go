// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package isolation runs the programs of test/hostile in a guest and watches
// the host while they attack it:
//
//   - the program prints no ESCAPED line and ends by saying "blocked";
//   - a host file that the guest was never given keeps text and mode, and so does
//     the read-only volume that it was given;
//   - a host process lives on, neither killed nor stopped nor traced;
//   - the kernel neither panics nor hangs;
//   - a second after the guest's end none of its host processes is left.
//
// $LODGER_BIN names a ready lodger binary, else one is built.
package isolation

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one hostile program; stub_jump is the slowest.
const limit = 3 * time.Minute

const canaryText = "CANARY-do-not-touch\n"

func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("short run")
	}
	need.Program(t, "gcc")
	lodger := os.Getenv("LODGER_BIN")
	if lodger == "" {
		var err error
		if lodger, err = fixture.Lodger(t.TempDir()); err != nil {
			t.Fatalf("no lodger to attack: %v", err)
		}
	}
	sources, _ := filepath.Glob("../hostile/*.c")
	if len(sources) == 0 {
		t.Fatal("no hostile programs found")
	}
	for _, src := range sources {
		name := strings.TrimSuffix(filepath.Base(src), ".c")
		t.Run(name, func(t *testing.T) { attack(t, lodger, src, name) })
	}
}

func attack(t *testing.T, lodger, src, name string) {
	bin := t.TempDir()
	if out, err := exec.Command("gcc", "-O1", "-w", "-static", "-pthread", "-o", filepath.Join(bin, name), src).CombinedOutput(); err != nil {
		t.Fatalf("build: %s", out)
	}
	volume := listing(bin)
	canary := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(canary, []byte(canaryText), 0o666); err != nil {
		t.Fatal(err)
	}
	os.Chmod(canary, 0o666) // whoever escapes shall be able to write it
	victim := exec.Command("sleep", "1000")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer victim.Wait()
	defer victim.Process.Kill()

	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out, msg bytes.Buffer
	cmd := exec.CommandContext(ctx, lodger, "run", "--pids", "500", "--volume", bin+":/t:ro", "--workdir", "/tmp",
		"builtin", "--", "/t/"+name, canary, fmt.Sprint(victim.Process.Pid))
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &msg, t.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen, watched := watch(cmd.Process.Pid)
	err := cmd.Wait()
	close(watched)

	if ctx.Err() != nil {
		t.Errorf("still running after %v", limit)
	}
	judgeOutput(t, err, out.String(), msg.String())
	judgeHost(t, canary, victim.Process.Pid)
	if now := listing(bin); now != volume {
		t.Errorf("the read-only volume was changed: %q, was %q", now, volume)
	}
	time.Sleep(time.Second)
	for _, p := range <-seen {
		if start(p.pid) == p.start {
			t.Errorf("host process %d of the guest is still there", p.pid)
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
}

func judgeOutput(t *testing.T, err error, out, msg string) {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ESCAPED") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if !strings.Contains(out, "blocked") || strings.Contains(out, "not blocked") {
		t.Errorf("did not end with \"blocked\": %v\n%s", err, clip(out))
	}
	for _, bad := range []string{"panic:", "fatal error:", "goroutine "} {
		if strings.Contains(msg, bad) {
			t.Errorf("the kernel broke down (%q):\n%s", bad, clip(msg))
			break
		}
	}
}

func judgeHost(t *testing.T, canary string, victim int) {
	if text, err := os.ReadFile(canary); err != nil || string(text) != canaryText {
		t.Errorf("host file was touched: %q %v", text, err)
	}
	if st, err := os.Stat(canary); err == nil && st.Mode() != 0o666 {
		t.Errorf("host file's mode is %v", st.Mode())
	}
	fields := stat(victim)
	if len(fields) == 0 || strings.ContainsAny(fields[0], "ZXTt") {
		t.Errorf("host process was reached: state %v", fields)
	}
}

// listing shows a directory and what lies in it: modes, owners, sizes, times.
func listing(dir string) string {
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if st, serr := os.Lstat(path); err == nil && serr == nil {
			sys := st.Sys().(*syscall.Stat_t)
			fmt.Fprintln(&b, path, st.Mode(), sys.Uid, sys.Gid, st.Size(), st.ModTime())
		}
		return nil
	})
	return b.String()
}

// process is a host process; the start time tells it from a later one with
// the same number.
type process struct {
	pid   int
	start string
}

// watch collects all descendants of a process until its second result is
// closed; then it sends them.
func watch(root int) (<-chan []process, chan struct{}) {
	result, stop := make(chan []process, 1), make(chan struct{})
	go func() {
		seen := map[process]bool{}
		for {
			for _, pid := range descendants(root) {
				seen[process{pid, start(pid)}] = true
			}
			select {
			case <-stop:
				var all []process
				for p := range seen {
					if p.start != "" {
						all = append(all, p)
					}
				}
				result <- all
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return result, stop
}

func descendants(root int) []int {
	parent := map[int]int{}
	ents, _ := os.ReadDir("/proc")
	for _, e := range ents {
		var pid, ppid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		if f := stat(pid); len(f) > 1 {
			fmt.Sscan(f[1], &ppid)
			parent[pid] = ppid
		}
	}
	var out []int
	for pid := range parent {
		for p := parent[pid]; p > 0; p = parent[p] {
			if p == root {
				out = append(out, pid)
				break
			}
		}
	}
	return out
}

// stat gives the fields of /proc/PID/stat from the state on.
func stat(pid int) []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(text, ')')
	if i < 0 {
		return nil
	}
	return strings.Fields(string(text[i+1:]))
}

// start gives a process's start time, empty when there is no such process (a
// zombie counts as gone: it waits for its parent only).
func start(pid int) string {
	f := stat(pid)
	if len(f) < 20 || f[0] == "Z" {
		return ""
	}
	return f[19]
}

func clip(s string) string {
	if len(s) > 4000 {
		return "..." + s[len(s)-4000:]
	}
	return s
}
