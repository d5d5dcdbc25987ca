// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package difftest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit bounds one run of one program.
const limit = 60 * time.Second

// result is how a program ended and what it printed.
type result struct{ stdout, stderr, status string }

// inNamespaces runs $2 below a fresh pid 1 (which reaps orphans, as a guest's
// init does), in a session of its own, with an empty tmpfs $1 as directory and no signal
// ignored, whatever whoever runs the tests ignores.
const inNamespaces = `mount -t tmpfs -o mode=1777 t "$1" && cd "$1" && setsid -f -w env --default-signal "$2"; exit $?`

func native(t *testing.T, prog string) result {
	if os.Getuid() == 0 {
		if _, err := exec.LookPath("unshare"); err == nil {
			return run(t, t.TempDir(), "unshare", "-mpf", "--mount-proc", "--kill-child",
				"sh", "-c", inNamespaces, "sh", t.TempDir(), prog)
		}
	}
	return run(t, scratch(t), "env", "--default-signal", prog)
}

// scratch is an empty directory, on a tmpfs if the host has one for everybody.
func scratch(t *testing.T) string {
	d, err := os.MkdirTemp("/dev/shm", "difftest")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	return d
}

func (s suite) guest(t *testing.T, name string) result {
	root := cmp.Or(s.root, os.Getenv("LODGER_ROOT"), "builtin")
	args := []string{"run", "--volume", s.bin + ":/t:ro", "--workdir", "/tmp"}
	if uid := os.Getuid(); uid != 0 {
		args = append(args, "--user", fmt.Sprintf("%d:%d", uid, os.Getgid()))
	}
	args = append(args, strings.Fields(os.Getenv("LODGER_FLAGS"))...)
	return run(t, t.TempDir(), s.lodger, append(args, root, "--", "/t/"+name)...)
}

// run runs a command in a process group of its own, which is killed at the end
// whatever happened, and never waits longer than limit.
func run(t *testing.T, dir, name string, args ...string) result {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out, msg bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &msg
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGABRT) } // a kernel that hangs tells where
	cmd.WaitDelay = 2 * time.Second                                          // a stray process may hold the pipe open
	err := cmd.Run()
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	res := result{stdout: out.String(), stderr: msg.String(), status: "0"}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		res.status = "timed out"
	case errors.As(err, &exit):
		res.status = fmt.Sprint(exit.ExitCode())
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			res.status = fmt.Sprint(128 + int(ws.Signal()))
		}
	case err != nil:
		res.status = err.Error()
	}
	return res
}

// diff prints the lines of a and b with "-" and "+" where they differ, two
// lines of context around.
func diff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	// lcs[i][j] is the length of the longest common subsequence of x[i:], y[j:].
	lcs := make([][]int, len(x)+1)
	for i := range lcs {
		lcs[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				lcs[i][j] = lcs[i+1][j+1] + 1
			} else {
				lcs[i][j] = max(lcs[i+1][j], lcs[i][j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			lines = append(lines, "  "+x[i])
			i, j = i+1, j+1
		case j >= len(y) || i < len(x) && lcs[i+1][j] >= lcs[i][j+1]:
			lines = append(lines, "- "+x[i])
			i++
		default:
			lines = append(lines, "+ "+y[j])
			j++
		}
	}
	return clip(context2(lines))
}

// context2 keeps changed lines and two lines on either side.
func context2(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		near := false
		for k := max(0, i-2); k <= min(len(lines)-1, i+2); k++ {
			near = near || lines[k][0] != ' '
		}
		if near {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// clip keeps a report readable.
func clip(s string) string {
	if len(s) > 60000 {
		return s[:60000] + "\n..."
	}
	return s
}

func TestDiff(t *testing.T) {
	if d := diff("a\nb\nc\n", "a\nx\nc\nd\n"); !strings.Contains(d, "- b\n+ x\n") || !strings.Contains(d, "+ d\n") {
		t.Errorf("diff:\n%s", d)
	}
}
