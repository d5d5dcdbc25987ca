// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"go/format"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestHeader: each source file names its licence at the top.
func TestHeader(t *testing.T) {
	const want = "SPDX-License-Identifier: Apache-2.0"
	_, files := readTree(t)
	for _, f := range files {
		switch path.Ext(f.path) {
		case ".go", ".c", ".h", ".s", ".sh":
			lines := strings.SplitN(f.text, "\n", 3)
			if !strings.Contains(strings.Join(lines[:min(2, len(lines))], "\n"), want) {
				t.Errorf("header: %s has no %q line on top", f.path, want)
			}
		}
	}
}

// TestGofmt: the tree is formatted.
func TestGofmt(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if !f.isGo() {
			continue
		}
		if b, err := format.Source([]byte(f.text)); err != nil || string(b) != f.text {
			t.Errorf("gofmt: %s: gofmt -w it (%v)", f.path, err)
		}
	}
}

// TestPackageComment: each package says what it stands for.
func TestPackageComment(t *testing.T) {
	_, files := readTree(t)
	said := map[string]bool{}
	for _, f := range files {
		if !f.isGo() || f.isTest() {
			continue
		}
		dir := f.dir()
		said[dir] = said[dir] || f.ast.Doc != nil && regexp.MustCompile(`^(Package|Command) \w`).MatchString(f.ast.Doc.Text())
	}
	for dir, ok := range said {
		if !ok && !strings.HasPrefix(dir, "test/diff/") {
			t.Errorf("package-comment: %s has none", dir)
		}
	}
}

// TestLength: a file holds one concept.
func TestLength(t *testing.T) {
	const long, most = 600, 1000
	_, files := readTree(t)
	for _, f := range files {
		if ext := path.Ext(f.path); ext != ".go" && ext != ".c" && ext != ".s" {
			continue
		}
		switch n := strings.Count(f.text, "\n"); {
		case n > most:
			t.Errorf("file-length: %s has %d lines, at most %d", f.path, n, most)
		case n > long:
			t.Logf("file-length: %s has %d lines: split it when you next touch it", f.path, n)
		}
	}
}

// TestTodo: what is left to do is known to the tracker.
func TestTodo(t *testing.T) {
	mark := regexp.MustCompile(`(?m)//.*\b(TO` + `DO|FIX` + `ME|X` + `XX)\b(\(#\d+\))?`)
	_, files := readTree(t)
	for _, f := range files {
		for _, m := range mark.FindAllStringSubmatch(f.text, -1) {
			if m[2] == "" {
				t.Errorf("todo-has-issue: %s: %s without an issue number: write %s(#N)", f.path, m[1], m[1])
			}
		}
	}
}

// TestNoMachine: nothing in the tree names one machine's paths or one
// installation's servers.
func TestNoMachine(t *testing.T) {
	// Written in pieces, so that this file does not contain them.
	bad := []*regexp.Regexp{
		regexp.MustCompile(`proxy\.` + `golang\.org`),
		regexp.MustCompile(`sum\.` + `golang\.org`),
		regexp.MustCompile(`(^|[^\w./-])/wor` + `k/`),
		regexp.MustCompile(`/var/tmp/` + `debian12`),
		regexp.MustCompile(`(deb|ftp)\.` + `debian\.org`),
		regexp.MustCompile(`/ro` + `ot/go\b|/ho` + `me/\w+/go\b`),
	}
	_, files := readTree(t)
	for _, f := range files {
		for _, re := range bad {
			if m := re.FindString(f.text); m != "" {
				t.Errorf("no-machine: %s names %q", f.path, strings.TrimSpace(m))
			}
		}
	}
}
