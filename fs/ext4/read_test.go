// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/internal/need"
)

// sourceTree makes a tree on the host for mke2fs -d.
func sourceTree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	rnd := rand.New(rand.NewSource(1))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{0, 1, 59, 60, 61, 150, 1023, 1024, 4096, 5000, 70000, 300000, 1200000} {
		p := make([]byte, n)
		rnd.Read(p)
		must(os.WriteFile(filepath.Join(dir, fmt.Sprint("file", n)), p, 0o640))
	}
	f, err := os.Create(filepath.Join(dir, "sparse"))
	must(err)
	for k := range int64(40) {
		_, err = f.WriteAt([]byte("data"), k*k*9000)
		must(err)
	}
	_, err = f.WriteAt([]byte("end"), 40<<20) // mke2fs cuts a hole at the end off inline images
	must(err)
	must(f.Close())
	for k := range 700 {
		must(os.MkdirAll(filepath.Join(dir, "many"), 0o755))
		must(os.WriteFile(filepath.Join(dir, "many", fmt.Sprintf("a rather long name of a file %d", k)), nil, 0o600))
	}
	must(os.MkdirAll(filepath.Join(dir, "small/er/est"), 0o711))
	must(os.WriteFile(filepath.Join(dir, "small/x"), []byte("x"), 0o444))
	must(os.WriteFile(filepath.Join(dir, "m\xc3\xbcll \xff\xfe"), []byte("name"), 0o444))
	for _, n := range []int{1, 59, 60, 61, 900} {
		must(os.Symlink(strings.Repeat("l", n), filepath.Join(dir, fmt.Sprint("link", n))))
	}
	must(os.Link(filepath.Join(dir, "file5000"), filepath.Join(dir, "small/hard")))
	must(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o622))
	if os.Getuid() == 0 {
		must(syscall.Mknod(filepath.Join(dir, "null"), syscall.S_IFCHR|0o666, 1<<8|3))
		must(syscall.Mknod(filepath.Join(dir, "big"), syscall.S_IFBLK|0o600, int(abi.Makedev(259, 70000))))
		must(os.Chown(filepath.Join(dir, "file61"), 100000, 70000))
	}
	for k, n := range []int{0, 3, 100, 700} {
		syscall.Setxattr(filepath.Join(dir, "file1024"), fmt.Sprint("user.n", k), bytes.Repeat([]byte{byte('a' + k)}, n), 0)
	}
	for _, when := range []struct {
		name string
		sec  int64
	}{{"file0", -5}, {"file1", 1 << 30}, {"file59", 1}} {
		at := time.Unix(when.sec, 123456789)
		must(os.Chtimes(filepath.Join(dir, when.name), at, at))
	}
	return dir
}

// env makes an fstest.Env of a mounted image.
func env(t *testing.T, v *fs.VFS, sb *fs.SuperBlock) *fstest.Env {
	return fstest.New(t, func(*testing.T) (*fs.VFS, *fs.SuperBlock) { return v, sb })
}

// compareTree compares a host directory with a mounted image, file by file.
func compareTree(t *testing.T, e *fstest.Env, dir string, k kind) {
	t.Helper()
	count := 0
	small := strings.Contains(strings.Join(k.args, " "), "-I 128")
	filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, p)
		count++
		var st syscall.Stat_t
		if err := syscall.Lstat(p, &st); err != nil {
			t.Fatal(err)
		}
		a := e.Stat("/" + rel)
		if rel == "." {
			return nil
		}
		if a.Mode != st.Mode || a.UID != st.Uid || a.GID != st.Gid || a.Rdev != st.Rdev {
			t.Errorf("%s: mode %o %d:%d %#x, want %o %d:%d %#x", rel, a.Mode, a.UID, a.GID, a.Rdev, st.Mode, st.Uid, st.Gid, st.Rdev)
		}
		if strings.HasPrefix(rel, "many") {
			return nil // made by the test on both sides, at different times
		}
		if small && a.Mtime.Sec != int64(int32(st.Mtim.Sec)) || !small && a.Mtime.Sec != st.Mtim.Sec {
			t.Errorf("%s: mtime %v, want %v", rel, a.Mtime, st.Mtim)
		}
		switch a.Type() {
		case abi.S_IFREG:
			b, _ := os.ReadFile(p)
			if e.Read("/"+rel) != string(b) {
				t.Errorf("%s: contents differ", rel)
			}
			if a.Nlink != uint32(st.Nlink) || a.Size != st.Size {
				t.Errorf("%s: %d links, size %d", rel, a.Nlink, a.Size)
			}
		case abi.S_IFLNK:
			want, _ := os.Readlink(p)
			if got, err := fs.Readlink(e.Ctx, fs.Path{}, "/"+rel); got != want || err != nil {
				t.Errorf("%s: link %q %v", rel, got, err)
			}
		}
		return nil
	})
	got := 0
	var walk func(n string)
	walk = func(n string) {
		got++
		if a := e.Stat(n); a.IsDir() {
			for _, c := range e.List(n) {
				if n != "/." || c != "lost+found" {
					walk(n + "/" + c)
				}
			}
		}
	}
	walk("/.")
	if got != count {
		t.Errorf("%d files, want %d", got, count)
	}
	p, err := fs.Lookup(e.Ctx, fs.Path{}, "/file1024", 0)
	e.Must(err)
	names, err := fs.Listxattr(e.Ctx, p)
	e.Must(err)
	for _, n := range names {
		got, err := fs.Getxattr(e.Ctx, p, n)
		e.Must(err)
		want := make([]byte, 1000)
		sz, err := syscall.Getxattr(filepath.Join(dir, "file1024"), n, want)
		if err != nil || !bytes.Equal(got, want[:sz]) {
			t.Errorf("%s: %d bytes, want %d %v", n, len(got), sz, err)
		}
	}
	if len(names) == 0 {
		if sz, _ := syscall.Listxattr(filepath.Join(dir, "file1024"), make([]byte, 1000)); sz > 0 {
			t.Error("no attributes")
		}
	}
}

func TestRead(t *testing.T) {
	need.Program(t, "mke2fs")
	dir := sourceTree(t)
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "24M", append(k.args, "-N", "1500", "-d", dir)...)
			for _, optimise := range []bool{false, true} {
				if optimise { // e2fsck builds indexes
					img := filepath.Join(t.TempDir(), "img")
					os.WriteFile(img, d.data, 0o600)
					run(t, 1, "e2fsck", "-fyD", img)
					d.data, _ = os.ReadFile(img)
				}
				v, sb := mount(t, d, ext4.Options{ReadOnly: true})
				compareTree(t, env(t, v, sb), dir, k)
				closed(t, sb, d)
			}
			v, sb := mount(t, d, ext4.Options{})
			changeTree(t, env(t, v, sb))
			closed(t, sb, d)
		})
	}
}

// changeTree changes what mke2fs and e2fsck made.
func changeTree(t *testing.T, e *fstest.Env) {
	var zero fs.Path
	for k := range 300 {
		e.Write(fmt.Sprintf("/many/another rather long name of a file %d", k), "x")
		e.Must(fs.Unlink(e.Ctx, zero, fmt.Sprintf("/many/a rather long name of a file %d", k*2)))
	}
	e.Must(fs.Rename(e.Ctx, zero, "/small/er", zero, "/many/er", 0))
	e.Write("/many/er/est/f", "deep")
	e.Must(fs.Rename(e.Ctx, zero, "/many/er", zero, "/small/again", 0))
}
