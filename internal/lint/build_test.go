// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestDeps: the modules that are linked into each binary are those of deps.txt,
// with the reason for each.
func TestDeps(t *testing.T) {
	want := readList(t, "deps.txt")
	got := map[string]bool{}
	for _, bin := range []string{"cmd/lodger", "bench"} {
		out := goTool(t, nil, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./"+bin)
		for _, module := range strings.Fields(out) {
			if module != "lodger" {
				got[bin+":"+module] = true
			}
		}
	}
	for m := range got {
		if want[m] == "" {
			t.Errorf("deps: %s is linked in, but deps.txt does not list it with a reason", m)
		}
	}
	for m := range want {
		if !got[m] {
			t.Errorf("deps: deps.txt lists %s, which is not linked in", m)
		}
	}
}

// TestOtherBuilds: the tree compiles for arm64 and without a C compiler.
func TestOtherBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("short run")
	}
	goTool(t, []string{"GOARCH=arm64", "CGO_ENABLED=0"}, "build", "-buildvcs=false", "./...")
	goTool(t, []string{"CGO_ENABLED=0"}, "build", "-buildvcs=false", "./...")
}

// goTool runs the go command in the repository.
func goTool(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	var msg strings.Builder
	cmd.Stderr = &msg
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s go %s: %v\n%s", strings.Join(env, " "), strings.Join(args, " "), err, msg.String())
	}
	return string(out)
}
