// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package disks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run of all scripts.
const limit = 5 * time.Minute

// diskSize is that of each script's disk.
const diskSize = 96 << 20

// guestScript is the init of the guest.
const guestScript = `#!/bin/bash
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs -o mode=1777 tmpfs /tmp
bash /disks/run "$@"
umount -a 2>/dev/null; mount -o remount,ro /
perl -e 'syscall(169, 0xfee1dead, 0x28121969, 0x4321fedc, 0)' # reboot: RB_POWER_OFF
`

// hostScript enters the image that is mounted at $1.
const hostScript = `set -e
cd "$1"; mount -t proc proc proc; mount -t sysfs sysfs sys; mount --rbind /dev dev; mount -t tmpfs -o mode=1777 tmpfs tmp
shift; exec chroot . /usr/bin/env -i /bin/bash /disks/run "$@"`

// lodger is the binary to test.
func lodger(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("LODGER_BIN"); bin != "" {
		return bin
	}
	bin, err := fixture.Lodger(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// command runs a program and gives its output.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := output(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func output(t *testing.T, name string, args ...string) (string, error) {
	return outputFrom(t, "", name, args...)
}

// outputFrom is output of a program that has something to read.
func outputFrom(t *testing.T, in, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.WaitDelay = strings.NewReader(in), time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sparse makes a file of zeroes.
func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// script is one of testdata.
type script struct {
	name        string
	guest, host string // the disks' files
	loop        string // the host's device
}

func (s *script) guestOnly() bool { return strings.HasPrefix(s.name, "guest-") }

// ubd is the name of the n-th script's disk: ubda is the root.
func ubd(n int) string { return "ubd" + string(rune('b'+n)) }

// TestTools runs all scripts on both sides and compares.
func TestTools(t *testing.T) {
	need.Root(t)
	tree, skip := fixture.DebianDisks()
	if skip != "" {
		need.Missing(t, "%s", skip)
	}
	bin, dir := lodger(t), t.TempDir()
	scripts := find(t)
	root := filepath.Join(dir, "root.ext4")
	makeRoot(t, root, tree)
	hostRoot := filepath.Join(dir, "host.ext4")
	command(t, "cp", "--sparse=always", root, hostRoot)

	args := []string{"ubd0=" + root, "root=/dev/ubda", "rw", "quiet", "mem=1G", "init=/disks/init", "--"}
	disks := []string{}
	for n, s := range scripts {
		s.guest, s.host = filepath.Join(dir, s.name+".guest"), filepath.Join(dir, s.name+".host")
		sparse(t, s.guest, diskSize)
		disks = append(disks, fmt.Sprintf("ubd%d=%s", n+1, s.guest))
		args = append(args, s.name+"=/dev/"+ubd(n))
	}
	guestOut, guestErr := output(t, bin, append(disks, args...)...)
	if guestErr != nil {
		t.Errorf("the guest: %v\n%s", guestErr, tail(guestOut))
	}
	t.Log(guestOut)
	guest := results(t, root, filepath.Join(dir, "guest-results"))

	hostArgs := []string{}
	for _, s := range scripts {
		if !s.guestOnly() {
			sparse(t, s.host, diskSize)
			s.loop = need.Loop(t, "-P", s.host)
			hostArgs = append(hostArgs, s.name+"="+s.loop)
		}
	}
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Log(command(t, "unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
		`mount -o loop "$1" "$2" || exit; shift; ` + hostScript, "sh", hostRoot, mnt}, hostArgs...)...))
	host := results(t, hostRoot, filepath.Join(dir, "host-results"))

	for n, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			want := host[s.name]
			if s.guestOnly() {
				b, err := os.ReadFile("testdata/" + s.name + ".want")
				if err != nil {
					t.Errorf("%v; the guest said:\n%s", err, normal(guest[s.name], ubd(n)))
				}
				want = string(b)
			}
			got := normal(guest[s.name], ubd(n))
			if want = normal(want, filepath.Base(s.loop)); want != got {
				t.Errorf("- wanted + guest\n%s", difference(t, want, got))
			}
			if n := strings.Count(want, "\n"); n < 4 || !strings.HasSuffix(want, "ended: 0\n") {
				t.Errorf("the script does not end well by itself: %s", tail(want))
			}
			fsck(t, s.guest)
		})
	}
	t.Run("trimmed", func(t *testing.T) { trimmed(t, dir) })
}

// find gives the scripts.
func find(t *testing.T) (l []*script) {
	files, err := filepath.Glob("testdata/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".sh")
		if only := os.Getenv("LODGER_DISKS"); only == "" || regexp.MustCompile(only).MatchString(name) {
			l = append(l, &script{name: name})
		}
	}
	return l
}

// makeRoot makes the image of a root with the scripts in it.
func makeRoot(t *testing.T, image, tree string) {
	t.Helper()
	if err := fixture.Image(image, tree, 1<<30, "-b", "4096", "-E", "lazy_itable_init=1"); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/*")
	commands := "mkdir disks\nmkdir results\nmkdir work\n"
	for _, f := range files {
		commands += fmt.Sprintf("write %s disks/%s\n", f, filepath.Base(f))
	}
	init := filepath.Join(t.TempDir(), "init")
	if err := os.WriteFile(init, []byte(guestScript), 0o755); err != nil {
		t.Fatal(err)
	}
	commands += fmt.Sprintf("write %s disks/init\nset_inode_field disks/init mode 0100755\n", init)
	cmd := exec.Command("debugfs", "-w", "-f", "-", image)
	cmd.Stdin = strings.NewReader(commands)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("debugfs: %v\n%s", err, out)
	}
}

// results reads what the scripts wrote, from an image that must be clean.
func results(t *testing.T, image, to string) map[string]string {
	t.Helper()
	fsck(t, image)
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "debugfs", "-R", "rdump /results "+to, image)
	files, _ := filepath.Glob(to + "/results/*")
	all := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(b)
	}
	return all
}

// fsck wants an image clean that has an ext2, ext3 or ext4 on it.
func fsck(t *testing.T, image string) {
	t.Helper()
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 1024+56); err == nil && magic == [2]byte{0x53, 0xef} {
		if err := fixture.Fsck(image); err != nil {
			t.Error(err)
		}
	}
}

// trimmed looks at what fstrim left of the host's file.
func trimmed(t *testing.T, dir string) {
	blocks := func(name string) int64 {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, name+".guest"), &st); err != nil {
			t.Skipf("%s did not run", name)
		}
		return st.Blocks * 512
	}
	// 30 MiB of 60 were deleted.
	if full := blocks("untrimmed"); full < 55<<20 {
		t.Errorf("without fstrim the host's file has %d bytes: the test shows nothing", full)
	}
	if n := blocks("trim"); n > 40<<20 || n < 30<<20 {
		t.Errorf("after fstrim the host's file has %d bytes, want 30 MiB and a little", n)
	}
}

// normal takes out of a result what differs between machines: the name of the disk, and
// how wide columns are.
func normal(s, disk string) string {
	if disk != "." {
		s = regexp.MustCompile(`\b`+disk+`p?(\d*)\b`).ReplaceAllString(s, "DISK$1")
	}
	lines := strings.Split(s, "\n")
	for n, l := range lines {
		lines[n] = strings.TrimRight(regexp.MustCompile(`[ \t]+`).ReplaceAllString(l, " "), " ")
	}
	return strings.Join(lines, "\n")
}

// difference is what diff says.
func difference(t *testing.T, want, got string) string {
	dir := t.TempDir()
	for name, text := range map[string]string{"want": want, "got": got} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := exec.Command("diff", "-U", "3", filepath.Join(dir, "want"), filepath.Join(dir, "got")).Output()
	lines := strings.SplitN(string(out), "\n", 300)
	return strings.Join(lines[min(2, len(lines)):], "\n")
}

// tail is the end of a long text.
func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
