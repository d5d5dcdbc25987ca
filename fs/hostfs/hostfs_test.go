// SPDX-License-Identifier: Apache-2.0

package hostfs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/hostfs"
	"lodger/host"
	"lodger/internal/need"
)

func mount(t testing.TB, dir string, opt hostfs.Options) (*fs.VFS, *fs.SuperBlock) {
	fd, err := host.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	opt.RootFD = fd
	v := fs.New(0)
	sb, err := hostfs.New(v, opt)
	if err != nil {
		t.Fatal(err)
	}
	return v, sb
}

func TestSuiteDirect(t *testing.T) {
	need.Root(t)
	fstest.Run(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		return mount(t, t.TempDir(), hostfs.Options{Direct: true})
	})
}

func TestSuiteMapped(t *testing.T) {
	fstest.Run(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		return mount(t, t.TempDir(), hostfs.Options{HostUID: uint32(os.Getuid()), HostGID: uint32(os.Getgid())})
	})
}

func TestSuiteFewFDs(t *testing.T) {
	fstest.Run(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		return mount(t, t.TempDir(), hostfs.Options{HostUID: uint32(os.Getuid()), HostGID: uint32(os.Getgid()), MaxFDs: 1})
	})
}

// TestHostileTree checks that nothing in the tree leads out of it.
func TestHostileTree(t *testing.T) {
	top := t.TempDir()
	root := filepath.Join(top, "root")
	os.Mkdir(root, 0o755)
	os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o644)
	os.Symlink(filepath.Join(top, "secret"), filepath.Join(root, "abs"))
	os.Symlink("../secret", filepath.Join(root, "rel"))
	os.Symlink("..", filepath.Join(root, "up"))
	for _, opt := range []hostfs.Options{{Shared: true}, {}} {
		e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return mount(t, root, opt) })
		for _, n := range []string{"abs", "rel", "up/secret", "../secret", "up/../secret"} {
			if f, err := e.Open(n, abi.O_RDONLY, 0); err == nil {
				t.Errorf("%s: opened %s", n, fs.DPath(f.Path, e.Ctx.Root))
			}
		}
	}
}

// TestHostChanges checks that a writable mount sees what the host does.
func TestHostChanges(t *testing.T) {
	dir := t.TempDir()
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return mount(t, dir, hostfs.Options{}) })
	_, err := fs.Stat(e.Ctx, fs.Path{}, "x", 0)
	e.Want(err, abi.ENOENT, "before")
	os.WriteFile(dir+"/x", []byte("one"), 0o644)
	if e.Read("x") != "one" {
		t.Fatal("new file")
	}
	os.Rename(dir+"/x", dir+"/y")
	os.WriteFile(dir+"/x", []byte("other"), 0o644)
	if e.Read("x") != "other" || e.Read("y") != "one" {
		t.Fatal(e.Read("x"), e.Read("y"))
	}
	os.Remove(dir + "/x")
	_, err = fs.Stat(e.Ctx, fs.Path{}, "x", 0)
	e.Want(err, abi.ENOENT, "after")
}

func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(dir+"/x", []byte("one"), 0o644)
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return mount(t, dir, hostfs.Options{MaxFDs: 16}) })
	before, _ := os.ReadDir("/proc/self/fd")
	var files []*fs.File
	for i := range 500 {
		f, err := e.Open(string(rune('a'+i%26))+string(rune('a'+i/26)), abi.O_CREAT|abi.O_RDWR, 0o644)
		e.Must(err)
		files = append(files, f)
	}
	fds, _ := os.ReadDir("/proc/self/fd")
	if len(fds) > len(before)+32 {
		t.Fatal(len(fds)-len(before), "host descriptors")
	}
	for _, f := range files {
		_, err := f.Write(e.Ctx, []byte("x"))
		e.Must(err)
		f.DecRef()
	}
}

func benchStat(b *testing.B, opt hostfs.Options) {
	dir := b.TempDir()
	os.MkdirAll(dir+"/a/b/c", 0o755)
	os.WriteFile(dir+"/a/b/c/d", make([]byte, 4096), 0o644)
	v, sb := mount(b, dir, opt)
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	b.Run("stat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := fs.Stat(ctx, fs.Path{}, "/a/b/c/d", 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open+close", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := fs.Open(ctx, fs.Path{}, "/a/b/c/d", abi.OpenHow{})
			if err != nil {
				b.Fatal(err)
			}
			f.DecRef()
		}
	})
	b.Run("pread4k", func(b *testing.B) {
		f, err := fs.Open(ctx, fs.Path{}, "/a/b/c/d", abi.OpenHow{})
		if err != nil {
			b.Fatal(err)
		}
		defer f.DecRef()
		p := make([]byte, 4096)
		for b.Loop() {
			if n, err := f.Pread(ctx, p, 0); n != 4096 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkShared(b *testing.B) { benchStat(b, hostfs.Options{Shared: true}) }
func BenchmarkLive(b *testing.B)   { benchStat(b, hostfs.Options{}) }

func TestDiffer(t *testing.T) {
	fstest.Differ(t, 15, 300, nil, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		dir := t.TempDir()
		os.Chmod(dir, 0o755)
		return mount(t, dir, hostfs.Options{Direct: true})
	})
}

func TestStress(t *testing.T) {
	for _, fds := range []int{0, 2} {
		fstest.Stress(t, nil, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
			return mount(t, t.TempDir(), hostfs.Options{HostUID: uint32(os.Getuid()), HostGID: uint32(os.Getgid()), MaxFDs: fds})
		})
	}
}

// TestNoExecMount maps a file of a noexec mount.
func TestNoExecMount(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("t", dir, "tmpfs", syscall.MS_NOEXEC, ""); err != nil {
		need.Missing(t, "cannot mount: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	os.WriteFile(dir+"/x", []byte("code"), 0o755)
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) { return mount(t, dir, hostfs.Options{Shared: true}) })
	f, err := e.Open("x", abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	fd, off, err := f.MapFD(0, 4096, false, false, true)
	e.Must(err)
	m, err := syscall.Mmap(fd, off, 4096, syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_PRIVATE)
	if err != nil || string(m[:4]) != "code" {
		t.Fatal(err)
	}
	syscall.Munmap(m)
}
