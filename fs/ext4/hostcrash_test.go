// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lodger/abi"
	lfs "lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/internal/need"
)

// treeOf describes all files of a mounted file system: type, permissions, size,
// links, and what is in them.
func treeOf(e *fstest.Env) map[string]string {
	tree := map[string]string{}
	var walk func(dir string)
	walk = func(dir string) {
		for _, n := range e.List(dir) {
			name := path.Join(dir, n)
			st, err := lfs.Stat(e.Ctx, lfs.Path{}, name, abi.AT_SYMLINK_NOFOLLOW)
			e.Must(err)
			s := fmt.Sprintf("%o %d", st.Mode, st.Nlink)
			switch st.Mode & abi.S_IFMT {
			case abi.S_IFDIR:
				walk(name)
			case abi.S_IFLNK:
				to, err := lfs.Readlink(e.Ctx, lfs.Path{}, name)
				e.Must(err)
				s += " " + to
			default:
				s += fmt.Sprintf(" %d %x", st.Size, sha256.Sum256([]byte(e.Read(name))))
			}
			tree[name] = s
		}
	}
	walk("/")
	return tree
}

// hostTreeOf is the same by the host.
func hostTreeOf(t *testing.T, dir string) map[string]string {
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		var st syscall.Stat_t
		if err := syscall.Lstat(p, &st); err != nil {
			return err
		}
		s := fmt.Sprintf("%o %d", st.Mode, st.Nlink)
		switch st.Mode & abi.S_IFMT {
		case abi.S_IFDIR:
		case abi.S_IFLNK:
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			s += " " + to
		default:
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			s += fmt.Sprintf(" %d %x", st.Size, sha256.Sum256(b))
		}
		tree[strings.TrimPrefix(p, dir)] = s
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return tree
}

func sameTree(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for n, w := range want {
		if got[n] != w {
			t.Errorf("%s: %s: %q, want %q", what, n, got[n], w)
		}
	}
	for n := range got {
		if _, ok := want[n]; !ok {
			t.Errorf("%s: %s should not be there", what, n)
		}
	}
}

// treeAfter mounts an image, replaying its journal, and describes it.
func treeAfter(t *testing.T, d *disk) map[string]string {
	t.Helper()
	v, sb := mount(t, d, ext4.Options{ReadOnly: true})
	tree := treeOf(env(t, v, sb))
	closed(t, sb, d)
	return tree
}

// hostWork changes a tree at random through the host's kernel.
func hostWork(rnd *rand.Rand, dir string, steps int) {
	name := func() string { return filepath.Join(dir, fmt.Sprint("d", rnd.IntN(3)), fmt.Sprint("f", rnd.IntN(30))) }
	for i := range steps {
		os.Mkdir(filepath.Dir(name()), 0o755)
		n := name()
		switch rnd.IntN(8) {
		case 0:
			os.Rename(n, name())
		case 1:
			os.Remove(n)
		case 2:
			os.Link(n, name())
		case 3:
			os.Symlink(strings.Repeat("y", 1+rnd.IntN(100)), n)
		case 4:
			os.Truncate(n, int64(rnd.IntN(50000)))
		default:
			f, err := os.OpenFile(n, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o644)
			if err != nil {
				continue
			}
			f.WriteAt([]byte(strings.Repeat(fmt.Sprintf("%07d,", i), 1+rnd.IntN(4000))), int64(rnd.IntN(40000)))
			if rnd.IntN(3) == 0 {
				f.Sync()
			}
			f.Close()
		}
	}
}

// TestHostCrash: what the host's kernel leaves when it does not come to unmount is
// replayed to the same tree as by e2fsck.
func TestHostCrash(t *testing.T) {
	need.Program(t, "e2fsck")
	for i, k := range crashKinds() {
		if testing.Short() && i > 1 {
			break
		}
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, k.size, k.args...)
			var cuts []*disk
			rnd := rand.New(rand.NewPCG(uint64(i), 5))
			onHost(t, d, func(dir string) {
				img, err := os.ReadFile(mountedImage(t, dir))
				if err != nil || len(img) != len(d.data) {
					t.Fatal(err)
				}
				for range 3 {
					hostWork(rnd, dir, 150)
					syscall.Sync()
					hostWork(rnd, dir, 40)
					b, err := os.ReadFile(mountedImage(t, dir))
					if err != nil {
						t.Fatal(err)
					}
					cuts = append(cuts, &disk{data: b})
				}
			})
			for n, c := range cuts {
				if c.data[1024+0x60]&4 == 0 {
					t.Errorf("cut %d: needs no recovery", n)
				}
				want := treeAfter(t, replayed(t, &disk{data: slices.Clone(c.data)}, true))
				if len(want) < 20 {
					t.Errorf("cut %d: only %d files", n, len(want))
				}
				sameTree(t, fmt.Sprint("cut ", n), treeAfter(t, c), want)
			}
		})
	}
}

// mountedImage gives the file behind a loop mount.
func mountedImage(t *testing.T, dir string) string {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		f := strings.Fields(l)
		if len(f) > 1 && f[1] == dir {
			name, err := os.ReadFile("/sys/block/" + filepath.Base(f[0]) + "/loop/backing_file")
			if err != nil {
				t.Skip(err)
			}
			return strings.TrimSpace(string(name))
		}
	}
	t.Fatal("not mounted")
	return ""
}

// TestCrashOnHost: what a power cut leaves of this package's work is replayed by
// the host's kernel to the same tree.
func TestCrashOnHost(t *testing.T) {
	need.Program(t, "mke2fs")
	for i, k := range crashKinds() {
		if testing.Short() && i > 1 {
			break
		}
		t.Run(k.name, func(t *testing.T) {
			l := runLoad(t, k, uint64(900+i), 250)
			rng := rand.New(rand.NewPCG(uint64(i), 11))
			for range max(crashes(t, 48)/len(crashKinds()), 1) {
				at := l.acks[0].log + rng.IntN(l.rec.Log().Len()-l.acks[0].log+1)
				img := l.rec.Crash(at, rng)
				if !ext4.SuperIntact(img) {
					continue
				}
				var theirs map[string]string
				onHost(t, &disk{data: slices.Clone(img)}, func(dir string) { theirs = hostTreeOf(t, dir) })
				sameTree(t, fmt.Sprint("cut at ", at), treeAfter(t, &disk{data: img}), theirs)
				if t.Failed() {
					return
				}
			}
		})
	}
}
