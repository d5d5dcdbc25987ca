// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"errors"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/kernfs"
	"lodger/fs/tmpfs"
)

var here fs.Path

func mk(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
	v := fs.New(64)
	sb, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	if err != nil {
		t.Fatal(err)
	}
	v.RegisterFS(tmpfs.Type())
	return v, sb
}

func TestMounts(t *testing.T) {
	e := fstest.New(t, mk)
	mount := func(src, dst, typ string, flags uint32, data string) error {
		return fs.DoMount(e.Ctx, src, dst, typ, flags, data)
	}
	e.Must(fs.Mkdir(e.Ctx, here, "a", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "b", 0o755))
	e.Write("/a/under", "x")
	e.Want(mount("x", "/a", "nofs", 0, ""), abi.ENODEV, "unknown type")
	e.Want(mount("x", "/a", "tmpfs", 0, "bad=1"), abi.EINVAL, "bad option")
	e.Want(fs.DoMount(e.As(1, 1), "x", "/a", "tmpfs", 0, ""), abi.EPERM, "user")
	e.Must(mount("tm p", "/a", "tmpfs", abi.MS_NOSUID|abi.MS_NODEV, "size=1m"))
	if l := e.List("/a"); len(l) != 0 {
		t.Fatal(l)
	}
	e.Write("/a/over", "y")
	_, err := fs.Stat(e.Ctx, here, "/a/../a/over", 0)
	e.Must(err)
	f, err := fs.Open(e.Ctx, here, "a/over", abi.OpenHow{Resolve: abi.RESOLVE_NO_XDEV})
	e.Want(err, abi.EXDEV, "NO_XDEV")
	e.Want(fs.Rename(e.Ctx, here, "a/over", here, "b/x", 0), abi.EXDEV, "rename across")
	e.Want(fs.Link(e.Ctx, here, "a/over", here, "b/x", 0), abi.EXDEV, "link across")
	e.Want(fs.Rmdir(e.Ctx, here, "a"), abi.EBUSY, "rmdir of mountpoint")
	e.Want(fs.Rename(e.Ctx, here, "a", here, "c", 0), abi.EBUSY, "rename of mountpoint")
	e.Must(mount("/a", "/b", "", abi.MS_BIND, ""))
	if e.Read("/b/over") != "y" {
		t.Fatal("bind")
	}
	e.Must(mount("", "/b", "", abi.MS_REMOUNT|abi.MS_BIND|abi.MS_RDONLY, ""))
	e.Want(fs.Mkdir(e.Ctx, here, "/b/d", 0o755), abi.EROFS, "read-only bind")
	e.Want(fs.Unlink(e.Ctx, here, "/b/none"), abi.EROFS, "unlink on read-only")
	e.Want(fs.Mkdir(e.Ctx, here, "/b/over", 0o755), abi.EEXIST, "EEXIST before EROFS")
	_, err = e.Open("/b/over", abi.O_WRONLY, 0)
	e.Want(err, abi.EROFS, "open for write")
	e.Want(fs.Access(e.Ctx, here, "/b/over", abi.W_OK, 0), abi.EROFS, "access")
	e.Must(fs.Mkdir(e.Ctx, here, "/a/d", 0o755))
	mi := e.NS.MountInfo(e.Ctx.Root)
	for _, want := range []string{" / /a rw,nosuid,nodev,relatime - tmpfs tm\\040p rw,size=1024k", " / /b ro,relatime - tmpfs "} {
		if !strings.Contains(mi, want) {
			t.Errorf("no %q in\n%s", want, mi)
		}
	}
	f, err = e.Open("/a/over", abi.O_RDONLY, 0)
	e.Must(err)
	e.Want(fs.Umount(e.Ctx, "/a", 0), abi.EBUSY, "open file")
	f.DecRef()
	ns2, tr := e.NS.Clone()
	e.Must(fs.Umount(e.Ctx, "/a", 0))
	if e.Read("/a/under") != "x" {
		t.Fatal("umount")
	}
	c2 := *e.Ctx
	c2.Root, c2.Cwd = tr(e.Ctx.Root), tr(e.Ctx.Cwd)
	if _, err := fs.Stat(&c2, here, "/a/over", 0); err != nil {
		t.Fatal("clone lost a mount:", err, ns2.Mounts(c2.Root))
	}
	e.Want(fs.Umount(e.Ctx, "/a", 0), abi.EINVAL, "not mounted")
	e.Must(mount("/b", "/a", "", abi.MS_MOVE, ""))
	if e.Read("/a/over") != "y" {
		t.Fatal("move")
	}
}

func TestChroot(t *testing.T) {
	e := fstest.New(t, mk)
	e.Must(fs.Mkdir(e.Ctx, here, "jail", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "jail/d", 0o755))
	e.Must(fs.Symlink(e.Ctx, "/d", here, "jail/l"))
	j, err := fs.LookupDir(e.Ctx, here, "jail")
	e.Must(err)
	c := *e.Ctx
	c.Root, c.Cwd = j, j
	p, err := fs.Lookup(&c, here, "../../l/..", fs.LookupFollow)
	e.Must(err)
	if p != j {
		t.Fatal(fs.DPath(p, e.Ctx.Root))
	}
	if s := fs.DPath(e.Ctx.Root, j); s != "(unreachable)/" {
		t.Fatal(s)
	}
	d, err := fs.Lookup(&c, here, "l", fs.LookupFollow)
	e.Must(err)
	if s := fs.DPath(d, j); s != "/d" {
		t.Fatal(s)
	}
}

// TestDcacheBound makes more names than the cache holds.
func TestDcacheBound(t *testing.T) {
	e := fstest.New(t, mk)
	e.Must(fs.Mkdir(e.Ctx, here, "deep", 0o755))
	cwd, err := fs.LookupDir(e.Ctx, here, "deep")
	e.Must(err)
	for i := range 1000 {
		e.Write("/f"+string(rune('a'+i%26))+strings.Repeat("x", i/26), "")
	}
	e.V.DropCaches()
	e.Must(fs.Rename(e.Ctx, here, "deep", here, "moved", 0))
	if s := fs.DPath(cwd, e.Ctx.Root); s != "/moved" {
		t.Fatal("a held dentry lost its identity:", s)
	}
}

func TestLocks(t *testing.T) {
	e := fstest.New(t, mk)
	e.Write("/f", "0123456789")
	f, err := e.Open("f", abi.O_RDWR, 0)
	e.Must(err)
	g, err := e.Open("f", abi.O_RDWR, 0)
	e.Must(err)
	A, B := new(int), new(int)
	lk := func(typ int16, start, end int64) fs.Lock { return fs.Lock{Type: typ, Start: start, End: end, PID: 7} }
	e.Must(f.SetLock(A, lk(abi.F_WRLCK, 0, 4), false))
	e.Want(g.SetLock(B, lk(abi.F_RDLCK, 4, 9), false), abi.EAGAIN, "conflict")
	e.Must(g.SetLock(B, lk(abi.F_WRLCK, 5, 9), false))
	got, err := g.GetLock(B, lk(abi.F_RDLCK, 0, 0))
	e.Must(err)
	if got != lk(abi.F_WRLCK, 0, 4) {
		t.Fatal(got)
	}
	var wb *fs.WouldBlock
	if err := f.SetLock(A, lk(abi.F_WRLCK, 5, 5), true); !errors.As(err, &wb) {
		t.Fatal(err)
	}
	e.Want(g.SetLock(B, lk(abi.F_WRLCK, 0, 0), true), abi.EDEADLK, "deadlock")
	wb.Cancel()
	if err := g.SetLock(B, lk(abi.F_WRLCK, 0, 0), true); !errors.As(err, &wb) {
		t.Fatal(err)
	}
	e.Must(f.SetLock(A, lk(abi.F_UNLCK, 2, 2), false))
	got, _ = g.GetLock(B, lk(abi.F_WRLCK, 3, 3))
	if got.Start != 3 || got.End != 4 {
		t.Fatal("split", got)
	}
	e.Must(f.Flush(e.Ctx, A))
	e.Must(g.SetLock(B, lk(abi.F_WRLCK, 0, 0), true))
	e.Must(g.Flush(e.Ctx, B))
	// OFD
	e.Must(f.SetLock(f, lk(abi.F_WRLCK, 0, 9), false))
	e.Want(g.SetLock(g, lk(abi.F_RDLCK, 0, 0), false), abi.EAGAIN, "OFD")
	e.Must(f.Flock(abi.LOCK_EX))
	e.Want(g.Flock(abi.LOCK_SH|abi.LOCK_NB), abi.EAGAIN, "flock")
	if err := g.Flock(abi.LOCK_SH); !errors.As(err, &wb) {
		t.Fatal(err)
	}
	f.DecRef()
	e.Must(g.Flock(abi.LOCK_SH))
	e.Must(g.SetLock(g, lk(abi.F_RDLCK, 0, 0), false))
	g.DecRef()
}

func TestPipe(t *testing.T) {
	e := fstest.New(t, mk)
	r, w, err := fs.NewPipe(e.Ctx, abi.O_NONBLOCK)
	e.Must(err)
	if s := fs.DPath(r.Path, e.Ctx.Root); !strings.HasPrefix(s, "pipe:[") {
		t.Fatal(s)
	}
	p := make([]byte, 100000)
	_, err = r.Read(e.Ctx, p)
	e.Want(err, abi.EAGAIN, "empty")
	n, err := w.Write(e.Ctx, p)
	if n != 65536 || err != nil {
		t.Fatal(n, err)
	}
	_, err = w.Write(e.Ctx, p[:1])
	e.Want(err, abi.EAGAIN, "full")
	if w.Poll() != 0 || r.Poll()&abi.POLLIN == 0 {
		t.Fatal(w.Poll(), r.Poll())
	}
	n, _ = r.Read(e.Ctx, p[:4095])
	if n != 4095 || w.Poll() != 0 {
		t.Fatal(n, w.Poll())
	}
	_, err = w.Write(e.Ctx, p[:4096])
	e.Want(err, abi.EAGAIN, "atomic")
	r.Read(e.Ctx, p[:1])
	if w.Poll()&abi.POLLOUT == 0 {
		t.Fatal(w.Poll())
	}
	if _, err := fs.SetPipeSize(w, 4096, false); err != abi.EBUSY {
		t.Fatal(err)
	}
	if n, err := fs.SetPipeSize(w, 70000, false); n != 131072 || err != nil {
		t.Fatal(n, err)
	}
	_, err = r.Pread(e.Ctx, p, 0)
	e.Want(err, abi.ESPIPE, "pread")
	_, err = r.Seek(e.Ctx, 0, abi.SEEK_CUR)
	e.Want(err, abi.ESPIPE, "seek")
	_, err = r.Write(e.Ctx, p)
	e.Want(err, abi.EBADF, "write to reader")
	// Another writer through /proc/self/fd.
	w2, err := fs.OpenPath(e.Ctx, w.Path, abi.O_WRONLY)
	e.Must(err)
	w.DecRef()
	if r.Poll()&abi.POLLHUP != 0 {
		t.Fatal("hang-up with a writer left")
	}
	w2.DecRef()
	if r.Poll()&abi.POLLHUP == 0 {
		t.Fatal("no hang-up")
	}
	for {
		n, err := r.Read(e.Ctx, p)
		e.Must(err)
		if n == 0 {
			break
		}
	}
	r2, w3, _ := fs.NewPipe(e.Ctx, 0)
	r2.DecRef()
	if w3.Poll()&abi.POLLERR == 0 {
		t.Fatal("no POLLERR")
	}
	_, err = w3.Write(e.Ctx, p)
	e.Want(err, abi.EPIPE, "no reader")
}

// TestMagicLinks opens files through a synthetic tree.
func TestMagicLinks(t *testing.T) {
	e := fstest.New(t, mk)
	e.Write("/f", "text")
	e.Must(fs.Mkdir(e.Ctx, here, "proc", 0o755))
	f, err := e.Open("f", abi.O_RDONLY, 0)
	e.Must(err)
	n := 0
	sb, err := kernfs.New(e.V, "proc", abi.PROC_SUPER_MAGIC, func(k *kernfs.FS) fs.Inode {
		d := k.NewDir(0o555,
			kernfs.Entry{Name: "count", Inode: k.NewFile(0o444, func(*fs.Context) ([]byte, error) { n++; return []byte{byte('0' + n)}, nil })},
			kernfs.Entry{Name: "self", Inode: k.NewSymlink("proc/x")},
			kernfs.Entry{Name: "magic", Inode: k.NewMagic(0o500, func(*fs.Context) (fs.Path, error) { return f.Path, nil })})
		return d
	})
	e.Must(err)
	at, err := fs.Lookup(e.Ctx, here, "proc", 0)
	e.Must(err)
	_, err = fs.MountAt(sb, at, "proc", 0)
	e.Must(err)
	if e.Read("/proc/count") != "1" || e.Read("/proc/count") != "2" {
		t.Fatal("generated text")
	}
	if e.Read("/proc/magic") != "text" {
		t.Fatal("magic")
	}
	e.Must(fs.Unlink(e.Ctx, here, "f"))
	if e.Read("/proc/magic") != "text" {
		t.Fatal("magic link to unlinked file")
	}
	if s, _ := fs.Readlink(e.Ctx, here, "/proc/magic"); s != "/f (deleted)" {
		t.Fatal(s)
	}
	_, err = fs.Open(e.Ctx, here, "proc/magic", abi.OpenHow{Resolve: abi.RESOLVE_NO_MAGICLINKS})
	e.Want(err, abi.ELOOP, "NO_MAGICLINKS")
	_, err = fs.Open(e.Ctx, here, "proc/magic", abi.OpenHow{Resolve: abi.RESOLVE_BENEATH})
	e.Want(err, abi.EXDEV, "BENEATH")
	if l := e.List("/proc"); len(l) != 3 {
		t.Fatal(l)
	}
	e.Want(fs.Mkdir(e.Ctx, here, "proc/x", 0o755), abi.EPERM, "mkdir in proc")
	_, err = e.Open("/proc/x", abi.O_CREAT|abi.O_WRONLY, 0o644)
	e.Want(err, abi.EACCES, "create in proc")
}

// FuzzWalk walks arbitrary names: no panic, and nothing outside a BENEATH.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{"/", "a/../b", "l/l/l", "../..", "a//b/", "", "l/../../x", "loop/x", "abs/f"} {
		f.Add(s, uint64(0))
		f.Add(s, uint64(abi.RESOLVE_BENEATH))
		f.Add(s, uint64(abi.RESOLVE_IN_ROOT))
	}
	v := fs.New(16)
	sb, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	if err != nil {
		f.Fatal(err)
	}
	root := v.NewMountNS(sb, "t", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	fs.Mkdir(ctx, here, "/a", 0o755)
	fs.Mkdir(ctx, here, "/a/b", 0o755)
	fs.Symlink(ctx, "..", here, "/a/l")
	fs.Symlink(ctx, "loop", here, "/a/loop")
	fs.Symlink(ctx, "/a", here, "/a/abs")
	fs.Symlink(ctx, "../../a", here, "/a/b/l")
	dir, _ := fs.LookupDir(ctx, here, "/a/b")
	f.Fuzz(func(t *testing.T, name string, resolve uint64) {
		if strings.IndexByte(name, 0) >= 0 {
			return
		}
		resolve &= abi.RESOLVE_BENEATH | abi.RESOLVE_IN_ROOT
		file, err := fs.Open(ctx, dir, name, abi.OpenHow{Flags: abi.O_PATH, Resolve: resolve})
		if err != nil {
			return
		}
		defer file.DecRef()
		if resolve != 0 && resolve != abi.RESOLVE_BENEATH|abi.RESOLVE_IN_ROOT && !fs.Reachable(file.Path, dir) {
			t.Fatalf("%q leads to %s", name, fs.DPath(file.Path, root))
		}
	})
}
