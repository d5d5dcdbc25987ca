// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package difftest runs the programs of test/diff on the host and in a guest
// and compares what they print and how they end. The host kernel is the
// oracle: there is no list of expected results.
//
// A program is a C file (built static with gcc) or a Go main package below
// test/diff/go. Natively it runs in a pid and mount namespace of its own with
// a tmpfs as working directory when the tests run as root, else in a temporary
// directory; programs marked NEED_ROOT are left out then. In the guest it runs
// as
//
//	lodger run --volume BIN:/t:ro --workdir /tmp builtin -- /t/NAME
//
// Environment: LODGER_BIN names a ready lodger binary, LODGER_ROOT another
// root than the built-in one, LODGER_FLAGS further flags of `lodger run`.
package difftest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

const programs = "../diff"

func TestDifferential(t *testing.T) {
	s := newSuite(t)
	known := readKnown(t, filepath.Join(programs, "known-failures"))
	for _, p := range findPrograms(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if p.needRoot {
				need.Root(t) // on the host, to compare with
			}
			if err := p.build(s.bin); err != nil {
				t.Fatal(err)
			}
			s.check(t, p, known[p.name])
		})
		delete(known, p.name)
	}
	for name := range known {
		t.Errorf("known-failures names %s, which is no program", name)
	}
}

// TestOnImage runs the programs about files and memory once more, in a guest whose root
// is an ext4 image.
func TestOnImage(t *testing.T) {
	s := newSuite(t)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	for _, d := range []string{"t", "usr", "var"} {
		if err := os.Mkdir(filepath.Join(tree, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(tree, "tmp"), os.ModeSticky|0o777); err != nil {
		t.Fatal(err)
	}
	s.root = filepath.Join(dir, "root.ext4")
	if err := fixture.Image(s.root, tree, 256<<20, "-b", "4096"); err != nil {
		need.Missing(t, "%v", err)
	}
	for _, p := range findPrograms(t) {
		topic, _, _ := strings.Cut(p.name, "_")
		if !slices.Contains([]string{"file", "mem", "lock", "fifo", "exec", "mount"}, topic) {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if p.needRoot {
				need.Root(t)
			}
			if err := p.build(s.bin); err != nil {
				t.Fatal(err)
			}
			s.check(t, p, "")
		})
	}
}

// suite is what all subtests share.
type suite struct {
	bin    string // directory of built programs
	lodger string
	root   string // of the guest; "": $LODGER_ROOT or the built-in one
}

func newSuite(t *testing.T) suite {
	need.Program(t, "gcc")
	s := suite{bin: t.TempDir(), lodger: os.Getenv("LODGER_BIN")}
	// The guest may run as another user than the one that built.
	for d := s.bin; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	if s.lodger == "" {
		lodger, err := fixture.Lodger(t.TempDir())
		if err != nil {
			t.Fatalf("no guest to compare with: %v", err)
		}
		s.lodger = lodger
	}
	return s
}

// check runs one program on both sides. reason is not empty for a program that
// is known to differ.
func (s suite) check(t *testing.T, p program, reason string) {
	host := native(t, filepath.Join(s.bin, p.name))
	other := s.guest(t, p.name)
	same := host.stdout == other.stdout && host.status == other.status
	switch {
	case same && reason != "":
		t.Errorf("agrees now: take %s off known-failures (%s)", p.name, reason)
	case !same && reason != "":
		t.Logf("known failure: %s", reason)
	case !same:
		t.Errorf("- host (status %s)  + guest (status %s)\n%s\nguest's stderr:\n%s",
			host.status, other.status, diff(host.stdout, other.stdout), clip(other.stderr))
	}
}

// program is one test program's source.
type program struct {
	name, path string
	golang     bool
	needRoot   bool
}

func findPrograms(t *testing.T) []program {
	var ps []program
	cs, _ := filepath.Glob(filepath.Join(programs, "*.c"))
	for _, c := range cs {
		src, err := os.ReadFile(c)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, program{name: strings.TrimSuffix(filepath.Base(c), ".c"), path: c,
			needRoot: strings.Contains(string(src), "NEED_ROOT")})
	}
	gos, _ := filepath.Glob(filepath.Join(programs, "go", "*", "main.go"))
	for _, g := range gos {
		dir := filepath.Dir(g)
		ps = append(ps, program{name: "go-" + filepath.Base(dir), path: dir, golang: true})
	}
	if len(ps) == 0 {
		t.Fatal("no programs found")
	}
	return ps
}

func (p program) build(dir string) error {
	out := filepath.Join(dir, p.name)
	cmd := exec.Command("gcc", "-O1", "-w", "-static", "-pthread", "-o", out, p.path)
	if p.golang {
		cmd = exec.Command("go", "build", "-buildvcs=false", "-o", out, "./"+p.path)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if msg, err := cmd.CombinedOutput(); err != nil {
		return &buildError{p.name, string(msg)}
	}
	return nil
}

type buildError struct{ name, output string }

func (e *buildError) Error() string { return "build of " + e.name + " failed:\n" + e.output }

// readKnown reads lines "name reason".
func readKnown(t *testing.T, file string) map[string]string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, ok := strings.Cut(line, " ")
		if !ok {
			t.Errorf("%s: %q has no reason", file, name)
		}
		known[name] = strings.TrimSpace(reason)
	}
	return known
}
