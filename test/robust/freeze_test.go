// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lodger/internal/need"
)

// freezer is a cgroup that can freeze what is in it: version 1 or 2.
type freezer struct {
	t   *testing.T
	dir string
	v2  bool
}

func newFreezer(t *testing.T) *freezer {
	t.Helper()
	need.Root(t)
	f := &freezer{t: t}
	for _, root := range []string{"/sys/fs/cgroup/freezer", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		dir := filepath.Join(root, fmt.Sprintf("lodger-test-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		for name, v2 := range map[string]bool{"freezer.state": false, "cgroup.freeze": true} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				f.dir, f.v2 = dir, v2
			}
		}
		t.Cleanup(func() {
			within(2*time.Second, func() bool { return os.Remove(dir) == nil })
		})
		if f.dir != "" {
			return f
		}
	}
	need.Missing(t, "no cgroup freezer here")
	return nil
}

func (f *freezer) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0); err != nil {
		f.t.Fatal(err)
	}
}

// take puts a guest's kernel and all its host processes into the cgroup.
func (f *freezer) take(g *guest) {
	f.t.Helper()
	for _, pid := range append([]int{g.Process.Pid}, g.stubs()...) {
		f.write("cgroup.procs", strconv.Itoa(pid))
	}
}

func (f *freezer) frozen() bool {
	if f.v2 {
		return field(filepath.Join(f.dir, "cgroup.events"), "frozen") == 1 || strings.Contains(f.read("cgroup.events"), "frozen 1")
	}
	return strings.HasPrefix(f.read("freezer.state"), "FROZEN")
}

func (f *freezer) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(f.dir, name))
	return string(b)
}

func (f *freezer) freeze() { f.set("FROZEN", "1") }
func (f *freezer) thaw()   { f.set("THAWED", "0") }

func (f *freezer) set(v1, v2 string) {
	if f.v2 {
		f.write("cgroup.freeze", v2)
		return
	}
	f.write("freezer.state", v1)
}

// An idle guest can be frozen within three seconds, and goes on when thawed.
func TestFreeze(t *testing.T) {
	bin := compile(t, "testdata/sleepers.c")
	g := start(t, "", bin, "/t/sleepers")
	f := newFreezer(t)
	g.expect("asleep\n", 5*time.Second)
	f.take(g)
	for round := range 3 {
		time.Sleep(1300 * time.Millisecond) // a guest is idle when its sleeps are a second old
		f.freeze()
		ok := within(3*time.Second, f.frozen)
		if !ok {
			for _, pid := range append([]int{g.Process.Pid}, g.stubs()...) {
				wchan, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
				t.Logf("%d %v %s", pid, stat(pid)[:1], wchan)
			}
		}
		f.thaw()
		if !ok {
			t.Fatalf("round %d: not frozen within three seconds", round)
		}
		fmt.Fprintf(g.in, "%d\n", round)
		g.expect(fmt.Sprintf("read %d", round), 2*time.Second)
	}
	g.in.Close()
	if code := g.end(5 * time.Second); code != 0 {
		t.Errorf("status %d", code)
	}
	if !strings.Contains(g.out.String(), "all woke\n") {
		t.Errorf("output %q", g.out.String())
	}
}
