// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package blockdev

import (
	"os/exec"
	"path/filepath"
	"testing"

	"lodger/internal/need"
)

// TestUmountAfterMunmap: the host performs munmap, and a file that a process had mapped
// kept its mount busy as long as the process lived.
func TestUmountAfterMunmap(t *testing.T) {
	need.Root(t)
	image, prog := root(t, "unmap")
	dir := t.TempDir()
	disk := func(name string, args ...string) string {
		name = sparse(t, filepath.Join(dir, name), 16<<20)
		if out, err := exec.Command("mke2fs", append(append([]string{"-q", "-t", "ext4"}, args...), name)...).CombinedOutput(); err != nil {
			t.Fatalf("mke2fs: %v\n%s", err, out)
		}
		return name
	}
	want, err := exec.Command("unshare", "--mount", prog, need.Loop(t, disk("a")), t.TempDir()+"/at").CombinedOutput()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	bin := lodger(t)
	for _, size := range []string{"4096", "1024"} {
		t.Run(size, func(t *testing.T) {
			got := boot(t, bin, mounts+"unmap /dev/ubdb /tmp/at", "ubd0="+image, "ubd1="+disk(size, "-b", size))
			compare(t, string(want), got)
		})
	}
}
