// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package blockdev asks block devices: the host's loop devices and a guest's disks by
// the same program, and a guest's disks by the tools that people use on them.
//
// $LODGER_BIN names a ready lodger binary, else one is built.
package blockdev

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run of lodger.
const limit = 60 * time.Second

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

// sparse makes an empty image.
func sparse(t *testing.T, path string, size int64) string {
	t.Helper()
	f, err := os.Create(path)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return path
}

// boot runs a script as the init of a guest; its status is init's end.
func boot(t *testing.T, bin, script string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, append(args, "quiet")...)
	cmd.Stdin, cmd.WaitDelay = strings.NewReader(script+"\npoweroff -f\n"), time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("lodger %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// root makes the image of a busybox guest with a program of testdata in it, and gives
// the program too.
func root(t *testing.T, name string) (image, prog string) {
	t.Helper()
	need.Program(t, "gcc")
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	prog, image = filepath.Join(tree, "bin", name), filepath.Join(dir, "root.ext4")
	out, err := exec.Command("gcc", "-O1", "-w", "-static", "-I", "../diff", "-o", prog, "testdata/"+name+".c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := fixture.Image(image, tree, 64<<20); err != nil {
		t.Fatal(err)
	}
	return image, prog
}

const mounts = "mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /tmp\n"

// TestDevice: every answer of a loop device is a disk's too.
func TestDevice(t *testing.T) {
	need.Root(t)
	image, prog := root(t, "device")
	dir := t.TempDir()
	const size, small = 1052672, 1051136
	a, b := sparse(t, filepath.Join(dir, "a"), size), sparse(t, filepath.Join(dir, "b"), small)
	want, err := exec.Command(prog, need.Loop(t, "-P", a), need.Loop(t, "-r", "-P", b)).CombinedOutput()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	bin, c, d := lodger(t), sparse(t, filepath.Join(dir, "c"), size), sparse(t, filepath.Join(dir, "d"), small)
	for _, disk := range []string{c, c + ".cow," + c} {
		t.Run(filepath.Base(disk), func(t *testing.T) {
			got := boot(t, bin, mounts+"device /dev/ubdb /dev/ubdc", "ubd0="+image, "ubd1="+disk, "ubd2r="+d)
			compare(t, string(want), got)
		})
	}
}

// TestMap: a raw disk is mapped as a loop device is.
func TestMap(t *testing.T) {
	need.Root(t)
	image, prog := root(t, "map")
	dir := t.TempDir()
	want, err := exec.Command(prog, need.Loop(t, sparse(t, filepath.Join(dir, "a"), 1<<20)), need.Loop(t, "-r", sparse(t, filepath.Join(dir, "b"), 1<<20))).CombinedOutput()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	got := boot(t, lodger(t), mounts+"map /dev/ubdb /dev/ubdc", "ubd0="+image,
		"ubd1d="+sparse(t, filepath.Join(dir, "c"), 1<<20), "ubd2r="+sparse(t, filepath.Join(dir, "d"), 1<<20))
	compare(t, string(want), got)
}

// TestSwap: the same for swap areas.
func TestSwap(t *testing.T) {
	need.Root(t)
	if b, err := os.ReadFile("/proc/swaps"); err != nil || strings.Count(string(b), "\n") > 1 {
		t.Skip("the host has swap areas of its own, which would be in the way")
	}
	image, prog := root(t, "swap")
	dir := t.TempDir()
	dev := need.Loop(t, sparse(t, filepath.Join(dir, "a"), 8<<20))
	want, err := exec.Command(prog, dev).CombinedOutput()
	if err != nil {
		_ = exec.Command("swapoff", dev).Run() // in case it ended too early
		t.Fatalf("on the host: %v\n%s", err, want)
	}
	got := boot(t, lodger(t), mounts+"swap /dev/ubdb", "ubd0="+image, "ubd1="+sparse(t, filepath.Join(dir, "b"), 8<<20))
	compare(t, string(want), got)
}

// compare shows the lines that differ.
func compare(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	section := ""
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if strings.HasPrefix(x, "-- ") {
			section = x
		}
		if x != y {
			t.Errorf("line %d (%s): host: %s\n guest: %s", i+1, section, x, y)
		}
	}
}
