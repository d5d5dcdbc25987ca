// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"bufio"
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start starts lodger and waits until the guest has said "ready".
func start(t *testing.T, bin string, args ...string) (*exec.Cmd, *bufio.Reader, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var msg bytes.Buffer
	cmd.Stderr = &msg
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatalf("guest said %q (%v), stderr %q", line, err, msg.String())
	}
	return cmd, r, &msg
}

// TestSignals: a signal to lodger reaches the command, whose end is lodger's.
func TestSignals(t *testing.T) {
	bin, root := lodger(t), openDir(t)
	copyBusybox(t, root)
	before := guestProcesses()
	const loop = "echo ready; while :; do sleep 0.05; done"
	for _, s := range []struct {
		name string
		sig  syscall.Signal
	}{{"TERM", syscall.SIGTERM}, {"INT", syscall.SIGINT}, {"HUP", syscall.SIGHUP}, {"QUIT", syscall.SIGQUIT}} {
		t.Run(s.name, func(t *testing.T) {
			cmd, _, msg := start(t, bin, "run", "builtin", "--", "sh", "-c", loop)
			cmd.Process.Signal(s.sig)
			if status := statusOf(t, cmd.Wait()); status != 128+int(s.sig) || msg.Len() > 0 {
				t.Errorf("status %d, want %d; stderr %q", status, 128+int(s.sig), msg)
			}
			// A command that answers it ends as it likes.
			cmd, out, msg := start(t, bin, "run", root, "--", "/busybox", "sh", "-c", "trap 'echo caught; exit 7' "+s.name+"; "+loop)
			cmd.Process.Signal(s.sig)
			line, _ := out.ReadString('\n')
			if status := statusOf(t, cmd.Wait()); status != 7 || line != "caught\n" {
				t.Errorf("trapped: status %d, said %q; stderr %q", status, line, msg)
			}
		})
	}
	noStrays(t, before)
}

// below reports whether host process pid descends from process root.
func below(pid string, root int) bool {
	for pid != "" && pid != "0" {
		if pid == strconv.Itoa(root) {
			return true
		}
		pid = parent(pid)
	}
	return false
}

// TestKilledKernel: no host process of a guest outlives its kernel by a second.
func TestKilledKernel(t *testing.T) {
	bin, before := lodger(t), guestProcesses()
	cmd, _, _ := start(t, bin, "run", "builtin", "--", "sh", "-c", "sleep 1000 & sleep 1000 & (while :; do :; done) & echo ready; wait")
	var mine []string
	for range 200 { // the shell's children may start after its echo
		mine = slices.DeleteFunc(guestProcesses(), func(p string) bool { return !below(p, cmd.Process.Pid) })
		if len(mine) >= 4 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(mine) < 4 { // the host's init, the shell and two children
		t.Errorf("this test finds only %v of a guest's host processes", mine)
	}
	cmd.Process.Kill()
	cmd.Wait()
	noStrays(t, before)
	for _, p := range mine {
		if slices.Contains(guestProcesses(), p) {
			t.Errorf("host process %s outlives its kernel", p)
		}
	}
}

// TestKilledStub: when something on the host kills a guest's process, the guest
// sees a killed process and lives on.
func TestKilledStub(t *testing.T) {
	bin := lodger(t)
	cmd, out, msg := start(t, bin, "run", "builtin", "--", "sh", "-c", "sleep 987 & echo ready; wait $!; echo status $?")
	victim := ""
	for range 100 {
		for _, p := range guestProcesses() {
			if strings.Contains(cmdline(p), "sleep\x00987") && strings.HasPrefix(cmdline(p), "sleep") {
				victim = p
			}
		}
		if victim != "" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if victim == "" {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatal("the guest's sleep is not to be found on the host")
	}
	kill(t, victim)
	line, _ := out.ReadString('\n')
	if status := statusOf(t, cmd.Wait()); status != 0 || line != "status 137\n" {
		t.Errorf("status %d, said %q; stderr %q", status, line, msg)
	}
}

// TestDeathOfCommand: a command that a signal kills ends lodger with 128+N.
func TestDeathOfCommand(t *testing.T) {
	bin := lodger(t)
	for _, c := range []struct {
		script string
		status int
	}{
		{"kill -KILL $$", 137}, {"exit 300", 44}, {"exit 255", 255},
		{"(sleep 1000 &) ; exit 3", 3}, // what is left dies with the guest
	} {
		if r := run(t, bin, nil, "run", "builtin", "--", "sh", "-c", c.script); r.status != c.status {
			t.Errorf("%s: %+v, want %d", c.script, r, c.status)
		}
	}
}

// eventually polls for two seconds until f holds.
func eventually(f func() bool) bool {
	for range 100 {
		if f() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
