// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"lodger/host"
	"lodger/internal/need"
)

// confinedProbe makes this test binary start itself anew within a domain and then
// try what is outside.
const confinedProbe = "LODGER_TEST_CONFINED"

// TestConfineAndExec: within a domain only the rules' files are reached, by every
// thread, and only in the rules' way.
func TestConfineAndExec(t *testing.T) {
	switch dir := os.Getenv(confinedProbe + "_DIR"); os.Getenv(confinedProbe) {
	case "first":
		err := host.ConfineAndExec([]host.Rule{{Path: "/proc/self/exe"}, {Path: "/lib"}, {Path: "/lib64"}, {Path: "/usr/lib"},
			{Path: "/etc/ld.so.cache"}, {Path: dir + "/read"}, {Path: dir + "/write", Write: true}},
			[]string{os.Args[0], "-test.run=^TestConfineAndExec$", "-test.v"}, []string{confinedProbe + "=second", confinedProbe + "_DIR=" + dir})
		t.Fatal(err)
	case "second":
		try := func(what string, want bool, f func() error) {
			if err := f(); (err == nil) != want {
				t.Errorf("%s: %v", what, err)
			}
		}
		read := func(name string) func() error {
			return func() error { _, err := os.ReadFile(name); return err }
		}
		write := func(name string) func() error { return func() error { return os.WriteFile(name, []byte("x"), 0o644) } }
		for range 8 { // several threads
			done := make(chan bool)
			go func() {
				try("read outside", false, read("/etc/passwd"))
				try("write outside", false, write(dir+"/new"))
				try("read inside", true, read(dir+"/read/file"))
				try("write what is to be read", false, write(dir+"/read/file"))
				try("write inside", true, write(dir+"/write/file"))
				close(done)
			}()
			<-done
		}
		return
	}
	if host.LandlockABI() == 0 {
		need.Missing(t, "no Landlock")
	}
	dir := openDir(t)
	for _, d := range []string{"/read", "/write"} {
		if err := os.Mkdir(dir+d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+d+"/file", []byte("y"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestConfineAndExec$", "-test.v")
	cmd.Env = []string{confinedProbe + "=first", confinedProbe + "_DIR=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestKernelIsConfined: lodger run shuts itself in, and guests run all the same, with
// trees to read, to write and both.
func TestKernelIsConfined(t *testing.T) {
	if os.Getenv("LODGER_BIN") != "" {
		t.Skip("a binary built with cgo is not confined")
	}
	if host.LandlockABI() == 0 {
		need.Missing(t, "no Landlock")
	}
	bin, ro, rw := lodger(t), openDir(t), openDir(t)
	os.WriteFile(ro+"/f", []byte("f\n"), 0o644)
	cmd, _, msg := start(t, bin, "run", "--verbose", "--volume", ro+":/ro:ro", "--volume", rw+":/rw", "builtin", "--",
		"sh", "-c", "cat /ro/f >/rw/g; echo ready; sleep 1000")
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
	if err != nil || !bytes.Contains(env, []byte("LODGER_CONFINED=")) {
		t.Errorf("lodger did not start itself anew: %v; it said %q", err, msg)
	}
	for _, p := range guestProcesses() {
		if b, _ := os.ReadFile("/proc/" + p + "/status"); below(p, cmd.Process.Pid) && bytes.Contains(b, []byte("\nUid:\t0\t")) {
			t.Errorf("host process %s of the guest is root's", p)
		}
	}
	if b, _ := os.ReadFile(rw + "/g"); string(b) != "f\n" {
		t.Errorf("the guest wrote %q", b)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if msg.Len() > 0 {
		t.Errorf("it said %q", msg)
	}
}
