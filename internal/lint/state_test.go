// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

// TestNoInit: nothing runs because a package was linked in.
func TestNoInit(t *testing.T) {
	_, files := readTree(t)
	for _, f := range files {
		if !f.isGo() || f.isTest() || !f.product() && !strings.HasPrefix(f.path, "userland/") {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("no-init: %s has an init function", f.path)
			}
		}
	}
}

// TestNoGlobals: no package has state of its own, so that one process can hold
// several guests. Error values are let through; tables that are never written
// stand in globals.txt with a reason.
func TestNoGlobals(t *testing.T) {
	_, files := readTree(t)
	allowed := readList(t, "globals.txt")
	found := map[string]bool{}
	names := map[string]map[string]bool{} // directory: allowed variables
	for _, f := range files {
		if !f.isGo() || !f.product() {
			continue
		}
		for _, v := range globals(f.ast) {
			name := path.Join(f.dir(), v)
			found[name] = true
			reason, ok := allowed[name]
			switch {
			case !ok:
				t.Errorf("no-globals: %s: package-level variable %s (globals.txt lists the tables that nobody writes)", f.path, v)
			case reason == "":
				t.Errorf("no-globals: globals.txt gives no reason for %s", name)
			}
			if names[f.dir()] == nil {
				names[f.dir()] = map[string]bool{}
			}
			names[f.dir()][v] = true
		}
	}
	for name := range allowed {
		if !found[name] {
			t.Errorf("no-globals: globals.txt lists %s, which is not there", name)
		}
	}
	for _, f := range files {
		if f.isGo() && f.product() {
			for _, v := range written(f.ast, names[f.dir()]) {
				t.Errorf("no-globals: %s writes package-level variable %s", f.path, v)
			}
		}
	}
}

// globals lists the package-level variables of a file that are no error values
// and no interface assertions.
func globals(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ValueSpec)
			for i, id := range spec.Names {
				if id.Name != "_" && !(i < len(spec.Values) && errorValue(spec.Values[i])) {
					out = append(out, id.Name)
				}
			}
		}
	}
	return out
}

// errorValue recognises errors.New and fmt.Errorf.
func errorValue(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && (pkg.Name == "errors" && sel.Sel.Name == "New" || pkg.Name == "fmt" && sel.Sel.Name == "Errorf")
}

// written lists the variables of names that the file's functions assign to, or
// to an element of. Locals of the same name do not count.
func written(f *ast.File, names map[string]bool) []string {
	var out []string
	target := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
				continue
			case *ast.SelectorExpr:
				e = x.X
				continue
			case *ast.ParenExpr:
				e = x.X
				continue
			case *ast.StarExpr:
				e = x.X
				continue
			case *ast.Ident:
				if names[x.Name] && (x.Obj == nil || global(x.Obj, f)) {
					out = append(out, x.Name)
				}
			}
			return
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			for _, l := range s.Lhs {
				if s.Tok != token.DEFINE {
					target(l)
				}
			}
		case *ast.IncDecStmt:
			target(s.X)
		}
		return true
	})
	return out
}

// global reports whether an object was declared at the file's top level.
func global(o *ast.Object, f *ast.File) bool { return f.Scope.Lookup(o.Name) == o }
