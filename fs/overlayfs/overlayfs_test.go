// SPDX-License-Identifier: Apache-2.0

package overlayfs_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/hostfs"
	"lodger/fs/overlayfs"
	"lodger/fs/tmpfs"
	"lodger/host"
)

// union makes a union of host directories below a tmpfs.
func union(t testing.TB, dirs ...string) (*fs.VFS, *fs.SuperBlock) {
	v := fs.New(0)
	upper, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	if err != nil {
		t.Fatal(err)
	}
	var lower []*fs.SuperBlock
	for _, d := range dirs {
		fd, err := host.OpenDir(d)
		if err != nil {
			t.Fatal(err)
		}
		sb, err := hostfs.New(v, hostfs.Options{RootFD: fd, Shared: true, Direct: true})
		if err != nil {
			t.Fatal(err)
		}
		lower = append(lower, sb)
	}
	sb, err := overlayfs.New(v, upper, lower...)
	if err != nil {
		t.Fatal(err)
	}
	return v, sb
}

func TestSuite(t *testing.T) {
	fstest.Run(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return union(t, t.TempDir()) })
}

func TestSuiteTwoLowers(t *testing.T) {
	fstest.Run(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return union(t, t.TempDir(), t.TempDir()) })
}

func put(t *testing.T, dir string, files map[string]string) {
	for n, s := range files {
		if strings.HasSuffix(n, "/") {
			os.MkdirAll(dir+"/"+n, 0o755)
			continue
		}
		if i := strings.LastIndex(n, "/"); i > 0 {
			os.MkdirAll(dir+"/"+n[:i], 0o755)
		}
		if err := os.WriteFile(dir+"/"+n, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func env(t *testing.T, dirs ...string) *fstest.Env {
	return fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return union(t, dirs...) })
}

var here fs.Path

func TestLower(t *testing.T) {
	dir := t.TempDir()
	big := strings.Repeat("0123456789", 100000)
	put(t, dir, map[string]string{"d/a": "a", "d/b": "b", "d/e/f": "f", "big": big, "top": "top"})
	os.Link(dir+"/top", dir+"/top2")
	e := env(t, dir)
	if e.Read("d/a") != "a" || e.Read("big") != big {
		t.Fatal("lower contents")
	}
	before := e.Stat("d/a")
	r, err := e.Open("d/a", abi.O_RDONLY, 0)
	e.Must(err)
	w, err := e.Open("d/a", abi.O_RDWR|abi.O_APPEND, 0)
	e.Must(err)
	_, err = w.Write(e.Ctx, []byte("+"))
	e.Must(err)
	if e.Read("d/a") != "a+" {
		t.Fatal("after write")
	}
	p := make([]byte, 9)
	if n, _ := r.Pread(e.Ctx, p, 0); string(p[:n]) != "a+" {
		t.Fatalf("old reader sees %q", p[:n])
	}
	r.DecRef()
	w.DecRef()
	if a := e.Stat("d/a"); a.Ino != before.Ino || a.Dev != before.Dev || a.Nlink != before.Nlink {
		t.Fatal("numbers changed", before, a)
	}
	if b, _ := os.ReadFile(dir + "/d/a"); string(b) != "a" {
		t.Fatal("the lower file was written")
	}
	e.Must(fs.Unlink(e.Ctx, here, "d/b"))
	_, err = fs.Stat(e.Ctx, here, "d/b", 0)
	e.Want(err, abi.ENOENT, "whiteout")
	if got := e.List("d"); !reflect.DeepEqual(got, []string{"a", "e"}) {
		t.Fatal(got)
	}
	e.V.DropCaches()
	_, err = fs.Stat(e.Ctx, here, "d/b", 0)
	e.Want(err, abi.ENOENT, "whiteout without cache")
	e.Write("d/b", "new")
	if e.Read("d/b") != "new" {
		t.Fatal("recreated")
	}
	// Hard links of lower files stay links.
	e.Write("top", "changed")
	if e.Read("top2") != "changed" || e.Stat("top2").Nlink != 2 {
		t.Fatal(e.Read("top2"), e.Stat("top2").Nlink)
	}
	e.Must(fs.Unlink(e.Ctx, here, "top"))
	if e.Read("top2") != "changed" || e.Stat("top2").Nlink != 1 {
		t.Fatal(e.Read("top2"), e.Stat("top2").Nlink)
	}
	e.Must(fs.Rename(e.Ctx, here, "top2", here, "d/top3", 0))
	if e.Read("d/top3") != "changed" {
		t.Fatal("renamed link")
	}
	f, err := e.Open("big", abi.O_RDWR, 0)
	e.Must(err)
	f.Pwrite(e.Ctx, []byte("X"), 500000)
	f.DecRef()
	if e.Read("big") != big[:500000]+"X"+big[500001:] {
		t.Fatal("big")
	}
}

func TestRenameLowerDir(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"d/a": "a", "d/sub/b": "b", "x/y": "y"})
	e := env(t, dir)
	e.Must(fs.Rename(e.Ctx, here, "d", here, "x/moved", 0))
	e.V.DropCaches()
	if e.Read("x/moved/a") != "a" || e.Read("x/moved/sub/b") != "b" {
		t.Fatal("contents")
	}
	_, err := fs.Stat(e.Ctx, here, "d", 0)
	e.Want(err, abi.ENOENT, "old name")
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
	if l := e.List("d"); len(l) != 0 {
		t.Fatal("old contents show through", l)
	}
	e.Write("x/moved/sub/b", "B")
	e.Must(fs.Unlink(e.Ctx, here, "x/moved/a"))
	e.Must(fs.Unlink(e.Ctx, here, "x/moved/sub/b"))
	e.Must(fs.Rmdir(e.Ctx, here, "x/moved/sub"))
	e.Must(fs.Rmdir(e.Ctx, here, "x/moved"))
	if l := e.List("x"); !reflect.DeepEqual(l, []string{"y"}) {
		t.Fatal(l)
	}
	e.Must(fs.Rename(e.Ctx, here, "x", here, "d", 0))
	if l := e.List("/"); !reflect.DeepEqual(l, []string{"d"}) {
		t.Fatal(l)
	}
}

func TestMerge(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	put(t, a, map[string]string{"d/a": "top", "d/both": "top", "f": "file"})
	put(t, b, map[string]string{"d/b": "low", "d/both": "low", "f/x": "hidden", "only/low": "low"})
	e := env(t, a, b)
	if l := e.List("d"); !reflect.DeepEqual(l, []string{"a", "b", "both"}) {
		t.Fatal(l)
	}
	if e.Read("d/both") != "top" || e.Read("d/b") != "low" || e.Read("f") != "file" || e.Read("only/low") != "low" {
		t.Fatal("contents")
	}
	e.Write("d/b", "changed")
	e.Must(fs.Unlink(e.Ctx, here, "d/both"))
	if l := e.List("d"); !reflect.DeepEqual(l, []string{"a", "b"}) {
		t.Fatal(l)
	}
}

func TestUnlinkedLower(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"a": "data"})
	e := env(t, dir)
	f, err := e.Open("a", abi.O_RDONLY, 0)
	e.Must(err)
	e.Must(fs.Unlink(e.Ctx, here, "a"))
	e.Must(f.Chmod(e.Ctx, 0o600))
	p := make([]byte, 9)
	if n, err := f.Pread(e.Ctx, p, 0); string(p[:n]) != "data" || err != nil {
		t.Fatal(n, err)
	}
	if a, err := f.Stat(); err != nil || a.Nlink != 0 || a.Mode&0o777 != 0o600 {
		t.Fatal(a, err)
	}
	f.DecRef()
}

func BenchmarkLower(b *testing.B) {
	dir := b.TempDir()
	os.MkdirAll(dir+"/a/b/c", 0o755)
	os.WriteFile(dir+"/a/b/c/d", make([]byte, 4096), 0o644)
	v, sb := union(b, dir)
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	b.Run("stat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fs.Stat(ctx, here, "/a/b/c/d", 0)
		}
	})
	b.Run("open+close", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, _ := fs.Open(ctx, here, "/a/b/c/d", abi.OpenHow{})
			f.DecRef()
		}
	})
	b.Run("pread4k", func(b *testing.B) {
		f, _ := fs.Open(ctx, here, "/a/b/c/d", abi.OpenHow{})
		p := make([]byte, 4096)
		for b.Loop() {
			f.Pread(ctx, p, 0)
		}
	})
}

// fill makes the same tree wherever it is called.
func fill(dir string) {
	for _, d := range []string{"a", "a/b", "a/sub", "c", "c/d", "sub", "sub/sub"} {
		os.Mkdir(dir+"/"+d, 0o755)
	}
	for _, f := range []string{"a/f1", "a/b/f2", "c/a", "sub/f1", "sub/sub/f2", "f1"} {
		os.WriteFile(dir+"/"+f, []byte("contents of "+f), 0o644)
	}
	os.Link(dir+"/f1", dir+"/c/f2")
	os.Link(dir+"/f1", dir+"/c/d/f1")
	os.Symlink("a/b", dir+"/ln")
	os.Symlink("../sub", dir+"/a/ln")
}

func TestDiffer(t *testing.T) {
	fstest.Differ(t, 60, 300, fill, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		dir := t.TempDir()
		os.Chmod(dir, 0o755)
		fill(dir)
		return union(t, dir)
	})
}

func TestStress(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a", "a/b", "a/b/c", "b", "b/a", "c", "c/d"} {
		os.Mkdir(dir+"/"+d, 0o755)
		os.WriteFile(dir+"/"+d+"/d", []byte(d), 0o644)
	}
	os.WriteFile(dir+"/d", []byte("d"), 0o644)
	os.Link(dir+"/d", dir+"/c/a")
	fstest.Stress(t, nil, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return union(t, dir) })
}
