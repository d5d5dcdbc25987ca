// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package blockdev

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lodger/internal/need"
)

// TestLoop: a guest's loop devices answer as the host's, whatever their files are on.
func TestLoop(t *testing.T) {
	need.Root(t)
	image, prog := root(t, "loop")
	need.Loop(t, sparse(t, t.TempDir()+"/a", 4096)) // or the test cannot be made here
	want, err := exec.Command(prog, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	bin := lodger(t)
	for _, c := range []struct{ name, script string }{
		{"tmpfs", "loop /tmp"}, {"ext4", "mkdir /files; loop /files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			compare(t, string(want), boot(t, bin, mounts+c.script, "ubd0="+image, "rw"))
		})
	}
}

// TestLoopTools: losetup and mount set up what lies in files; a file system on a file
// of another is written, flushed, and found again. What is in the files was made by the
// host's tools.
func TestLoopTools(t *testing.T) {
	need.Root(t)
	for _, p := range []string{"mksquashfs", "mkfs.erofs", "mke2fs"} {
		need.Program(t, p)
	}
	image, _ := root(t, "loop")
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := errors.Join(os.MkdirAll(filepath.Join(tree, "in"), 0o755), os.WriteFile(filepath.Join(tree, "in/file"), []byte("in an image\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(dir, "files")
	if err := os.Mkdir(files, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{
		{"mksquashfs", tree, files + "/squash", "-noappend", "-quiet", "-no-progress"},
		{"mkfs.erofs", "--quiet", "-zlz4", files + "/erofs", tree},
		{"mke2fs", "-q", "-t", "ext4", "-d", tree, files + "/ext4", "8M"},
		{"mke2fs", "-q", "-t", "ext4", "-d", files, dir + "/disk", "64M"},
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	const script = `exec 2>&1
mkdir -p /tmp/d /tmp/m; mount -t ext4 /dev/ubdb /tmp/d || echo failed
for i in squash erofs ext4; do
	mount -o loop,ro /tmp/d/$i /tmp/m || echo failed
	cat /tmp/m/in/file; grep -c "loop.* ro," /proc/mounts
	umount /tmp/m
done
losetup /dev/loop3 /tmp/d/ext4; losetup /dev/loop3; cat /sys/block/loop3/loop/backing_file
mount -t ext4 /dev/loop3 /tmp/m
for i in $(seq 300); do echo $i > /tmp/m/f$i; done; dd if=/dev/zero of=/tmp/m/large bs=64k count=40 2>/dev/null; sync
rm /tmp/m/f1*; mv /tmp/m/in /tmp/m/out; cat /tmp/m/f299; ls /tmp/m | wc -l
losetup -d /dev/loop3; cat /sys/block/loop3/loop/autoclear; umount /tmp/m; cat /sys/block/loop3/loop/autoclear 2>/dev/null || echo gone
mount -o loop /tmp/d/ext4 /tmp/m; ls /tmp/m | wc -l; cat /tmp/m/out/file; umount /tmp/m; umount /tmp/d; losetup -a
echo done`
	got := boot(t, lodger(t), mounts+script, "ubd0="+image, "ubd1="+dir+"/disk")
	const want = `in an image
1
in an image
1
in an image
1
/dev/loop3: 0 /tmp/d/ext4
/tmp/d/ext4
299
192
1
gone
192
in an image
done
`
	compare(t, want, got)
	inner := filepath.Join(dir, "inner")
	for _, c := range [][]string{{"e2fsck", "-fn", dir + "/disk"}, {"debugfs", "-R", "dump ext4 " + inner, dir + "/disk"}, {"e2fsck", "-fn", inner}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", c, err, out)
		}
	}
}
