// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package robust tests what becomes of a guest and of its host processes when
// something goes wrong around it: the kernel or a host process of the guest is
// killed, guest code does not heed the kernel, the host freezes the guest or
// refuses what Lodger would like to have.
//
// The test binary serves as lodger: started with LODGER_ROBUST_GUEST in its
// environment it boots a guest of its built-in root with the platform options
// named there, which the command line does not offer. So a guest's kernel is a
// process of its own here, to be killed and frozen.
package robust

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/host/notify"
	boot "lodger/init"
	"lodger/internal/need"
	"lodger/userland"
)

const guestVar, volumeVar = "LODGER_ROBUST_GUEST", "LODGER_ROBUST_VOLUME"

func TestMain(m *testing.M) {
	if f, ok := userland.Lookup(os.Args[0]); ok {
		os.Exit(f(os.Args[1:]))
	}
	if opts, ok := os.LookupEnv(guestVar); ok {
		os.Exit(bootGuest(opts))
	}
	os.Exit(m.Run())
}

// bootGuest is what `lodger run` does, with platform options.
func bootGuest(opts string) int {
	cfg := boot.Config{Root: boot.Builtin, Hostname: "lodger", Workdir: "/tmp", Command: os.Args[1:], Stdio: [3]int{0, 1, 2},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))}
	cfg.Platform = notify.Options{
		NoUserNS:     strings.Contains(opts, "nouserns"),
		NoNamespaces: strings.Contains(opts, "nonamespaces"),
		NoLandlock:   strings.Contains(opts, "nolandlock"),
		NoSeal:       strings.Contains(opts, "noseal"),
	}
	if v := os.Getenv(volumeVar); v != "" {
		cfg.Volumes = []boot.Volume{{Host: v, Guest: "/t", ReadOnly: true}}
	}
	m, err := boot.Boot(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lodger:", err)
		return boot.ExitLodger
	}
	st := m.Wait()
	if st.Err != nil {
		fmt.Fprintln(os.Stderr, "lodger:", st.Err)
		return boot.ExitLodger
	}
	return st.Code
}

// guest is a guest's kernel process.
type guest struct {
	*exec.Cmd
	t        *testing.T
	out, msg buffer
	in       *os.File
	ended    chan error
}

// start boots a guest; opts are words of bootGuest.
func start(t *testing.T, opts, bin string, command ...string) *guest {
	t.Helper()
	return startBy(t, nil, opts, bin, command...)
}

// startBy starts the guest through a wrapper: a command line to put before the
// kernel's own.
func startBy(t *testing.T, wrapper []string, opts, bin string, command ...string) *guest {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(append(append([]string{}, wrapper...), exe), command...)
	g := &guest{Cmd: exec.Command(line[0], line[1:]...), t: t, ended: make(chan error, 1)}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	g.in = w
	g.Stdin, g.Stdout, g.Stderr = r, &g.out, &g.msg
	g.WaitDelay = time.Second
	g.Env = append(os.Environ(), guestVar+"="+opts, volumeVar+"="+bin)
	g.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	go func() { g.ended <- g.Wait() }()
	t.Cleanup(func() {
		g.in.Close()
		_ = syscall.Kill(-g.Process.Pid, syscall.SIGKILL)
		if t.Failed() {
			t.Logf("stdout %q\nstderr %s", g.out.String(), clip(g.msg.String()))
		}
	})
	return g
}

// end waits for the guest's end and returns its status.
func (g *guest) end(limit time.Duration) int {
	g.t.Helper()
	select {
	case err := <-g.ended:
		g.ended <- err
		return g.ProcessState.ExitCode()
	case <-time.After(limit):
		g.t.Fatalf("the guest still runs after %v; it said %q", limit, g.out.String())
	}
	return -1
}

// expect waits until the guest has printed text.
func (g *guest) expect(text string, limit time.Duration) {
	g.t.Helper()
	if !within(limit, func() bool { return strings.Contains(g.out.String(), text) }) {
		g.t.Fatalf("the guest did not print %q within %v but %q", text, limit, g.out.String())
	}
}

// stubs are the host processes of the guest, the zygote first; none when it has
// ended.
func (g *guest) stubs() []int {
	var zygote int
	var out []int
	for _, pid := range descendants(g.Process.Pid) {
		switch comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); {
		case parentOf(pid) == g.Process.Pid && bytes.HasPrefix(comm, []byte("lodger-zygote")):
			zygote = pid
		case parentOf(pid) == g.Process.Pid && zygote == 0:
			zygote = pid
		default:
			out = append(out, pid)
		}
	}
	if zygote == 0 {
		return nil // and not 0: that would be our own process group to kill
	}
	return append([]int{zygote}, out...)
}

// within polls until f holds.
func within(limit time.Duration, f func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		if f() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// compile builds a C program of test/diff or test/hostile, or text, and returns
// the directory that holds it.
func compile(t *testing.T, sources ...string) string {
	t.Helper()
	need.Program(t, "gcc")
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	for _, src := range sources {
		name := strings.TrimSuffix(filepath.Base(src), ".c")
		out, err := exec.Command("gcc", "-O1", "-w", "-static", "-pthread", "-o", filepath.Join(dir, name), src).CombinedOutput()
		if err != nil {
			t.Fatalf("build %s: %s", src, out)
		}
	}
	return dir
}

func clip(s string) string {
	if len(s) > 4000 {
		return "..." + s[len(s)-4000:]
	}
	return s
}
