// SPDX-License-Identifier: Apache-2.0

package tmpfs_test

import (
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/tmpfs"
)

func mk(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
	v := fs.New(0)
	sb, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	if err != nil {
		t.Fatal(err)
	}
	return v, sb
}

func TestSuite(t *testing.T) { fstest.Run(t, mk) }

func TestSpace(t *testing.T) {
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		v := fs.New(0)
		sb, err := tmpfs.New(v, tmpfs.Options{Size: 128 << 10, Inodes: 4})
		if err != nil {
			t.Fatal(err)
		}
		return v, sb
	})
	f, err := e.Open("a", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Must(err)
	n, err := f.Write(e.Ctx, make([]byte, 200<<10))
	if n != 128<<10 || err != nil {
		t.Fatal(n, err)
	}
	_, err = f.Write(e.Ctx, make([]byte, 1))
	e.Want(err, abi.ENOSPC, "full")
	e.Must(fs.Unlink(e.Ctx, fs.Path{}, "a"))
	_, err = e.Open("b", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Must(err)
	f.DecRef()
	e.Write("c", "fits again")
	e.Write("d", "x")
	_, err = e.Open("e", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Want(err, abi.ENOSPC, "inodes")
}

func TestMemfd(t *testing.T) {
	e := fstest.New(t, mk)
	sb := e.Ctx.Root.Mnt.SB
	f, err := tmpfs.Memfd(e.Ctx, sb, "x", abi.MFD_ALLOW_SEALING)
	e.Must(err)
	defer f.DecRef()
	if s := fs.DPath(f.Path, e.Ctx.Root); s != "/memfd:x (deleted)" {
		t.Fatal(s)
	}
	e.Must(f.Truncate(e.Ctx, 100))
	s := f.Ops().(fs.Sealer)
	e.Must(s.AddSeals(abi.F_SEAL_SHRINK|abi.F_SEAL_GROW, false))
	e.Want(f.Truncate(e.Ctx, 10), abi.EPERM, "shrink")
	e.Want(f.Truncate(e.Ctx, 1000), abi.EPERM, "grow")
	_, err = f.Pwrite(e.Ctx, []byte("ok"), 0)
	e.Must(err)
	e.Must(s.AddSeals(abi.F_SEAL_WRITE|abi.F_SEAL_SEAL, false))
	_, err = f.Pwrite(e.Ctx, []byte("no"), 0)
	e.Want(err, abi.EPERM, "write")
	e.Want(s.AddSeals(abi.F_SEAL_GROW, false), abi.EPERM, "seal")
}

func BenchmarkStat(b *testing.B) {
	v := fs.New(0)
	sb, _ := tmpfs.New(v, tmpfs.Options{})
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	for _, d := range []string{"/a", "/a/b", "/a/b/c", "/a/b/c/d"} {
		fs.Mkdir(ctx, fs.Path{}, d, 0o755)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fs.Stat(ctx, fs.Path{}, "/a/b/c/d", 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenReadClose(b *testing.B) {
	v := fs.New(0)
	sb, _ := tmpfs.New(v, tmpfs.Options{})
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	fs.Mkdir(ctx, fs.Path{}, "/a", 0o755)
	f, err := fs.Open(ctx, fs.Path{}, "/a/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR})
	if err != nil {
		b.Fatal(err)
	}
	f.Write(ctx, make([]byte, 4096))
	f.DecRef()
	b.ReportAllocs()
	for b.Loop() {
		f, err := fs.Open(ctx, fs.Path{}, "/a/f", abi.OpenHow{})
		if err != nil {
			b.Fatal(err)
		}
		f.DecRef()
	}
}

func TestDiffer(t *testing.T) { fstest.Differ(t, 40, 400, nil, mk) }

func TestStress(t *testing.T) { fstest.Stress(t, nil, mk) }

func BenchmarkCreateUnlink(b *testing.B) {
	v := fs.New(0)
	sb, _ := tmpfs.New(v, tmpfs.Options{})
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	b.ReportAllocs()
	for b.Loop() {
		f, err := fs.Open(ctx, fs.Path{}, "/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_EXCL | abi.O_WRONLY, Mode: 0o644})
		if err != nil {
			b.Fatal(err)
		}
		f.DecRef()
		fs.Unlink(ctx, fs.Path{}, "/f")
	}
}

func BenchmarkPipe(b *testing.B) {
	v := fs.New(0)
	sb, _ := tmpfs.New(v, tmpfs.Options{})
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	r, w, _ := fs.NewPipe(ctx, 0)
	p := make([]byte, 64)
	for b.Loop() {
		w.Write(ctx, p)
		r.Read(ctx, p)
	}
}
