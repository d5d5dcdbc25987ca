// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startStray boots a guest in which a child keeps from announcing itself, and
// returns the host process of that child.
func startStray(t *testing.T, opts string) (g *guest, stray int) {
	g = start(t, opts, compile(t, "testdata/stray.c"), "/t/stray")
	g.expect("strays", 10*time.Second)
	found := func() bool {
		for _, pid := range g.stubs() {
			if f := stat(pid); len(f) > 0 && f[0] == "R" {
				stray = pid
			}
		}
		return stray != 0
	}
	if !within(5*time.Second, found) {
		t.Fatal("no stray is running")
	}
	t.Cleanup(func() { syscall.Kill(stray, syscall.SIGKILL) })
	return g, stray
}

// A clone's child that does not announce itself is killed in the end, whoever made
// it; the guest lives on.
func TestStray(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	g, stray := startStray(t, "")
	if !within(time.Minute, func() bool { return !alive(stray) }) {
		t.Errorf("host process %d still runs", stray)
	}
	g.in.WriteString("x")
	if code := g.end(5 * time.Second); code != 0 || !strings.Contains(g.out.String(), "lives\n") {
		t.Errorf("status %d, output %q", code, g.out.String())
	}
}

// It does not survive the kernel's death, nor that of the zygote, in any box: it
// has not asked for a PDEATHSIG.
func TestStrayEnds(t *testing.T) {
	for how, kill := range map[string]func(g *guest){
		"kernel": func(g *guest) { syscall.Kill(g.Process.Pid, syscall.SIGKILL) },
		"zygote": func(g *guest) { syscall.Kill(g.stubs()[0], syscall.SIGKILL) },
		"end":    func(g *guest) { g.in.WriteString("x") },
	} {
		t.Run(how, func(t *testing.T) {
			inEachBox(t, func(t *testing.T, opts string) {
				g, stray := startStray(t, opts)
				all := g.stubs()
				kill(g)
				if !within(time.Second, func() bool { return !slices.ContainsFunc(append(all, stray), alive) }) {
					t.Error("a host process is left")
				}
			})
		})
	}
}
