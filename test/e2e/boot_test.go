// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lodger/internal/need"
	"lodger/test/fixture"
)

// busyImage makes a bootable image of busybox.
func busyImage(t *testing.T, args ...string) string {
	t.Helper()
	for _, p := range []string{"mkfs.ext4", "e2fsck"} {
		if _, err := exec.LookPath(p); err != nil {
			if _, err := os.Stat("/sbin/" + p); err != nil {
				need.Missing(t, "%s is not installed", p)
			}
		}
	}
	dir := openDir(t)
	tree, image := filepath.Join(dir, "tree"), filepath.Join(dir, "root.ext4")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	if err := fixture.Image(image, tree, 64<<20, args...); err != nil {
		t.Fatal(err)
	}
	return image
}

// in gives lodger a script on its standard input.
func in(script string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Stdin = strings.NewReader(script) }
}

func fsck(t *testing.T, image string) {
	t.Helper()
	if err := fixture.Fsck(image); err != nil {
		t.Error(err)
	}
}

// A kernel command line boots the image's own init as process 1, and what it wrote
// is on the disk afterwards.
func TestBootDisk(t *testing.T) {
	bin, image := lodger(t), busyImage(t, "-L", "busy", "-U", "01234567-89ab-cdef-0123-456789abcdef")
	r := run(t, bin, in("echo I am $$; echo kept >/root/file; sync; poweroff -f\n"), "ubd0="+image, "root=/dev/ubda", "rw")
	if r.status != 0 || r.out != "I am 1\n" {
		t.Fatalf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
	for _, want := range []string{"VFS: Mounted root (ext4 filesystem) on device 98:0.", "Run /bin/sh as init process"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in\n%s", want, r.stderr)
		}
	}
	fsck(t, image)
	for _, root := range []string{"ubda", "/dev/ubda", "98:0", "6200", "LABEL=busy", "UUID=01234567-89AB-cdef-0123-456789abcdef", ""} {
		args := []string{"ubd0=" + image, "quiet"}
		if root != "" {
			args = append(args, "root="+root)
		}
		r := run(t, bin, in("cat /root/file; echo no >/root/file; poweroff -f\n"), args...)
		if r.status != 0 || r.out != "kept\n/bin/sh: can't create /root/file: Read-only file system\n" {
			t.Errorf("root=%s: status %d\n%s%s", root, r.status, r.out, r.stderr)
		}
	}
}

// The end of init is a panic, in Linux's words, with UML's status.
func TestBootPanics(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	for _, c := range []struct {
		args   []string
		script string
		want   string
	}{
		{[]string{"init=/bin/sh"}, "exit 3\n", "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300"},
		{[]string{"init=/nope"}, "", "Kernel panic - not syncing: Requested init /nope failed (error -2)."},
		{[]string{"init=/etc"}, "", "Kernel panic - not syncing: Requested init /etc failed (error -13)."},
		{[]string{"root=/dev/ubdb"}, "", "VFS: Cannot open root device \"/dev/ubdb\" or unknown-block(0,0): error -6"},
		{[]string{"root=98:16"}, "", "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(98,16)"},
		{[]string{"rootfstype=ext2"}, "", "couldn't mount as ext2 due to feature incompatibilities"},
		{[]string{"rootfstype=hostfs", "rootflags=/nonexistent"}, "", "Kernel panic - not syncing: VFS: Unable to mount root fs"},
	} {
		r := run(t, bin, in(c.script), append([]string{"ubd0=" + image}, c.args...)...)
		if r.status != 134 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%v: status %d, want %q in\n%s", c.args, r.status, c.want, r.stderr)
		}
	}
	// A disk that cannot be is told of, and the boot goes on.
	r := run(t, bin, in("poweroff -f\n"), "ubd0="+image, "ubd1=/nonexistent", "ubd2x=f", "udb2=f", "quiet")
	for _, want := range []string{"/nonexistent", `Failed to initialize device with "2x=f" : Expected '=' or flag letter (r, s, c, t or d)`, "udb2 specified on command line is almost certainly a ubd -> udb typo"} {
		if r.status != 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("status %d, want %q in\n%s", r.status, want, r.stderr)
		}
	}
	// init has no default actions of signals.
	r = run(t, bin, in("kill -TERM 1; kill -KILL 1; kill -STOP 1; echo alive; poweroff -f\n"), "ubd0="+image, "quiet")
	if r.status != 0 || r.out != "alive\n" {
		t.Errorf("signals to init: status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// What the kernel does not know is init's.
func TestBootPassesWordsToInit(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	r := run(t, bin, in(""), "ubd0="+image, "quiet", "MYVAR=a b", "mod.par=1", "init=/bin/sh", "-c", `echo "$MYVAR|$0|$1"; env; /sbin/poweroff -f`, "--", "zero", "one")
	if r.status != 0 || !strings.HasPrefix(r.out, "a b|zero|one\n") || !strings.Contains(r.out, "TERM=linux\n") || strings.Contains(r.out, "mod.par") {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// A COW file is made when it is missing, keeps what the guest writes, and the base
// is left alone; two guests can have one base, but not one COW file.
func TestBootCOW(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	before, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	cow := filepath.Join(filepath.Dir(image), "a.cow")
	r := run(t, bin, in("echo kept >/root/file; sync; poweroff -f\n"), "ubd0="+cow+","+image, "rw", "quiet")
	if r.status != 0 {
		t.Fatalf("status %d\n%s", r.status, r.stderr)
	}
	for _, spec := range []string{cow, cow + "," + image} {
		if r := run(t, bin, in("cat /root/file; poweroff -f\n"), "ubd0="+spec, "rw", "quiet"); r.status != 0 || r.out != "kept\n" {
			t.Errorf("%s: status %d\n%s%s", spec, r.status, r.out, r.stderr)
		}
	}
	if after, _ := os.ReadFile(image); string(after) != string(before) {
		t.Error("the base has changed")
	}
	raw := filepath.Join(filepath.Dir(image), "raw")
	if r := run(t, bin, nil, "disk", "convert", cow, raw); r.status != 0 {
		t.Fatal(r.stderr)
	}
	fsck(t, raw)

	// While one guest runs on it...
	held, script, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "ubd0="+cow+","+image, "rw", "quiet")
	cmd.Stdin = held
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	script.WriteString("echo up\n")
	up := make([]byte, 3)
	if _, err := out.Read(up); err != nil {
		t.Error(err)
	}
	second := run(t, bin, in("poweroff -f\n"), "ubd0="+cow, "rw", "quiet")
	if second.status != 134 || !strings.Contains(second.stderr, "it is in use by") {
		t.Errorf("the second guest on a COW file: status %d\n%s", second.status, second.stderr)
	}
	third := run(t, bin, in("cat /root/file; poweroff -f\n"), "ubd0="+filepath.Join(filepath.Dir(image), "b.cow")+","+image, "rw", "quiet")
	if third.status != 0 || !strings.Contains(third.out, "No such file") {
		t.Errorf("another COW file of the base: status %d\n%s%s", third.status, third.out, third.stderr)
	}
	script.WriteString("poweroff -f\n")
	script.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// lodger run IMAGE throws away what the command writes; --rw keeps it.
func TestRunImage(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	before, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, bin, nil, "run", image, "--", "sh", "-c", "echo x >/root/file && cat /root/file; grep ' / ' /proc/mounts; exit 7")
	if r.status != 7 || r.out != "x\n/dev/root / ext4 rw,relatime 0 0\n" {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
	if after, _ := os.ReadFile(image); string(after) != string(before) {
		t.Error("lodger run without --rw has changed the image")
	}
	if r := run(t, bin, nil, "run", "--rw", image, "--", "sh", "-c", "echo x >/root/file"); r.status != 0 {
		t.Errorf("status %d\n%s", r.status, r.stderr)
	}
	if r := run(t, bin, nil, "run", image, "--", "cat", "/root/file"); r.status != 0 || r.out != "x\n" {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
	fsck(t, image)
	empty := filepath.Join(filepath.Dir(image), "empty")
	if err := os.WriteFile(empty, make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{empty, "no file system that Lodger mounts is in it"},
		{"--root-device ubda1 " + image, "--root-device ubda1: there is ubda"},
	} {
		args := append([]string{"run"}, append(strings.Fields(c.args), "--", "true")...)
		if r := run(t, bin, nil, args...); r.status != 125 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: status %d, want %q in %s", c.args, r.status, c.want, r.stderr)
		}
	}
}

// Partitions are found by name, number and PARTUUID.
func TestBootPartition(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	if _, err := os.Stat("/sbin/sfdisk"); err != nil {
		need.Missing(t, "sfdisk is not installed")
	}
	part, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(filepath.Dir(image), "disk")
	const start = 1 << 20
	if err := os.WriteFile(disk, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, start+int64(len(part))+(2<<20)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/sbin/sfdisk", "-q", disk)
	cmd.Stdin = strings.NewReader("label: gpt\nsize=131072, uuid=11111111-2222-3333-4444-555555555555, name=rootpart\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v\n%s", err, out)
	}
	f, err := os.OpenFile(disk, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(part, start); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, root := range []string{"/dev/ubda1", "98:1", "PARTUUID=11111111-2222-3333-4444-555555555555", "PARTLABEL=rootpart"} {
		r := run(t, bin, in("echo up; poweroff -f\n"), "ubd0="+disk, "root="+root, "rw", "quiet")
		if r.status != 0 || r.out != "up\n" {
			t.Errorf("root=%s: status %d\n%s%s", root, r.status, r.out, r.stderr)
		}
	}
	if r := run(t, bin, nil, "run", disk, "--", "echo", "up"); r.status != 0 || r.out != "up\n" {
		t.Errorf("lodger run of a partitioned image: status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// SIGTERM to lodger ends the guest, which heeds no signal itself, and leaves the disk
// unmounted.
func TestBootTerminated(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	cmd := exec.Command(bin, "ubd0="+image, "rw", "quiet", "init=/bin/sh", "-c", "echo data >/root/file; echo up; while :; do sleep 100; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make([]byte, 3)
	if _, err := io.ReadFull(out, up); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if status := statusOf(t, cmd.Wait()); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	fsck(t, image)
	if r := run(t, bin, nil, "run", image, "--", "cat", "/root/file"); r.out != "data\n" {
		t.Errorf("after SIGTERM the file holds %q", r.out)
	}
}
