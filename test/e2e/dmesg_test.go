// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lodger/internal/need"
)

// The kernel log of a booted guest tells what Linux's would, and the command line what
// of it the terminal gets.
func TestBootLog(t *testing.T) {
	bin, image := lodger(t), busyImage(t, "-U", "01234567-89ab-cdef-0123-456789abcdef")
	const script = "mount -t proc proc /proc; cat /proc/version; cat /proc/cmdline; cat /proc/sys/kernel/printk; mount -o remount,ro /; " +
		"echo '<4>a program warns' >/dev/kmsg; dmesg -r; poweroff -f\n"
	const mounted = "EXT4-fs (ubda): mounted filesystem 01234567-89ab-cdef-0123-456789abcdef r/w with ordered data mode. Quota mode: none."
	for _, c := range []struct {
		words            string
		level            string
		banner, warnings bool // printed
	}{
		{"", "7", true, true}, {"quiet", "4", false, false}, {"loglevel=5", "5", false, true}, {"quiet debug", "10", true, true},
		{"quiet ignore_loglevel", "4", true, true},
	} {
		args := append([]string{"ubd0=" + image, "rw"}, strings.Fields(c.words)...)
		r := run(t, bin, in(script), args...)
		cmdline := strings.Join(args, " ")
		if r.status != 0 || !strings.Contains(r.out, cmdline+"\n"+c.level+"\t4\t1\t7\n") {
			t.Errorf("%q: status %d\n%s%s", c.words, r.status, r.out, r.stderr)
		}
		version, _, _ := strings.Cut(r.out, "\n")
		at := 0
		for _, want := range []string{"<5>[    0.0", "] " + version + "\n", "] Kernel command line: " + cmdline + "\n", "<6>[    0.", "] " + mounted + "\n",
			"] VFS: Mounted root (ext4 filesystem) on device 98:0.\n", "] Run /sbin/init as init process\n", "] Run /bin/sh as init process\n",
			"] EXT4-fs (ubda): re-mounted 01234567-89ab-cdef-0123-456789abcdef ro.\n", "<12>[    ", "] a program warns\n"} {
			i := strings.Index(r.out[at:], want)
			if i < 0 && strings.Contains(want, "/sbin/init") {
				continue // the image may have none
			}
			if i < 0 {
				t.Errorf("%q: no %q, or too early, in\n%s", c.words, want, r.out)
				break
			}
			at += i
		}
		if got := strings.Contains(r.stderr, version) && strings.Contains(r.stderr, mounted); got != c.banner {
			t.Errorf("%q: banner printed: %v\n%s", c.words, got, r.stderr)
		}
		if got := strings.Contains(r.stderr, "a program warns"); got != c.warnings {
			t.Errorf("%q: warning printed: %v\n%s", c.words, got, r.stderr)
		}
	}
}

// The log of lodger run is there too; its terminal is the command's.
func TestRunLog(t *testing.T) {
	bin := lodger(t)
	r := run(t, bin, nil, "run", "builtin", "--", "sh", "-c", "echo '<3>a program' >/dev/kmsg; head -n 2 /proc/kmsg")
	if r.status != 0 || r.stderr != "" || !strings.Contains(r.out, "] Linux version ") || !strings.Contains(r.out, "] Kernel command line: lodger\n") {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// What kills a program is told as Linux tells it.
func TestRunLogCrash(t *testing.T) {
	need.Program(t, "gcc")
	bin, dir := lodger(t), openDir(t)
	src, prog := filepath.Join(dir, "crash.c"), filepath.Join(dir, "crash")
	text := `int main(int n, char **v) { if (n > 1) __builtin_trap(); *(volatile int *)8 = 1; }`
	if err := os.WriteFile(src, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-static", "-w", "-o", prog, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := run(t, bin, nil, "run", "--volume", dir+":/t:ro", "builtin", "--", "sh", "-c", "/t/crash; /t/crash x; head -n 4 /proc/kmsg")
	want := `<6>\[ *0\.\d+\] crash\[\d+\]: segfault at 8 ip 0000000000[0-9a-f]{6} sp 00007[0-9a-f]{11} error 6
<6>\[ *0\.\d+\] traps: crash\[\d+\] trap invalid opcode ip:[0-9a-f]{6} sp:7[0-9a-f]{11} error:0
`
	if r.status != 0 || !regexp.MustCompile(want).MatchString(r.out) {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// Why a disk is not there is told.
func TestBootLogDisks(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	r := run(t, bin, in("mount -t proc proc /proc; dmesg; poweroff -f\n"), "ubd0="+image, "quiet", "ubd1="+filepath.Join(t.TempDir(), "none"))
	if r.status != 0 || !strings.Contains(r.out, "Failed to initialize ubd device 1: ubdb: ") || !strings.Contains(r.stderr, "Failed to initialize ubd device 1: ubdb: ") {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.stderr)
	}
}

// TestFirstCauseOfCOW: why a COW file cannot be made is told as it was found, not that
// lodger has shut itself in meanwhile; and what to do.
func TestFirstCauseOfCOW(t *testing.T) {
	bin, image := lodger(t), busyImage(t)
	dir := filepath.Dir(image)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ cow, base, want string }{
		{filepath.Join(dir, "none", "a.cow"), image, "a.cow: no such file or directory; make its directory first, or check the name"},
		{filepath.Join(dir, strings.Repeat("n", 300)), image, "nnn: file name too long"},
		{filepath.Join(file, "a.cow"), image, "a.cow: not a directory"},
		{filepath.Join(dir, "a.cow"), filepath.Join(dir, "none"), "none: no such file or directory; check the name"},
	}
	if os.Getuid() == 0 {
		full := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4096", "tmpfs", full).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v\n%s", err, out)
		}
		defer exec.Command("umount", full).Run()
		cases = append(cases, struct{ cow, base, want string }{filepath.Join(full, "a.cow"), image,
			"no space left on device; free some space there, or use another file system"})
	}
	for _, c := range cases {
		r := run(t, bin, nil, "ubd0="+c.cow+","+c.base, "quiet")
		first, _, _ := strings.Cut(r.stderr, "\n")
		if r.status != 134 || !strings.HasPrefix(first, "Failed to initialize ubd device 0: ubda: ") || !strings.HasSuffix(first, c.want) {
			t.Errorf("%s,%s: status %d\n%s", c.cow, c.base, r.status, r.stderr)
		}
	}
}
