// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package e2e runs the lodger command as its users do: good and bad command
// lines, signals, terminals, and what is left on the host afterwards.
//
// $LODGER_BIN names a ready lodger binary, else one is built.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run of lodger.
const limit = 60 * time.Second

// lodger returns the binary, which any user can execute.
func lodger(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("LODGER_BIN"); bin != "" {
		return bin
	}
	bin, err := fixture.Lodger(openDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// openDir is a temporary directory that other users can enter too.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// result is how a run ended.
type result struct {
	status      int
	out, stderr string
}

// run runs lodger to its end; change may alter the command before.
func run(t *testing.T, bin string, change func(*exec.Cmd), args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &msg, time.Second
	if change != nil {
		change(cmd)
	}
	status := statusOf(t, cmd.Run())
	if ctx.Err() != nil {
		t.Errorf("lodger %s: still running after %v", strings.Join(args, " "), limit)
	}
	return result{status, out.String(), msg.String()}
}

// statusOf is a finished command's status as a shell shows it.
func statusOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
			return 128 + int(ws.Signal())
		}
		return exit.ExitCode()
	}
	t.Errorf("cannot run it: %v", err)
	return -1
}

// guestProcesses lists the host processes of guests: their program is one of
// Lodger's memory files.
func guestProcesses() []string {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	var out []string
	for _, link := range links {
		if exe, _ := os.Readlink(link); strings.Contains(exe, "memfd:lodger-") {
			out = append(out, filepath.Base(filepath.Dir(link)))
		}
	}
	return out
}

// noStrays checks that the guests that this test started are gone. Guests of
// other test binaries may run beside; those were there before, or end.
func noStrays(t *testing.T, before []string) {
	t.Helper()
	var left []string
	for range 20 {
		left = left[:0]
		for _, p := range guestProcesses() {
			if !slices.Contains(before, p) && ours(p) {
				left = append(left, p)
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("host processes of the guest are left after a second: %v", left)
}

// ours reports whether a guest's host process has lost its kernel: whoever has a
// living lodger above it belongs to another test.
func ours(pid string) bool {
	for pid != "0" && pid != "1" {
		if pid = parent(pid); pid == "" {
			return false
		}
		if exe, _ := os.Readlink("/proc/" + pid + "/exe"); exe != "" && !strings.Contains(exe, "memfd:lodger-") {
			return false
		}
	}
	return true
}

// parent gives a process's parent, or nothing when the process is gone.
func parent(pid string) string {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return ""
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[1]
}

// copyBusybox makes DIR/busybox.
func copyBusybox(t *testing.T, dir string) {
	t.Helper()
	need.Program(t, "busybox")
	path, _ := exec.LookPath("busybox")
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(dir+"/busybox", b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// files writes the programs that must not start.
func files(t *testing.T) string {
	t.Helper()
	dir := openDir(t)
	for name, f := range map[string]struct {
		mode os.FileMode
		text string
	}{
		"plain":  {0o644, "x"},
		"empty":  {0o755, ""},
		"text":   {0o755, "no program\n"},
		"script": {0o755, "#!/no/such/interpreter\n"},
		"elf":    {0o755, "\x7fELF\x02\x01\x01" + strings.Repeat("\xff", 200)},
		"short":  {0o755, "\x7fELF\x02\x01\x01"},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestBadInput: each ends in one line on standard error that names what was
// wrong, with a status that tells its kind, and leaves nothing behind.
func TestBadInput(t *testing.T) {
	bin, dir, before := lodger(t), files(t), guestProcesses()
	volume := dir + ":/t:ro"
	cases := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"missing ROOT", []string{"run", dir + "/nowhere", "ls"}, 125, "nowhere: no such file or directory"},
		{"ROOT is a file", []string{"run", dir + "/plain", "ls"}, 125, "plain: no file system that Lodger mounts is in it"},
		{"ROOT without the command", []string{"run", dir, "/bin/ls"}, 127, "/bin/ls: no such file"},
		{"command not in PATH", []string{"run", "builtin", "nosuchprogram"}, 127, "nosuchprogram"},
		{"script without interpreter", []string{"run", "--volume", volume, "builtin", "/t/script"}, 127, "/t/script"},
		{"no execute permission", []string{"run", "--volume", volume, "builtin", "/t/plain"}, 126, "/t/plain: permission denied"},
		{"directory", []string{"run", "--volume", volume, "builtin", "/t"}, 126, "/t: "},
		{"corrupt ELF", []string{"run", "--volume", volume, "builtin", "/t/elf"}, 126, "/t/elf: not a program"},
		{"truncated ELF", []string{"run", "--volume", volume, "builtin", "/t/short"}, 126, "/t/short: not a program"},
		{"empty file", []string{"run", "--volume", volume, "builtin", "/t/empty"}, 126, "/t/empty: not a program"},
		{"no program at all", []string{"run", "--volume", volume, "builtin", "/t/text"}, 126, "/t/text: not a program"},
		{"unknown flag", []string{"run", "--bogus", "builtin", "ls"}, 125, "-bogus"},
		{"unknown command", []string{"bogus"}, 125, `unknown command "bogus"`},
		{"missing volume", []string{"run", "--volume", dir + "/nowhere:/v", "builtin", "ls"}, 125, "nowhere"},
		{"volume is a file", []string{"run", "--volume", dir + "/plain:/v", "builtin", "ls"}, 125, "volume " + dir + "/plain is not a directory"},
		{"volume over the root", []string{"run", "--volume", dir + "://", "builtin", "ls"}, 125, "GUEST is the root itself"},
		{"no processors", []string{"run", "--ncpus", "0", "builtin", "ls"}, 125, "--ncpus 0"},
		{"long host name", []string{"run", "--hostname", strings.Repeat("x", 65), "builtin", "ls"}, 125, "--hostname"},
		{"command with a dash", []string{"run", "builtin", "--", "-sh"}, 127, "-sh: command not found"},
		{"no user id", []string{"run", "--user", "4294967295", "builtin", "ls"}, 125, "4294967295"},
		{"unknown user", []string{"run", "--user", "nosuchuser", "builtin", "ls"}, 125, "nosuchuser"},
		{"missing workdir", []string{"run", "--workdir", "/no/such", "builtin", "ls"}, 125, "/no/such"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, bin, nil, c.args...)
			if r.status != c.status || r.out != "" {
				t.Errorf("status %d, want %d; stdout %q", r.status, c.status, r.out)
			}
			if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "lodger: ") || !strings.Contains(r.stderr, c.want) {
				t.Errorf("stderr %q, want one line with %q", r.stderr, c.want)
			}
		})
	}
	noStrays(t, before)
}

// TestFewDescriptors: a limit on open files that no guest can live with is named.
func TestFewDescriptors(t *testing.T) {
	bin := lodger(t)
	r := run(t, "/bin/sh", nil, "-c", "ulimit -n 64; exec "+bin+" run builtin -- true")
	if r.status != 125 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "ulimit -n") {
		t.Errorf("%+v", r)
	}
	if r := run(t, "/bin/sh", nil, "-c", "ulimit -n 256; exec "+bin+" run builtin -- true"); r.status != 0 || r.stderr != "" {
		t.Errorf("with 256: %+v", r)
	}
}

// TestUnreadableRoot: an ordinary user may not use somebody else's tree.
func TestUnreadableRoot(t *testing.T) {
	need.Root(t)
	bin, dir := lodger(t), openDir(t)
	if err := os.Mkdir(dir+"/private", 0o700); err != nil {
		t.Fatal(err)
	}
	r := run(t, bin, nobody, "run", dir+"/private", "ls")
	if r.status < 125 || r.status > 127 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "permission denied") {
		t.Errorf("%+v", r)
	}
}

// nobody lets a command run without any privilege.
func nobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
}

// TestOrdinaryUser: everything works without privilege.
func TestOrdinaryUser(t *testing.T) {
	bin := lodger(t)
	change := nobody
	if os.Getuid() != 0 {
		change = nil
	}
	r := run(t, bin, change, "run", "builtin", "--", "sh", "-c", "id -u; echo $((6*7)); exit 5")
	if r.status != 5 || r.out != "0\n42\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
}

// TestNoexecRoot: programs of a tree on a noexec mount run all the same.
func TestNoexecRoot(t *testing.T) {
	need.Root(t)
	bin, dir := lodger(t), openDir(t)
	if err := syscall.Mount("t", dir, "tmpfs", syscall.MS_NOEXEC, ""); err != nil {
		need.Missing(t, "cannot mount: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	copyBusybox(t, dir)
	if r := run(t, bin, nil, "run", dir, "--", "/busybox", "echo", "hi"); r.status != 0 || r.out != "hi\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
}

// TestClosedStdio: closed standard descriptors are no reason to fail.
func TestClosedStdio(t *testing.T) {
	bin := lodger(t)
	for _, c := range []struct{ redirect, want string }{
		{"<&-", "1\n"}, {"<&- 2>&-", "1\n"}, {">&-", ""}, {"<&- >&- 2>&-", ""},
	} {
		script := fmt.Sprintf("exec %s run builtin -- sh -c 'read x; echo $?; exit 4' %s", bin, c.redirect)
		r := run(t, "/bin/sh", nil, "-c", script)
		if r.status != 4 && r.status != 1 || r.status != 4 && c.want != "" || r.out != c.want {
			t.Errorf("%s: %+v", c.redirect, r)
		}
	}
}

// TestRootIsNotWritten: what the guest writes vanishes, and with --rw it stays.
func TestRootIsNotWritten(t *testing.T) {
	bin, dir := lodger(t), openDir(t)
	copyBusybox(t, dir)
	const script = "echo new > /new; echo changed >> /old; rm /gone; ls /"
	write := func() {
		os.WriteFile(dir+"/old", []byte("old\n"), 0o644)
		os.WriteFile(dir+"/gone", []byte("gone\n"), 0o644)
	}
	write()
	r := run(t, bin, nil, "run", dir, "--", "/busybox", "sh", "-c", script)
	if r.status != 0 || !strings.Contains(r.out, "new") || strings.Contains(r.out, "gone") {
		t.Errorf("guest: %+v", r)
	}
	if old, _ := os.ReadFile(dir + "/old"); string(old) != "old\n" || exists(dir+"/new") || !exists(dir+"/gone") {
		t.Error("the guest's changes reached ROOT")
	}
	r = run(t, bin, nil, "run", "--rw", dir, "--", "/busybox", "sh", "-c", script)
	if r.status != 0 {
		t.Errorf("guest with --rw: %+v", r)
	}
	if old, _ := os.ReadFile(dir + "/old"); string(old) != "old\nchanged\n" || !exists(dir+"/new") || exists(dir+"/gone") {
		t.Error("the guest's changes did not reach ROOT with --rw")
	}
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }
