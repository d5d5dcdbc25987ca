// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strconv"
	"strings"
	"testing"
)

// layers from the lowest to the highest. A name that ends in "/" stands for the
// packages below a directory.
func layers() [][]string {
	return [][]string{
		{"abi"},
		{"host", "host/"},
		{"lib/"},
		{"fs", "block", "tty", "net"},
		{"mm", "ipc", "block/"}, // mm: beside fs in the picture; mappings hold files
		{"fs/", "drivers/"},
		{"kernel"},
		{"sys"},
		{"init"},
		{"cmd/"},
	}
}

// rank is a package directory's layer; ok is false for what is no part of the
// kernel: guest programs, tests, benchmarks.
func rank(dir string) (n int, ok bool) {
	for i, names := range layers() {
		for _, name := range names {
			if dir == name || strings.HasSuffix(name, "/") && strings.HasPrefix(dir, name) {
				return i, true
			}
		}
	}
	return 0, false
}

// TestLayers: a lower layer never imports an upper one, and single packages of
// the lowest layers stay apart.
func TestLayers(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if !f.isGo() || !f.product() {
			continue
		}
		from, _ := rank(f.dir())
		for _, spec := range f.ast.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			dep, ours := strings.CutPrefix(path, "lodger/")
			if !ours {
				continue
			}
			to, ok := rank(dep)
			switch {
			case !ok && dep == "userland" && (f.dir() == "init" || strings.HasPrefix(f.dir(), "cmd/")):
				// the built-in guest's programs are linked in
			case !ok:
				t.Errorf("layers: %s imports %s, which is no part of the kernel", f.path, path)
			case to > from:
				t.Errorf("layers: %s (layer %d) imports %s (layer %d)", f.path, from, path, to)
			}
		}
	}
}

// TestUserlandIsGuestCode: the programs of the built-in guest know nothing of
// the kernel that they run on.
func TestUserlandIsGuestCode(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if !f.isGo() || f.isTest() || !strings.HasPrefix(f.path, "userland/") {
			continue
		}
		for _, spec := range f.ast.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if strings.HasPrefix(path, "lodger/") && !strings.HasPrefix(path, "lodger/userland") {
				t.Errorf("layers: %s imports %s", f.path, path)
			}
		}
	}
}

// TestRank tries the rule itself.
func TestRank(t *testing.T) {
	lower := func(a, b string) {
		x, ok1 := rank(a)
		y, ok2 := rank(b)
		if !ok1 || !ok2 || x >= y {
			t.Errorf("%s (%d %v) is not below %s (%d %v)", a, x, ok1, b, y, ok2)
		}
	}
	lower("abi", "host/notify")
	lower("lib/wait", "fs")
	lower("fs", "fs/tmpfs")
	lower("block/cow", "drivers/ubd")
	lower("drivers/console", "kernel")
	lower("sys", "init")
	lower("init", "cmd/lodger")
	if _, ok := rank("userland/app"); ok {
		t.Error("userland has a layer")
	}
}
