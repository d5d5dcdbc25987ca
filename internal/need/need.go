// SPDX-License-Identifier: Apache-2.0

// Package need is how tests say that this host lacks something that they need:
// a Debian tree, root, a compiler. A developer's run leaves such a test out; in
// CI, where .ci/run installs everything and sets LODGER_CI=1, it fails, so that
// nothing is left out without anybody's notice.
package need

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// InCI reports whether every prerequisite must be there.
func InCI() bool { return os.Getenv("LODGER_CI") == "1" }

// Missing ends the test: skipped, or failed in CI.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if InCI() {
		t.Fatalf("missing in CI: "+format, args...)
	}
	t.Skipf(format, args...)
}

// Program ends the test when a program is not installed.
func Program(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		Missing(t, "%s is not installed", name)
	}
}

// Root ends the test when it does not run as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		Missing(t, "needs root")
	}
}

// Loop makes a loop device of the host (losetup -f --show with args), which goes with
// the test; it ends the test when there are none.
func Loop(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("losetup", append([]string{"-f", "--show"}, args...)...).Output()
	if err != nil {
		Missing(t, "the host has no loop devices: %v", err)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if err := exec.Command("losetup", "-d", dev).Run(); err != nil {
			t.Errorf("losetup -d %s: %v", dev, err)
		}
	})
	return dev
}
