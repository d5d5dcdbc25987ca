// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/internal/need"
)

// TestDiskFromTree: images of a directory and of tars are sound, hold what the
// tree held with its owners, and nothing else is left.
func TestDiskFromTree(t *testing.T) {
	for _, p := range []string{"mkfs.ext4", "e2fsck", "debugfs", "tar", "gzip", "xz"} {
		need.Program(t, p)
	}
	d := newDisks(t)
	os.MkdirAll(d.path("tree/etc"), 0o755)
	d.write("tree/etc/motd", []byte("hello\n"))
	d.write("tree/etc/tool", []byte("x"))
	os.Symlink("motd", d.path("tree/etc/link"))
	owner := "0"
	if os.Getuid() == 0 {
		owner = "7"
		os.Chown(d.path("tree/etc/tool"), 7, 8)
	}
	os.Chmod(d.path("tree/etc/tool"), 0o755|os.ModeSetuid)
	sources := []string{"tree"}
	if os.Getuid() == 0 { // others need subordinate ids
		for name, flag := range map[string]string{"plain.tar": "-c", "tree.tgz": "-cz", "tree.tar.xz": "-cJ"} {
			if out, err := exec.Command("tar", "-C", d.path("tree"), flag, "-f", d.path(name), ".").CombinedOutput(); err != nil {
				t.Fatalf("tar: %v: %s", err, out)
			}
			sources = append(sources, name)
		}
	}
	for _, from := range sources {
		d.run(0, "create", "image", "--size", "16M", "--from", from)
		if i := d.info("image"); i["virtual_size"] != float64(16<<20) {
			t.Errorf("%s: %v", from, i)
		}
		ask := func(name string, args ...string) string {
			out, err := exec.Command(name, append(args, d.path("image"))...).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v: %s", from, name, err, out)
			}
			return string(out)
		}
		ask("e2fsck", "-fn")
		if s := ask("debugfs", "-R", "cat /etc/motd"); !strings.Contains(s, "hello\n") {
			t.Errorf("%s: motd is %q", from, s)
		}
		s := ask("debugfs", "-R", "stat /etc/tool")
		if f := strings.Fields(s); !strings.Contains(strings.Join(f, " "), "User: "+owner+" ") || !strings.Contains(s, "04755") {
			t.Errorf("%s: etc/tool: %s", from, s)
		}
		os.Remove(d.path("image"))
	}
	d.run(0, "create", "image", "--from", "tree") // a size is found
	os.Remove(d.path("image"))
	d.write("tree/big", bytes.Repeat([]byte("full"), 2<<20))
	d.fails("does not fit an image of 4.0 MiB", "create", "image", "--from", "tree", "--size", "4M")
	d.fails("give a larger --size", "create", "image", "--from", "tree", "--size", "8K")
	for _, s := range sources {
		os.RemoveAll(d.path(s))
	}
	d.has()
}

// TestDiskBadTar: what is no tar, or only half of one, makes no image.
func TestDiskBadTar(t *testing.T) {
	need.Root(t)
	need.Program(t, "mkfs.ext4")
	need.Program(t, "tar")
	d := newDisks(t)
	d.write("empty.tar", nil)
	d.write("text.tar", bytes.Repeat([]byte("no archive\n"), 1000))
	d.write("half.tgz", []byte("\x1f\x8b\x08\x00\x00"))
	d.fails("an empty file is no tar", "create", "image", "--from", "empty.tar")
	d.fails("text.tar: tar failed: ", "create", "image", "--from", "text.tar")
	d.fails("half.tgz: tar failed: ", "create", "image", "--from", "half.tgz")
	d.has("empty.tar", "half.tgz", "text.tar")
}

// TestDiskSubordinateIDs: an ordinary user keeps a tar's owners with the ids of
// /etc/subuid, and is told of them when there are none. The file is replaced in a
// mount name space of the test's own.
func TestDiskSubordinateIDs(t *testing.T) {
	need.Root(t)
	for _, p := range []string{"mkfs.ext4", "debugfs", "tar", "unshare", "setpriv", "newuidmap"} {
		need.Program(t, p)
	}
	d := newDisks(t)
	os.MkdirAll(d.path("tree/dev"), 0o755)
	d.write("tree/mine", nil)
	d.write("tree/private", []byte("x"))
	os.Chown(d.path("tree/private"), 7, 8)
	os.Chmod(d.path("tree/private"), 0o600)
	if err := syscall.Mknod(d.path("tree/dev/null"), syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		need.Missing(t, "mknod: %v", err)
	}
	if out, err := exec.Command("tar", "-C", d.path("tree"), "-cf", d.path("tree.tar"), ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	os.Mkdir(d.path("out"), 0o755)
	os.Chown(d.path("out"), 65534, 65534)
	as := func(ids, from string) result {
		d.write("ids", []byte(ids))
		return run(t, "unshare", nil, "-m", "sh", "-c", `mount --bind ids /etc/subuid && mount --bind ids /etc/subgid &&
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$0" disk create out/image --size 8M --from "$1"`, d.bin, from)
	}
	t.Chdir(d.dir)
	r := as("nobody:200000:65536\n", "tree.tar")
	if strings.Contains(r.stderr, "unshare failed") || strings.Contains(r.stderr, "mount:") {
		need.Missing(t, "no user or mount name spaces: %s", r.stderr)
	}
	out, err := exec.Command("debugfs", "-R", "ls -l /", "out/image").CombinedOutput()
	if s := strings.Join(strings.Fields(string(out)), " "); r.status != 0 || err != nil ||
		!strings.Contains(s, "100600 (1) 7 8 1 ") || !strings.Contains(s, "100644 (1) 0 0 0 ") {
		t.Errorf("%+v; the image has %s", r, s)
	}
	if st, err := os.Stat("out/image"); err != nil || st.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Errorf("the image: %v", err)
	}
	os.Remove("out/image")
	if r := as("", "tree.tar"); r.status != 125 || !strings.Contains(r.stderr, "a line in /etc/subuid") {
		t.Errorf("without ids: %+v", r)
	}
	if ents, _ := os.ReadDir("out"); len(ents) != 0 {
		t.Errorf("left: %v", ents)
	}
}

// tools puts programs of ours into a PATH before the host's.
func (d *disks) tools(scripts map[string]string) {
	d.t.Helper()
	dir := openDir(d.t)
	for name, text := range scripts {
		if err := os.WriteFile(dir+"/"+name, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	d.t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestDiskFromSuite: mmdebstrap gets the suite's name, its tar becomes the image,
// its complaint becomes our line. The real one needs a mirror, so a script is asked.
func TestDiskFromSuite(t *testing.T) {
	need.Root(t)
	for _, p := range []string{"mkfs.ext4", "debugfs", "tar"} {
		need.Program(t, p)
	}
	d := newDisks(t)
	os.Mkdir(d.path("tree"), 0o755)
	d.tools(map[string]string{"mmdebstrap": `
case "$*" in
*' trixie -') mkdir t; echo trixie > t/suite; tar -C t -c .; rm -r t ;;
*) echo 'I: going on' >&2; echo 'E: no such suite.' >&2; echo 'I: cleaning' >&2; exit 1 ;;
esac`})
	d.run(0, "create", "image", "--from", "trixie", "--size", "8M")
	if out, err := exec.Command("debugfs", "-R", "cat /suite", d.path("image")).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("trixie\n")) {
		t.Errorf("the image has %q, %v", out, err)
	}
	d.fails("as a Debian suite: mmdebstrap failed: no such suite\n", "create", "image2", "--from", "warty")
	d.has("image", "tree")
}

// TestDiskMissingTool: one line names the Debian package.
func TestDiskMissingTool(t *testing.T) {
	d := newDisks(t)
	t.Setenv("PATH", openDir(t))
	d.fails("for the Debian suite mmdebstrap is missing; install Debian's package mmdebstrap\n", "create", "image", "--from", "bookworm")
	d.has()
}

// TestDiskInterrupted: signals end the tools too, and leave no file.
func TestDiskInterrupted(t *testing.T) {
	d := newDisks(t)
	os.Mkdir(d.path("tree"), 0o755)
	// sleep is a child of the script: both have to go. Its number tells which.
	d.tools(map[string]string{"mkfs.ext4": fmt.Sprintf("sleep 1000 & echo $! > %s; wait", d.path("pid"))})
	started := func() string {
		for range 1000 {
			if b, _ := os.ReadFile(d.path("pid")); bytes.HasSuffix(b, []byte("\n")) {
				return strings.TrimSpace(string(b))
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("mkfs.ext4 was never called")
		return ""
	}
	check := func(name string, status int, text string) {
		t.Helper()
		pid := started()
		if status != 125 || !strings.Contains(text, "lodger: disk create: interrupted; "+d.path("image")+" is not made") {
			t.Errorf("%s: status %d, %q", name, status, text)
		}
		for range 100 { // a killed process is there until it is reaped
			b, _ := os.ReadFile("/proc/" + pid + "/stat")
			if len(b) == 0 || bytes.Contains(b, []byte(") Z ")) {
				pid = ""
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if pid != "" {
			t.Errorf("%s: process %s is left", name, pid)
			kill(t, pid)
		}
		os.Remove(d.path("pid"))
		d.has("tree")
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		cmd := exec.CommandContext(t.Context(), d.bin, "disk", "create", d.path("image"), "--from", d.path("tree"))
		var msg bytes.Buffer
		cmd.Stderr, cmd.WaitDelay = &msg, time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started()
		cmd.Process.Signal(sig)
		check(sig.String(), statusOf(t, cmd.Wait()), msg.String())
	}
	x := newTerminal(t)
	cmd := x.session(d.bin, "disk", "create", d.path("image"), "--from", d.path("tree"))
	started()
	x.typeIn("\x03")
	status := statusOf(t, cmd.Wait())
	x.expect("interrupted")
	check("Ctrl-C", status, x.seen())
}

// TestDiskProgress: a terminal shows how far it is, and nothing of it stays.
func TestDiskProgress(t *testing.T) {
	d := newDisks(t)
	d.write("raw", bytes.Repeat([]byte("full"), 1<<20))
	x := newTerminal(t)
	cmd := x.session(d.bin, "disk", "convert", d.path("raw"), d.path("new"))
	if status := statusOf(t, cmd.Wait()); status != 0 {
		t.Errorf("status %d", status)
	}
	x.expect("25%  1.0 MiB of 4.0 MiB  ")
	x.expect("\r\x1b[K")
	if s := x.seen(); !strings.HasSuffix(s, "\r\x1b[K") || strings.Contains(s, "\n") {
		t.Errorf("the terminal shows %q", s)
	}
}
