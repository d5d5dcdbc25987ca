// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lodger/internal/need"
)

func cmdline(pid string) string {
	b, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	return string(b)
}

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err == nil {
		err = syscall.Kill(n, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// terminal is a pseudo terminal whose output is collected.
type terminal struct {
	t             *testing.T
	master, slave *os.File
	mu            sync.Mutex
	text          strings.Builder
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		need.Missing(t, "no pseudo terminals: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, master: master, slave: slave}
	t.Cleanup(func() { slave.Close(); master.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			x.mu.Lock()
			x.text.Write(b[:n])
			x.mu.Unlock()
		}
	}()
	return x
}

func (x *terminal) seen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// expect waits until the terminal has shown s.
func (x *terminal) expect(s string) bool {
	x.t.Helper()
	for range 1000 {
		if strings.Contains(x.seen(), s) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.t.Errorf("the terminal never showed %q but %q", s, x.seen())
	return false
}

func (x *terminal) typeIn(s string) {
	x.t.Helper()
	if _, err := x.master.WriteString(s); err != nil {
		x.t.Error(err)
	}
}

func (x *terminal) settings() unix.Termios {
	x.t.Helper()
	v, err := unix.IoctlGetTermios(int(x.slave.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return *v
}

// session runs a command with the terminal as its controlling one.
func (x *terminal) session(bin string, args ...string) *exec.Cmd {
	x.t.Helper()
	cmd := exec.CommandContext(x.t.Context(), bin, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.slave, x.slave, x.slave
	cmd.Env = append(os.Environ(), "TERM=vt100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	x.t.Cleanup(func() { timer.Stop() })
	return cmd
}

// TestInteractiveShell: `lodger` alone gives a shell; exit ends it and leaves the
// terminal as it was.
func TestInteractiveShell(t *testing.T) {
	x := newTerminal(t)
	before := x.settings()
	cmd := x.session(lodger(t))
	if x.expect("# ") {
		x.typeIn("echo $((40+2))\r")
		x.expect("42")
		x.typeIn("exit 3\r")
	} else {
		cmd.Process.Kill()
	}
	if status := statusOf(t, cmd.Wait()); status != 3 {
		t.Errorf("status %d, want 3; terminal %q", status, x.seen())
	}
	if after := x.settings(); after != before {
		t.Errorf("terminal settings %+v, were %+v", after, before)
	}
}

// TestCtrlC reaches the command, also when it changed the terminal's settings.
func TestCtrlC(t *testing.T) {
	x := newTerminal(t)
	before := x.settings()
	cmd := x.session(lodger(t), "run", "builtin", "--", "sh", "-c", "echo ready; sleep 1000; echo not reached")
	x.expect("ready")
	time.Sleep(100 * time.Millisecond)
	x.typeIn("\x03")
	if status := statusOf(t, cmd.Wait()); status != 130 {
		t.Errorf("status %d, want 130; terminal %q", status, x.seen())
	}
	if after := x.settings(); after != before {
		t.Errorf("terminal settings %+v, were %+v", after, before)
	}
}

// TestBackground: a guest that a shell runs in the background ends without
// stopping for a terminal that it did not touch.
func TestBackground(t *testing.T) {
	x := newTerminal(t)
	cmd := x.session("/bin/sh", "-c", `set -m; "$0" run builtin -- echo printed & wait $!; echo ended $?`, lodger(t))
	if !x.expect("printed") || !x.expect("ended 0") {
		cmd.Process.Kill()
	}
	cmd.Wait()
}

// TestSignalRestoresTerminal: a signal to lodger while a shell edits its line.
func TestSignalRestoresTerminal(t *testing.T) {
	x := newTerminal(t)
	before := x.settings()
	cmd := x.session(lodger(t))
	x.expect("# ")
	cmd.Process.Signal(syscall.SIGHUP)
	if status := statusOf(t, cmd.Wait()); status != 129 {
		t.Errorf("status %d, want 129; terminal %q", status, x.seen())
	}
	if after := x.settings(); after != before {
		t.Errorf("terminal settings %+v, were %+v", after, before)
	}
}
