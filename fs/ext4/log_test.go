// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/internal/need"
	"lodger/lib/printk"
)

// logRun mounts an image, in the host's kernel or here.
type logRun struct {
	mount   func(typ, options string) error
	remount func(options string)
	umount  func()
}

// logSteps go through mounts of the type typ that say something.
func logSteps(t *testing.T, typ, image string, r logRun) {
	t.Helper()
	err := os.WriteFile(image, mkfs(t, "16M", "-t", typ, "-U", "01234567-89ab-cdef-0123-456789abcdef").data, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	try := func(typ, options string) {
		if r.mount(typ, options) == nil {
			r.umount()
		}
	}
	edit := func(request string) {
		if out, err := exec.Command("debugfs", "-w", "-R", request, image).CombinedOutput(); err != nil {
			t.Fatalf("debugfs %s: %v\n%s", request, err, out)
		}
	}
	if err := r.mount(typ, "rw"); err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"ro", "rw", "rw"} {
		r.remount(options)
	}
	r.umount()
	try(typ, "ro")
	for _, other := range []string{"ext2", "ext3"} {
		if other != typ {
			try(other, "rw") // refused
		}
	}
	if typ == "ext2" {
		edit("ssv state 0")
		try(typ, "rw")
		return
	}
	try(typ, "rw,data=journal")
	try(typ, "rw,data=writeback")
	edit("ssv state 3")
	try(typ, "rw")
	edit("feature needs_recovery")
	try(typ, "rw")
	edit("feature needs_recovery")
	try(typ, "ro")
}

// TestLogOnHost: mounts say in the kernel log what they say in the host's.
func TestLogOnHost(t *testing.T) {
	need.Root(t)
	need.Program(t, "debugfs")
	for _, typ := range []string{"ext4", "ext3", "ext2"} {
		image := filepath.Join(t.TempDir(), typ)
		host, ours := hostLog(t, typ, image), ourLog(t, typ, image)
		if !sameLog(host, ours) {
			t.Errorf("%s: the host says\n%s\nLodger says\n%s", typ, host, ours)
		}
	}
}

// sameLog compares logs, but for lines that the host leaves out when there were many of
// all mounts (ext4_mount_msg_ratelimit).
func sameLog(host, ours string) bool {
	h := strings.Split(host, "\n")
	for _, line := range strings.Split(ours, "\n") {
		switch {
		case len(h) > 0 && h[0] == line:
			h = h[1:]
		case strings.Contains(line, ": mounted filesystem "), strings.Contains(line, ": unmounting filesystem "):
		default:
			return false
		}
	}
	return len(h) == 0
}

func ourLog(t *testing.T, typ, image string) string {
	var said strings.Builder
	var sb *fs.SuperBlock
	var dev *block.File
	split := func(options string) (uint32, string) {
		flag, rest, _ := strings.Cut(options, ",")
		if flag == "ro" {
			return abi.MS_RDONLY, rest
		}
		return 0, rest
	}
	logSteps(t, typ, image, logRun{
		mount: func(typ, options string) (err error) {
			if dev, err = block.OpenFile(image, block.Options{}); err != nil {
				t.Fatal(err)
			}
			flags, data := split(options)
			sb, err = ext4.Mount(fs.New(0), dev, 0, typ, flags, data, ext4.Env{Name: "disk",
				Log: func(_ printk.Level, line string) { fmt.Fprintln(&said, line) }})
			if err != nil {
				dev.Close()
			}
			return err
		},
		remount: func(options string) {
			flags, data := split(options)
			if err := sb.Ops.(*ext4.FS).Remount(flags, data); err != nil {
				t.Fatal(err)
			}
		},
		umount: func() {
			sb.Ops.(*ext4.FS).ReleaseSuper()
			dev.Close()
		},
	})
	return said.String()
}

func hostLog(t *testing.T, typ, image string) string {
	mnt, dev := t.TempDir(), ""
	tag := fmt.Sprintf("lodger's test of %s, %d", typ, os.Getpid())
	// A mount name space of our own: who copied the host's would keep what we unmount.
	holder := exec.Command("unshare", "--mount", "sh", "-c", "echo up; exec cat")
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	up, err := holder.StdoutPipe()
	if err == nil {
		err = holder.Start()
	}
	if err == nil {
		_, err = io.ReadFull(up, make([]byte, 3))
	}
	if err != nil {
		t.Fatalf("unshare: %v", err)
	}
	inside := func(args ...string) *exec.Cmd {
		return exec.Command("nsenter", append([]string{"--mount", "--target", strconv.Itoa(holder.Process.Pid)}, args...)...)
	}
	run := func(args ...string) {
		t.Helper()
		if out, err := inside(args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		in.Close() // the mounts go with the name space
		holder.Wait()
		if dev != "" {
			exec.Command("losetup", "-d", dev).Run()
		}
	})
	logSteps(t, typ, image, logRun{
		mount: func(typ, options string) error {
			if dev == "" { // kept to the end: nobody else's mounts may be on it
				out, err := exec.Command("losetup", "-f", "--show", image).Output()
				if err != nil {
					need.Missing(t, "the host has no loop devices: %v", err)
				}
				dev = strings.TrimSpace(string(out))
				if err := os.WriteFile("/dev/kmsg", []byte("<7>"+tag+"\n"), 0); err != nil {
					need.Missing(t, "the host's kernel log cannot be written: %v", err)
				}
			}
			return inside("mount", "-t", typ, "-o", options, dev, mnt).Run()
		},
		remount: func(options string) { run("mount", "-o", "remount,"+options, mnt) },
		umount:  func() { run("umount", mnt) },
	})
	log, err := exec.Command("dmesg", "-t").Output()
	if err != nil {
		need.Missing(t, "the host's kernel log cannot be read: %v", err)
	}
	after := string(log)[max(strings.LastIndex(string(log), tag), 0):]
	var said strings.Builder
	ours := regexp.MustCompile(`^EXT4-fs \(` + filepath.Base(dev) + `\)`)
	for line := range strings.Lines(after) {
		if ours.MatchString(line) {
			said.WriteString(ours.ReplaceAllString(line, "EXT4-fs (disk)"))
		}
	}
	return said.String()
}

// TestLogOfError: an error names its place in the form that programs look for, and how
// it ends.
func TestLogOfError(t *testing.T) {
	d := mkfs(t, "8M", "-t", "ext4")
	var said []string
	sb, err := ext4.New(fs.New(0), d, ext4.Options{Name: "disk", Errors: "remount-ro", Log: func(l printk.Level, s string) {
		if l == printk.Crit {
			said = append(said, s)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := sb.Ops.(*ext4.FS)
	defer f.Close()
	if err := f.FoundCorrupt(12, 34); err != abi.EUCLEAN {
		t.Error(err)
	}
	got := strings.Join(said, "\n")
	want := `^EXT4-fs error \(device disk\): FoundCorrupt:[0-9]+: inode #12: block 34: for a test
(EXT4-fs error \(device disk\): journalAborted:[0-9]+: Detected aborted journal: .*
)?EXT4-fs \(disk\): Remounting filesystem read-only$`
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("said\n%s", got)
	}
}

// TestFailedMountIsNotUnmounted: a mount that failed half way is over; the end of the
// guest does not end it once more.
func TestFailedMountIsNotUnmounted(t *testing.T) {
	d := mkfs(t, "8M", "-t", "ext4", "-O", "^metadata_csum")
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, d.data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("debugfs", "-w", "-R", "set_inode_field <2> mode 0100644", path).CombinedOutput(); err != nil {
		need.Missing(t, "debugfs: %v\n%s", err, out)
	}
	dev, err := block.OpenFile(path, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	v, said := fs.New(0), ""
	_, err = ext4.Mount(v, dev, 0, "ext4", 0, "", ext4.Env{Name: "disk", Log: func(_ printk.Level, s string) { said += s + "\n" }})
	if err == nil || !strings.Contains(said, "EXT4-fs error (device disk): fill:") {
		t.Errorf("a root that is no directory: %v\n%s", err, said)
	}
	v.ReleaseAll()
	if strings.Contains(said, "unmounting") {
		t.Errorf("said\n%s", said)
	}
}
