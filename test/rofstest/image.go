// SPDX-License-Identifier: Apache-2.0

// Package rofstest is what the tests of read-only file systems share: a tree with one
// of each kind, images of it, and a comparison with the host kernel's view of the
// same image.
package rofstest

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/rofs"
	"lodger/internal/need"
)

// Tree makes a directory with files of all types and awkward sizes. It needs root.
func Tree(t testing.TB) string {
	t.Helper()
	need.Root(t)
	dir := t.TempDir()
	rnd := rand.New(rand.NewSource(1))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	text := func(n int) []byte { // compresses, but not to nothing
		b := make([]byte, 0, n+64)
		for len(b) < n {
			b = fmt.Appendf(b, "line %d of %d\n", len(b), rnd.Intn(1000))
		}
		return b[:n]
	}
	noise := func(n int) []byte {
		b := make([]byte, n)
		rnd.Read(b)
		return b
	}
	for _, d := range []string{"d/sub/deep", "big", "empty", "data"} {
		must(os.MkdirAll(at(d), 0o755))
	}
	for _, n := range []int{0, 1, 100, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 65536, 131071, 131072, 131073, 1 << 20, 3<<20 + 17} {
		must(os.WriteFile(at(fmt.Sprint("data/text", n)), text(n), 0o644))
		must(os.WriteFile(at(fmt.Sprint("data/noise", n)), noise(n), 0o600))
	}
	mixed := append(append(append(text(300000), noise(200000)...), make([]byte, 500000)...), text(100000)...)
	must(os.WriteFile(at("data/mixed"), mixed, 0o640))
	must(os.WriteFile(at("data/zeroes"), make([]byte, 1<<20), 0o640))
	sparse, err := os.Create(at("data/sparse"))
	must(err)
	must(sparse.Truncate(9 << 20))
	_, err = sparse.WriteAt(text(5000), 3<<20+100)
	must(err)
	must(sparse.Close())
	for n := range 1500 {
		must(os.WriteFile(at(fmt.Sprintf("big/file %05d", n)), fmt.Append(nil, n), 0o644))
	}
	must(os.WriteFile(at("d/"+strings.Repeat("long", 63)), []byte("long"), 0o644))
	must(os.WriteFile(at("d/MiXed.Case;name"), []byte("mixed"), 0o644))
	must(os.WriteFile(at("d/hello"), []byte("hello"), 0o644))
	must(os.Link(at("d/hello"), at("hard")))
	must(os.Symlink("d/hello", at("link")))
	must(os.Symlink("/"+strings.Repeat("a/../", 50)+"x", at("longlink")))
	must(syscall.Mknod(at("d/chr"), syscall.S_IFCHR|0o620, int(abi.Makedev(5, 300))))
	must(syscall.Mknod(at("d/blk"), syscall.S_IFBLK|0o660, int(abi.Makedev(259, 70000))))
	must(syscall.Mkfifo(at("d/fifo"), 0o600))
	must(syscall.Mknod(at("d/sock"), syscall.S_IFSOCK|0o600, 0))
	must(os.Chmod(at("d/hello"), 0o4751))
	must(os.Chmod(at("empty"), 0o1777))
	must(os.Chown(at("d/hello"), 1000, 70000))
	for n, v := range map[string]string{"user.a": "b", "user.empty": "", "trusted.t": "x", "user.large": strings.Repeat("v", 2000)} {
		must(syscall.Setxattr(at("d/sub"), n, []byte(v), 0))
	}
	for n := range 3 { // the same thing thrice: shared
		must(syscall.Setxattr(at(fmt.Sprintf("big/file %05d", n)), "user.shared", []byte("the same value, again and again"), 0))
	}
	for n := range 40 {
		when := time.Unix(1_000_000_000+int64(n)*86400*17, int64(n)*1234567)
		must(os.Chtimes(at(fmt.Sprintf("big/file %05d", n)), when, when))
	}
	return dir
}

// Make runs a program that makes an image; "IMG" in args is the image's name, which it gives.
func Make(t testing.TB, program string, args ...string) string {
	t.Helper()
	need.Program(t, program)
	img := filepath.Join(t.TempDir(), "img")
	for k := range args {
		args[k] = strings.ReplaceAll(args[k], "IMG", img)
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%.2000s", program, strings.Join(args, " "), err, out)
	}
	return img
}

// Disk is an image in memory; Outside counts accesses that a kernel must not make.
type Disk struct {
	Data    []byte
	Outside atomic.Int64
}

// Load reads an image.
func Load(t testing.TB, img string) *Disk {
	t.Helper()
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return &Disk{Data: b}
}

// Size implements block.Device.
func (d *Disk) Size() int64 { return int64(len(d.Data)) }

// ReadAt implements block.Device.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	if err := block.CheckRange(off, len(p), d.Size()); err != nil {
		d.Outside.Add(1)
		return 0, err
	}
	return copy(p, d.Data[off:]), nil
}

// WriteAt implements block.Device: never.
func (d *Disk) WriteAt([]byte, int64) (int, error) { return 0, abi.EROFS }

// Mount mounts an image.
func Mount(t testing.TB, dev block.Device, mount rofs.MountFunc, options string) (*fs.VFS, *fs.SuperBlock) {
	t.Helper()
	v := fs.New(0)
	sb, err := mount(v, rofs.Volume{Dev: dev, Log: func(m string) { t.Log(m) }}, abi.MS_RDONLY, options)
	if err != nil {
		t.Fatal(err)
	}
	return v, sb
}

// Env mounts an image and goes there.
func Env(t *testing.T, dev block.Device, mount rofs.MountFunc, options string) *fstest.Env {
	t.Helper()
	return fstest.New(t, func(*testing.T) (*fs.VFS, *fs.SuperBlock) { return Mount(t, dev, mount, options) })
}

// OnHost mounts an image with the host's kernel and runs f on it.
func OnHost(t *testing.T, typ, img string, f func(dir string)) {
	t.Helper()
	need.Root(t)
	known, err := os.ReadFile("/proc/filesystems")
	if err != nil || !bytes.Contains(known, []byte("\t"+typ+"\n")) {
		t.Skipf("this host's kernel has no %s", typ)
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", typ, "-o", "loop,ro", img, dir).CombinedOutput(); err != nil {
		t.Skipf("this host mounts no loop devices: %s", out) // containers rarely do
	}
	defer func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	}()
	f(dir)
}

// SmallTree makes a tree for images that are to be broken.
func SmallTree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "a/large"), bytes.Repeat([]byte("some text, again and again. "), 3000), 0o644))
	must(os.WriteFile(filepath.Join(dir, "a/small"), []byte("small"), 0o644))
	must(os.Link(filepath.Join(dir, "a/small"), filepath.Join(dir, "hard")))
	must(os.Symlink("a/small", filepath.Join(dir, "link")))
	for k := range 30 {
		must(os.WriteFile(filepath.Join(dir, "a/b", fmt.Sprint("file", k)), fmt.Append(nil, k), 0o644))
	}
	must(syscall.Setxattr(filepath.Join(dir, "a"), "user.name", []byte("value"), 0))
	must(syscall.Setxattr(filepath.Join(dir, "hard"), "user.name", []byte("value"), 0))
	sparse, err := os.Create(filepath.Join(dir, "sparse"))
	must(err)
	_, err = sparse.WriteAt([]byte("end"), 200000)
	must(err)
	must(sparse.Close())
	return dir
}
