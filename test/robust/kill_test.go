// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/internal/need"
)

// boxes are the platform options that force each form of confinement.
var boxes = []string{"", "nouserns", "nonamespaces", "nolandlock", "noseal", "nonamespaces,noseal"}

// busy leaves several host processes: sleeping in calls, spinning, stopped.
const busy = "sleep 1000 & sleep 1000 | cat & (while :; do :; done) & (while :; do /bin/true; done) & echo up; wait"

func inEachBox(t *testing.T, f func(t *testing.T, opts string)) {
	for _, opts := range boxes {
		name := opts
		if name == "" {
			name = "strongest"
		}
		t.Run(name, func(t *testing.T) {
			if opts == "nouserns" && os.Getuid() != 0 {
				need.Missing(t, "namespaces without a user namespace need root")
			}
			f(t, opts)
		})
	}
}

// When the kernel is killed, no host process of the guest is left a second later.
func TestKillKernel(t *testing.T) {
	inEachBox(t, func(t *testing.T, opts string) {
		g := start(t, opts, "", "sh", "-c", busy)
		g.expect("up", 10*time.Second)
		var all []int
		// zygote, shell, two sleeps and a cat
		if !within(5*time.Second, func() bool { all = g.stubs(); return len(all) >= 5 }) {
			t.Fatalf("host processes %v: expected more", all)
		}
		syscall.Kill(g.Process.Pid, syscall.SIGKILL)
		left := 0
		within(time.Second, func() bool {
			left = 0
			for _, pid := range all {
				if alive(pid) {
					left++
				}
			}
			return left == 0
		})
		if left > 0 {
			t.Errorf("%d of %d host processes are left", left, len(all))
			for _, pid := range all {
				if alive(pid) {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	})
}

// A host process that something else kills is a killed child in the guest, which
// lives on.
func TestKillStub(t *testing.T) {
	for name, child := range map[string]string{
		"asleep":   "sleep 1000",
		"spinning": "sh -c 'while :; do :; done'",
	} {
		t.Run(name, func(t *testing.T) {
			inEachBox(t, func(t *testing.T, opts string) {
				g := start(t, opts, "", "sh", "-c", "echo up; read x; "+child+" & echo kid; wait $!; echo status $?; echo on | cat")
				g.expect("up", 10*time.Second)
				before := map[int]bool{}
				for _, pid := range g.stubs() {
					before[pid] = true
				}
				g.in.WriteString("go\n")
				g.expect("kid", 5*time.Second)
				time.Sleep(300 * time.Millisecond)
				killed := 0
				for _, pid := range g.stubs() {
					if !before[pid] {
						syscall.Kill(pid, syscall.SIGKILL)
						killed++
					}
				}
				if killed != 1 {
					t.Fatalf("found %d host processes of the child", killed)
				}
				if code := g.end(5 * time.Second); code != 0 || !strings.Contains(g.out.String(), "status 137\non\n") {
					t.Errorf("status %d, output %q", code, g.out.String())
				}
			})
		})
	}
}

// The guest ends with its zygote, and its kernel says why.
func TestKillZygote(t *testing.T) {
	inEachBox(t, func(t *testing.T, opts string) {
		g := start(t, opts, "", "sh", "-c", busy)
		g.expect("up", 10*time.Second)
		all := g.stubs()
		syscall.Kill(all[0], syscall.SIGKILL)
		if code := g.end(5 * time.Second); code != 125 {
			t.Errorf("status %d, want 125", code)
		}
		if n := strings.Count(g.msg.String(), "\n"); n != 1 || !strings.Contains(g.msg.String(), "host") {
			t.Errorf("standard error %q, want one line", g.msg.String())
		}
		for _, pid := range all {
			if !within(time.Second, func() bool { return !alive(pid) }) {
				t.Errorf("host process %d is left", pid)
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
}
