// SPDX-License-Identifier: Apache-2.0

// Package need is how tests say that this host lacks something that they need:
// a Debian tree, root, a compiler. A developer's run leaves such a test out; in
// CI, where .ci/run installs everything and sets LODGER_CI=1, it fails, so that
// nothing is left out without anybody's notice.
package need

import (
	"os"
	"os/exec"
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
