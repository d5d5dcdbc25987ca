// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package debian runs scripts that use the programs of a Debian tree, in a guest
// and on the host, and compares what they say. The host's run stands in the same
// tree, read-only, in a pid and a mount namespace of its own. A script writes to
// /tmp and /dev/shm only, and prints neither pids, times nor addresses.
//
// $LODGER_BIN names a ready lodger binary, else one is built.
package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run of a script.
const limit = 3 * time.Minute

// setup makes the host's room, with the tree in $1. The script is not process 1,
// whose signals are special.
const setup = `set -e
mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"; mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
set +e
tree=$1; shift
cd "$tree"
chroot "$tree" /usr/bin/env -i "$@"
exit $?`

func TestScripts(t *testing.T) {
	need.Root(t) // to enter the tree on the host
	need.Program(t, "unshare")
	tree, skip := fixture.Debian()
	if skip != "" {
		need.Missing(t, "%s", skip)
	}
	bin := os.Getenv("LODGER_BIN")
	if bin == "" {
		var err error
		if bin, err = fixture.Lodger(t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	scripts, err := filepath.Glob("testdata/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range scripts {
		name := strings.TrimSuffix(filepath.Base(file), ".sh")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			shell := "bash"
			if name == "dash" {
				shell = "dash"
			}
			command := []string{shell, "-c", string(text)}
			guest := output(t, bin, append([]string{"run", tree, "--"}, command...)...)
			env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "LOGNAME=root"}
			args := append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c", setup, "sh", tree}, env...)
			host := output(t, "unshare", append(args, command...)...)
			if diff := firstDifference(host, guest); diff != "" {
				t.Errorf("%s\nguest said:\n%s", diff, guest)
			}
		})
	}
}

// output gives what a command wrote to its standard output and error, and its
// status.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s: still running after %v; it said:\n%s", name, limit, out.String())
	}
	fmt.Fprintf(&out, "ended: %v\n", err)
	return out.String()
}

// firstDifference tells the first line that differs.
func firstDifference(host, guest string) string {
	h, g := strings.Split(host, "\n"), strings.Split(guest, "\n")
	for i := range max(len(h), len(g)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(h) {
			a = h[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: host %q, guest %q", i+1, a, b)
		}
	}
	return ""
}
