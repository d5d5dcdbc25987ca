// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/internal/need"
)

// onHost mounts an image with the host's own ext4, runs f on it, and gives the
// image as the host leaves it.
func onHost(t *testing.T, d *disk, f func(dir string)) *disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	img, dir := filepath.Join(t.TempDir(), "img"), t.TempDir()
	writeImage(t, img, d.data)
	if out, err := exec.Command("mount", "-t", "ext4", "-o", "loop,user_xattr", img, dir).CombinedOutput(); err != nil {
		t.Skipf("this host mounts no loop devices: %s", out) // containers rarely do
	}
	func() {
		defer func() {
			// Another test may have copied our mounts into a name space of its own; the
			// file system then lives on after umount, and is written back when that ends.
			// Read-only it is all in the image.
			var out []byte
			var err error
			for range 500 { // threads whose root it was come to their end on their own
				if out, err = exec.Command("mount", "-o", "remount,ro", dir).CombinedOutput(); err == nil {
					if out, err = exec.Command("umount", dir).CombinedOutput(); err == nil {
						return
					}
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("umount: %s", out)
		}()
		f(dir)
	}()
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{data: b}
}

// TestHost: Linux's ext4 and this one read and change what the other made.
func TestHost(t *testing.T) {
	if testing.Short() {
		t.Skip("short run")
	}
	need.Program(t, "mke2fs")
	src := sourceTree(t)
	for _, k := range kinds() {
		switch k.name {
		case "ext2rev0ish", "gdt_csum", "noflex", "noextents", "ext4": // learn nothing that others do not
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "32M", append(k.args, "-N", "4000")...)
			d = onHost(t, d, func(dir string) {
				if out, err := exec.Command("cp", "-a", src+"/.", dir).CombinedOutput(); err != nil {
					t.Fatalf("%v %s", err, out)
				}
				for i := range 1200 { // the host's own index, unwritten blocks, holes
					os.WriteFile(filepath.Join(dir, "many", fmt.Sprint("host", i)), nil, 0o600)
				}
				f, err := os.Create(filepath.Join(dir, "falloc"))
				if err != nil {
					t.Fatal(err)
				}
				syscall.Fallocate(int(f.Fd()), abi.FALLOC_FL_KEEP_SIZE, 0, 200000)
				f.WriteAt([]byte("middle"), 100000)
				f.Close()
				for i := range 1200 {
					os.WriteFile(filepath.Join(src, "many", fmt.Sprint("host", i)), nil, 0o600)
				}
			})
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/falloc"))
			compareTree(t, e, src, k)
			for i := range 1200 {
				os.Remove(filepath.Join(src, "many", fmt.Sprint("host", i)))
			}
			changeTree(t, e)
			rnd := rand.New(rand.NewSource(2))
			var m model
			f, err := e.Open("/history", abi.O_CREAT|abi.O_RDWR, 0o600)
			e.Must(err)
			st, _ := sb.Ops.(fs.Statfser).Statfs()
			blockMap := k.name[:4] == "ext2" || k.name == "ext3" || k.name == "noextents"
			for range 200 {
				step(e, rnd, f, &m, int(st.Bsize), blockMap)
			}
			f.DecRef()
			long := strings.Repeat("long link ", 20)
			e.Must(fs.Symlink(e.Ctx, long, fs.Path{}, "/slow"))
			closed(t, sb, d)
			onHost(t, d, func(dir string) {
				if b, err := os.ReadFile(filepath.Join(dir, "history")); err != nil || !bytes.Equal(b, m.data) {
					t.Errorf("the host reads %d bytes of history, want %d: %v", len(b), len(m.data), err)
				}
				if s, _ := os.Readlink(filepath.Join(dir, "slow")); s != long {
					t.Errorf("the host reads the link %q", s)
				}
				for i := range 1200 {
					if err := os.Remove(filepath.Join(dir, "many", fmt.Sprint("host", i))); err != nil {
						t.Fatal(err)
					}
				}
				for i := range 300 {
					if b, err := os.ReadFile(filepath.Join(dir, "many", fmt.Sprintf("another rather long name of a file %d", i))); string(b) != "x" {
						t.Fatal(i, err)
					}
				}
				if err := os.RemoveAll(filepath.Join(dir, "many")); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
