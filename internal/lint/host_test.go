// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"go/ast"
	"strconv"
	"strings"
	"testing"
)

// mayTouchHost reports whether code below dir may use unsafe, assembly and raw
// host calls. Guest programs (userland, test/diff) are ordinary Linux programs
// and use unix as they like, but not unsafe.
func mayTouchHost(dir string) bool { return dir == "host" || strings.HasPrefix(dir, "host/") }

func guestCode(dir string) bool {
	return strings.HasPrefix(dir, "userland") || strings.HasPrefix(dir, "test/")
}

// TestHostOnly: unsafe, assembly, golang.org/x/sys/unix and raw system calls
// live in package host and below.
func TestHostOnly(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if strings.HasSuffix(f.path, ".s") && !mayTouchHost(f.dir()) {
			t.Errorf("host-only: %s: assembly", f.path)
		}
		if !f.isGo() || mayTouchHost(f.dir()) {
			continue
		}
		for _, spec := range f.ast.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			switch {
			case path == "unsafe" || path == "C":
				t.Errorf("host-only: %s imports %q", f.path, path)
			case path == "golang.org/x/sys/unix" && !guestCode(f.dir()) && !f.isTest():
				t.Errorf("host-only: %s imports %s", f.path, path)
			}
		}
		if guestCode(f.dir()) || f.isTest() {
			continue
		}
		for _, name := range rawCalls(f.ast) {
			t.Errorf("host-only: %s calls syscall.%s", f.path, name)
		}
	}
}

// rawCalls lists the uses of syscall.Syscall and its kin.
func rawCalls(f *ast.File) []string {
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "syscall" {
				if strings.HasPrefix(sel.Sel.Name, "Syscall") || strings.HasPrefix(sel.Sel.Name, "RawSyscall") {
					found = append(found, sel.Sel.Name)
				}
			}
		}
		return true
	})
	return found
}

// TestUnsafeIsExplained: a function that uses unsafe says why that is sound.
func TestUnsafeIsExplained(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if !f.isGo() || f.isTest() || !mayTouchHost(f.dir()) {
			continue
		}
		usesUnsafe := false
		for _, spec := range f.ast.Imports {
			usesUnsafe = usesUnsafe || spec.Path.Value == `"unsafe"`
		}
		if usesUnsafe && !strings.Contains(f.text, "SAFETY:") {
			t.Errorf("unsafe-explained: %s uses unsafe without a SAFETY: comment", f.path)
		}
	}
}
