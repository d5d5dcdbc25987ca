// SPDX-License-Identifier: Apache-2.0

package tmpfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"lodger/fs/fstest"
)

// TestDifferAttrs: ACLs and extended attributes behave as those of the host's
// tmpfs.
func TestDifferAttrs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for seed := range int64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", dir).CombinedOutput(); err != nil {
				t.Skipf("this host mounts no tmpfs: %s", out)
			}
			defer exec.Command("umount", "-l", dir).Run()
			fstest.DifferAttrs(t, dir, seed, 1500, fstest.Extras{Attrs: true}, mk)
		})
	}
}
