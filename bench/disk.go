// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"lodger/test/fixture"
)

// Sizes of images. The large one holds the Debian tree, the cached file of 1 GiB, the
// written one and the unpacked tree.
const (
	largeImage = 3 << 30
	smallImage = 256 << 20
	// needSpace is what the images of both sides can grow to, the COW files,
	// and for a while a copy of the tree.
	needSpace = 2*largeImage + 8*smallImage
	// needMemory is the cached file of both sides.
	needMemory = 3 << 30
)

// mkfsArgs make both sides' file systems alike and leave nothing to do for a
// kernel thread later; nodiscard keeps a preallocated image so.
var mkfsArgs = []string{"-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}

// disks are the images that the disk lines work on, and the native file systems
// beside them.
type disks struct {
	tmp    string
	tree   string            // a Debian tree of ours with programs, or only programs
	notes  []string          // printed below the table
	sqlite error             // why there is no sqlite program
	loops  map[string]string // image to loop device, mounted at mountOf
	mounts []string          // what is mounted, in order
}

// newDisks builds the programs and looks at whether there is room.
func newDisks(b *bench) (*disks, error) {
	d := &disks{tmp: filepath.Join(b.tmp, "disk"), loops: map[string]string{}}
	if err := room(b.tmp); err != nil {
		return nil, err
	}
	if _, err := sbin("mkfs.ext4"); err != nil {
		return nil, err
	}
	for _, dir := range []string{"host", "tree/bench", "tree/dev", "tree/proc", "tree/sys", "tree/tmp"} {
		if err := os.MkdirAll(filepath.Join(d.tmp, dir), 0o755); err != nil {
			return nil, err
		}
	}
	src, err := source("disk/disk.c")
	if err != nil {
		return nil, err
	}
	if err := build("gcc", "-O2", "-static", "-o", d.path("tree/bench/disk"), src); err != nil {
		return nil, err
	}
	if src, err = source("disk/sqlite.c"); err != nil {
		return nil, err
	}
	d.sqlite = build("gcc", "-O2", "-static", "-o", d.path("tree/bench/sqlite"), src, "-lsqlite3", "-lm", "-lpthread", "-ldl")
	if d.sqlite != nil {
		d.sqlite = fmt.Errorf("no sqlite (is libsqlite3-dev installed?): %w", d.sqlite)
	}
	for _, p := range []string{"disk", "sqlite"} { // for a native side that mounts nothing
		os.Link(d.path("tree/bench/"+p), d.path("host/"+p))
	}
	if err := makeTar(d.path("host/tree.tar")); err != nil {
		return nil, err
	}
	if err := d.makeImages(b); err != nil {
		return nil, err
	}
	d.note()
	return d, nil
}

func (d *disks) path(name string) string { return filepath.Join(d.tmp, name) }

// room says what is missing on the host: space for images, memory for the cache.
func room(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return err
	}
	if have := int64(st.Bavail) * st.Bsize; have < needSpace {
		return fmt.Errorf("%s has %d MiB free, the images need %d MiB: set TMPDIR to a larger place", dir, have>>20, int64(needSpace)>>20)
	}
	if have := int64(field("/proc/meminfo", "MemAvailable")) << 10; have < needMemory {
		return fmt.Errorf("%d MiB of memory are available, files of 1 GiB cached on both sides need %d MiB", have>>20, int64(needMemory)>>20)
	}
	return nil
}

// makeImages makes what does not change between rounds: of each side a large image
// with the Debian tree and a small one whose every block is written.
func (d *disks) makeImages(b *bench) error {
	for _, side := range []string{"native", "guest"} {
		if err := os.WriteFile(d.path(side+"-full"), nil, 0o644); err != nil {
			return err
		}
		if err := zeroes(d.path(side+"-full"), smallImage); err != nil {
			return err
		}
		if err := d.mkfs(side+"-full", d.path("tree")); err != nil {
			return err
		}
	}
	tree := d.path("tree")
	if b.tree != "" {
		tree = d.path("debian")
		// The programs go into a copy: the fixture's tree is everybody's.
		if err := build("cp", "-a", b.tree, tree); err != nil {
			return err
		}
		if err := build("cp", "-a", d.path("tree/bench"), tree); err != nil {
			return err
		}
		if err := build("cp", d.path("host/tree.tar"), filepath.Join(tree, "bench")); err != nil {
			return err
		}
		defer os.RemoveAll(tree)
	}
	for _, side := range []string{"native", "guest"} {
		if err := d.sparse(side+"-large", largeImage, tree); err != nil {
			return err
		}
	}
	return nil
}

// sparse makes a sparse image anew.
func (d *disks) sparse(name string, size int64, tree string) error {
	os.Remove(d.path(name))
	if err := os.WriteFile(d.path(name), nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(d.path(name), size); err != nil {
		return err
	}
	return d.mkfs(name, tree)
}

func (d *disks) mkfs(name, tree string) error {
	mkfs, err := sbin("mkfs.ext4")
	if err != nil {
		return err
	}
	return build(mkfs, append(append([]string{"-q", "-F", "-d", tree}, mkfsArgs...), d.path(name))...)
}

// zeroes writes a file full.
func zeroes(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for buf := make([]byte, 1<<20); size > 0; size -= int64(len(buf)) {
		if _, err := f.Write(buf); err != nil {
			return err
		}
	}
	return f.Sync()
}

// native runs a program of an image on the host's own ext4: as root on a loop
// device over the image, with the image as the root; else on the host's file system.
func (d *disks) native(b *bench, image string, cmd ...string) (string, error) {
	if syscall.Getuid() != 0 {
		cmd = d.translate(cmd)
		return b.output(nil, cmd[0], cmd[1:]...)
	}
	root, err := d.mount(image)
	if err != nil {
		return "", err
	}
	return b.output(&syscall.SysProcAttr{Chroot: root}, cmd[0], cmd[1:]...)
}

// translate puts /bench where it is without a mount.
func (d *disks) translate(cmd []string) []string {
	out := make([]string, len(cmd))
	for i, w := range cmd {
		out[i] = w
		if w == "/bench" || strings.HasPrefix(w, "/bench/") {
			out[i] = d.path("host" + strings.TrimPrefix(w, "/bench"))
		}
	}
	return out
}

// guest runs a program of an image in a guest on it.
func (d *disks) guest(b *bench, image string, cmd ...string) (string, error) {
	return b.output(nil, b.lodger, append([]string{"run", "--rw", d.path(image), "--"}, cmd...)...)
}

func mountOf(image string) string { return image + ".mnt" }

// mount mounts an image once. The loop device reads and writes past the page cache:
// the native file system has it already, as on a disk.
func (d *disks) mount(image string) (string, error) {
	at := d.path(mountOf(image))
	if d.loops[image] != "" {
		return at, nil
	}
	if err := os.MkdirAll(at, 0o755); err != nil {
		return "", err
	}
	losetup, err := sbin("losetup")
	if err != nil {
		return "", err
	}
	out, err := exec.Command(losetup, "--find", "--show", "--direct-io=on", d.path(image)).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("losetup: %w: %s", err, strings.TrimSpace(string(out)))
	}
	d.loops[image] = strings.TrimSpace(string(out))
	if err := syscall.Mount(d.loops[image], at, "ext4", 0, ""); err != nil {
		return "", errors.Join(fmt.Errorf("mount %s: %w", d.loops[image], err), d.unmount(image))
	}
	d.mounts = append(d.mounts, image)
	return at, nil
}

// unmount undoes mount; an image that is not mounted is fine.
func (d *disks) unmount(image string) error {
	loop := d.loops[image]
	if loop == "" {
		return nil
	}
	var errs []error
	for i, m := range d.mounts {
		if m != image {
			continue
		}
		d.mounts = append(d.mounts[:i], d.mounts[i+1:]...)
		if err := syscall.Unmount(d.path(mountOf(image)), 0); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", image, err))
		}
		break
	}
	if losetup, err := sbin("losetup"); err != nil {
		errs = append(errs, err)
	} else if out, err := exec.Command(losetup, "-d", loop).CombinedOutput(); err != nil {
		errs = append(errs, fmt.Errorf("losetup -d %s: %w: %s", loop, err, strings.TrimSpace(string(out))))
	}
	delete(d.loops, image)
	return errors.Join(errs...)
}

// close unmounts all and looks at whether what was measured was sound.
func (d *disks) close() error {
	var errs []error
	for image := range d.loops {
		errs = append(errs, d.unmount(image))
	}
	for _, image := range []string{"guest-large", "guest-full"} {
		if err := fixture.Fsck(d.path(image)); err != nil {
			errs = append(errs, fmt.Errorf("the figures are of a broken file system: %w", err))
		}
	}
	return errors.Join(errs...)
}

// note says what the native side of the disk lines is.
func (d *disks) note() {
	n := "The native side of the disk lines is the host's file system at " + os.TempDir() + ", not ext4 of the same mkfs: that needs root."
	if syscall.Getuid() == 0 {
		n = "The native side of the disk lines is the host's ext4 on a loop device (direct I/O) over an image beside the guest's, made by the same mkfs.ext4."
	}
	d.notes = append(d.notes, n)
	if d.sqlite != nil {
		d.notes = append(d.notes, "The sqlite lines are left out: libsqlite3.a could not be linked.")
	}
}

// sbin finds a program that may be in sbin.
func sbin(name string) (string, error) {
	for _, n := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if p, err := exec.LookPath(n); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not installed (Debian: e2fsprogs, util-linux, mount)", name)
}
