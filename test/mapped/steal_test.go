// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package mapped

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lodger/internal/need"
	"lodger/test/fixture"
)

// TestSteal has guest code try to see other blocks of the disk than its file's.
func TestSteal(t *testing.T) {
	need.Program(t, "gcc")
	need.Program(t, "mkfs.ext4")
	dir := t.TempDir()
	lodger := os.Getenv("LODGER_BIN")
	if lodger == "" {
		var err error
		if lodger, err = fixture.Lodger(dir); err != nil {
			t.Fatal(err)
		}
	}
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	prog := filepath.Join(tree, "bin/steal")
	if out, err := exec.Command("gcc", "-O1", "-w", "-static", "-pthread", "-o", prog, "programs/steal.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, d := range []string{"work", "tmpfs"} {
		if err := os.MkdirAll(filepath.Join(tree, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Small, so that freed blocks are soon used again.
	image := filepath.Join(dir, "root.ext4")
	if err := fixture.Image(image, tree, 16<<20, "-b", "4096"); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader("mount -t tmpfs none /tmpfs; cat /bin/steal >/tmpfs/late; chmod 755 /tmpfs/late; cd /work && steal && /tmpfs/late; poweroff -f\n")
	out, msg := command(t, in, dir, lodger, "ubd0="+image, "root=/dev/ubda", "rw", "quiet")
	if strings.Contains(out, "ESCAPED") || strings.Count(out, "blocked") != 2 || strings.Contains(out, "not blocked") {
		t.Errorf("%s\n%s", out, msg)
	}
	if err := fixture.Fsck(image); err != nil {
		t.Error(err)
	}
}
