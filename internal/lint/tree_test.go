// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository, seen from this directory.
const root = "../.."

// file is one source file of the tree.
type file struct {
	path string // from the repository's root, with slashes
	text string
	ast  *ast.File // of Go files
}

func (f *file) isGo() bool   { return strings.HasSuffix(f.path, ".go") }
func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) dir() string  { return filepath.ToSlash(filepath.Dir(f.path)) }

// product reports whether a file belongs to the kernel and its command, and not
// to guest programs, tests or benchmarks.
func (f *file) product() bool {
	_, ok := rank(f.dir())
	return ok && !f.isTest()
}

// readTree reads every file of the repository that people write.
func readTree(t *testing.T) (*token.FileSet, []*file) {
	t.Helper()
	set := token.NewFileSet()
	var files []*file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == ".git" || rel == "build" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !source(d.Name()) {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := &file{path: rel, text: string(b)}
		if f.isGo() {
			if f.ast, err = parser.ParseFile(set, path, b, parser.ParseComments); err != nil {
				return err
			}
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files found", len(files))
	}
	return set, files
}

// source tells what the checks read. Binaries and profiles lie about in working
// trees; they are not ours to judge.
func source(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".c", ".h", ".s", ".md", ".txt", ".sh", ".mod":
		return true
	}
	return name == "Makefile" || name == "run" || name == "known-failures"
}

// readList reads a list file: one entry a line, "name reason", # comments.
func readList(t *testing.T, name string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, reason, _ := strings.Cut(line, " ")
		list[key] = strings.TrimSpace(reason)
	}
	return list
}
