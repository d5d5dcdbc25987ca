// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"errors"
	"fmt"

	"lodger/abi"
	"lodger/fs"
)

func testOpenErrors(e *Env) {
	e.Write("/f", "")
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
	e.Must(fs.Symlink(e.Ctx, "f", here, "lf"))
	e.Must(fs.Symlink(e.Ctx, "new", here, "ln"))
	e.Must(fs.Symlink(e.Ctx, "d", here, "ld"))
	for _, c := range []struct {
		name  string
		flags int
		want  abi.Errno
	}{
		{"no", abi.O_RDONLY, abi.ENOENT},
		{"f", abi.O_RDONLY | abi.O_DIRECTORY, abi.ENOTDIR},
		{"f/", abi.O_RDONLY, abi.ENOTDIR},
		{"d", abi.O_WRONLY, abi.EISDIR},
		{"d", abi.O_CREAT, abi.EISDIR},
		{"d", abi.O_CREAT | abi.O_DIRECTORY, abi.EINVAL},
		{"x/", abi.O_CREAT, abi.EISDIR},
		{"/", abi.O_CREAT, abi.EISDIR},
		{".", abi.O_CREAT | abi.O_EXCL, abi.EEXIST},
		{"f", abi.O_CREAT | abi.O_EXCL, abi.EEXIST},
		{"lf", abi.O_CREAT | abi.O_EXCL, abi.EEXIST},
		{"lf", abi.O_NOFOLLOW, abi.ELOOP},
		{"lf", abi.O_NOFOLLOW | abi.O_CREAT, abi.ELOOP},
		{"lf", abi.O_NOFOLLOW | abi.O_PATH, 0},
		{"lf", abi.O_NOFOLLOW | abi.O_DIRECTORY, abi.ENOTDIR},
		{"ld/", abi.O_NOFOLLOW, 0},
		{"ld", abi.O_DIRECTORY, 0},
		{"ln", abi.O_RDONLY, abi.ENOENT},
		{"ln", abi.O_CREAT | abi.O_WRONLY, 0},
		{"new", abi.O_RDONLY, 0},
		{"", abi.O_RDONLY, abi.ENOENT},
		{"d", abi.O_TMPFILE, abi.EINVAL},
	} {
		f, err := e.Open(c.name, c.flags, 0o644)
		e.Want(err, c.want, "open %q %#o", c.name, c.flags)
		if f != nil {
			f.DecRef()
		}
	}
}

func testSymlinks(e *Env) {
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
	e.Write("/d/f", "f")
	e.Must(fs.Symlink(e.Ctx, "/d", here, "abs"))
	e.Must(fs.Symlink(e.Ctx, "../d/f", here, "d/rel"))
	e.Must(fs.Symlink(e.Ctx, "loop", here, "loop"))
	e.Must(fs.Symlink(e.Ctx, "d/", here, "slash"))
	if e.Read("abs/rel") != "f" || e.Read("slash/f") != "f" {
		e.T.Fatal("follow")
	}
	if s, err := fs.Readlink(e.Ctx, here, "d/rel"); s != "../d/f" || err != nil {
		e.T.Fatal(s, err)
	}
	if a := e.Stat("d/rel"); a.Mode != abi.S_IFLNK|0o777 || a.Size != 6 {
		e.T.Fatalf("%+v", a)
	}
	_, err := fs.Readlink(e.Ctx, here, "d/f")
	e.Want(err, abi.EINVAL, "readlink of file")
	_, err = fs.Stat(e.Ctx, here, "loop", 0)
	e.Want(err, abi.ELOOP, "loop")
	prev := "d"
	for i := 0; i < 41; i++ {
		n := fmt.Sprintf("c%d", i)
		e.Must(fs.Symlink(e.Ctx, prev, here, n))
		prev = n
	}
	_, err = fs.Stat(e.Ctx, here, "c39", 0)
	e.Want(err, 0, "40 links")
	_, err = fs.Stat(e.Ctx, here, "c40", 0)
	e.Want(err, abi.ELOOP, "41 links")
	e.Want(fs.Rmdir(e.Ctx, here, "abs/"), abi.ENOTDIR, "rmdir of link")
	e.Must(fs.Unlink(e.Ctx, here, "abs"))
	for _, c := range []struct {
		name    string
		resolve uint64
		want    abi.Errno
	}{
		{"d/f", abi.RESOLVE_BENEATH, 0}, {"/d/f", abi.RESOLVE_BENEATH, abi.EXDEV}, {"d/../d/f", abi.RESOLVE_BENEATH, 0},
		{"../d/f", abi.RESOLVE_BENEATH, abi.EXDEV}, {"/d/f", abi.RESOLVE_IN_ROOT, 0}, {"../../d/f", abi.RESOLVE_IN_ROOT, 0},
		{"slash/f", abi.RESOLVE_NO_SYMLINKS, abi.ELOOP}, {"d/f", abi.RESOLVE_NO_SYMLINKS, 0}, {"d/rel", abi.RESOLVE_NO_MAGICLINKS, 0},
	} {
		f, err := fs.Open(e.Ctx, here, c.name, abi.OpenHow{Resolve: c.resolve})
		e.Want(err, c.want, "openat2 %q %#x", c.name, c.resolve)
		if f != nil {
			f.DecRef()
		}
	}
}

func testPermissions(e *Env) {
	u, o := e.As(1000, 1000), e.As(2000, 2000)
	e.Must(fs.Mkdir(e.Ctx, here, "tmp", 0o1777))
	e.Must(fs.Chmod(e.Ctx, here, "tmp", 0o1777, 0))
	e.Want(fs.Mkdir(u, here, "x", 0o755), abi.EACCES, "mkdir in root's")
	e.Must(fs.Mkdir(u, here, "tmp/u", 0o700))
	if a := e.Stat("tmp/u"); a.UID != 1000 {
		e.T.Fatal(a.UID)
	}
	_, err := fs.Stat(o, here, "tmp/u/f", 0)
	e.Want(err, abi.EACCES, "search")
	e.Want(fs.Rmdir(o, here, "tmp/u"), abi.EPERM, "sticky")
	e.Want(fs.Rename(o, here, "tmp/u", here, "tmp/v", 0), abi.EPERM, "sticky rename")
	f, err := fs.Open(u, here, "tmp/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o400})
	e.Must(err)
	_, err = f.Write(u, []byte("x"))
	e.Must(err)
	f.DecRef()
	_, err = fs.Open(u, here, "tmp/f", abi.OpenHow{Flags: abi.O_WRONLY})
	e.Want(err, abi.EACCES, "write to 0400")
	_, err = fs.Open(o, here, "tmp/f", abi.OpenHow{})
	e.Want(err, abi.EACCES, "read of 0400")
	e.Want(fs.Access(u, here, "tmp/f", abi.R_OK, 0), 0, "access R")
	e.Want(fs.Access(u, here, "tmp/f", abi.W_OK, 0), abi.EACCES, "access W")
	e.Want(fs.Access(e.Ctx, here, "tmp/f", abi.W_OK, 0), 0, "root access W")
	e.Want(fs.Access(e.Ctx, here, "tmp/f", abi.X_OK, 0), abi.EACCES, "root access X")
	e.Must(fs.Chmod(u, here, "tmp/f", 0o6777, 0))
	g, err := fs.Open(o, here, "tmp/f", abi.OpenHow{Flags: abi.O_WRONLY})
	e.Must(err)
	_, err = g.Write(o, []byte("y"))
	e.Must(err)
	g.DecRef()
	if a := e.Stat("tmp/f"); a.Mode&0o7777 != 0o777 {
		e.T.Fatalf("set-id bits survive a write: %o", a.Mode)
	}
	e.Must(fs.Rmdir(u, here, "tmp/u"))
}

func testTmpfile(e *Env) {
	f, err := e.Open("/", abi.O_TMPFILE|abi.O_RDWR, 0o600)
	if errors.Is(err, abi.EOPNOTSUPP) {
		e.T.Skip("no O_TMPFILE")
	}
	e.Must(err)
	defer f.DecRef()
	_, err = f.Write(e.Ctx, []byte("tmp"))
	e.Must(err)
	if len(e.List("/")) != 0 {
		e.T.Fatal("visible")
	}
	e.Must(fs.Link(e.Ctx, f.Path, "", here, "named", abi.AT_EMPTY_PATH))
	if e.Read("named") != "tmp" {
		e.T.Fatal("contents")
	}
	x, err := e.Open("/", abi.O_TMPFILE|abi.O_RDWR|abi.O_EXCL, 0o600)
	e.Must(err)
	defer x.DecRef()
	e.Want(fs.Link(e.Ctx, x.Path, "", here, "other", abi.AT_EMPTY_PATH), abi.ENOENT, "link of an O_TMPFILE|O_EXCL file")
}

func testFIFO(e *Env) {
	e.Must(fs.Mknod(e.Ctx, here, "p", abi.S_IFIFO|0o600, 0))
	_, err := e.Open("p", abi.O_WRONLY|abi.O_NONBLOCK, 0)
	e.Want(err, abi.ENXIO, "writer without reader")
	r, err := e.Open("p", abi.O_RDONLY, 0)
	var wb *fs.WouldBlock
	if !errors.As(err, &wb) || r == nil {
		e.T.Fatal(r, err)
	}
	if err := r.FinishOpen(); !errors.As(err, &wb) {
		e.T.Fatal(err)
	}
	w, err := e.Open("p", abi.O_WRONLY, 0)
	e.Must(err)
	e.Must(r.FinishOpen())
	_, err = w.Write(e.Ctx, []byte("hi"))
	e.Must(err)
	p := make([]byte, 10)
	if n, err := r.Read(e.Ctx, p); n != 2 || err != nil {
		e.T.Fatal(n, err)
	}
	_, err = r.Read(e.Ctx, p)
	e.Want(err, abi.EAGAIN, "empty")
	w.DecRef()
	if n, err := r.Read(e.Ctx, p); n != 0 || err != nil {
		e.T.Fatal(n, err)
	}
	r.DecRef()
}

func testMap(e *Env) {
	e.Write("/f", "mapped")
	f, err := e.Open("/f", abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	fd, _, err := f.MapFD(0, 4096, false, false, false)
	if err != nil || fd < 0 {
		e.T.Fatal(fd, err)
	}
	_, _, err = f.MapFD(0, 4096, true, true, false)
	e.Want(err, abi.EACCES, "shared writable map of reader")
	w, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	defer w.DecRef()
	if fd, _, err := w.MapFD(0, 4096, true, true, false); err != nil || fd < 0 {
		e.T.Fatal(fd, err)
	}
	_, err = w.Pwrite(e.Ctx, []byte("M"), 0)
	e.Must(err)
	if e.Read("/f") != "Mapped" {
		e.T.Fatal(e.Read("/f"))
	}
}

func testAppend(e *Env) {
	e.Write("/f", "one")
	f, err := e.Open("/f", abi.O_WRONLY|abi.O_APPEND, 0)
	e.Must(err)
	defer f.DecRef()
	_, err = f.Write(e.Ctx, []byte("two"))
	e.Must(err)
	_, err = f.Pwrite(e.Ctx, []byte("three"), 0)
	e.Must(err)
	if e.Read("/f") != "onetwothree" {
		e.T.Fatal(e.Read("/f"))
	}
	if f.Pos() != 6 {
		e.T.Fatal(f.Pos())
	}
}

func testRenameDir(e *Env) {
	e.Must(fs.Mkdir(e.Ctx, here, "a", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "a/b", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "c", 0o755))
	e.Write("/a/b/f", "f")
	p, err := fs.LookupDir(e.Ctx, here, "a/b")
	e.Must(err)
	e.Must(fs.Rename(e.Ctx, here, "a/b", here, "c/d", 0))
	if s := fs.DPath(p, e.Ctx.Root); s != "/c/d" {
		e.T.Fatal(s)
	}
	up, err := fs.Lookup(e.Ctx, p, "..", 0)
	e.Must(err)
	if s := fs.DPath(up, e.Ctx.Root); s != "/c" {
		e.T.Fatal(s)
	}
	if e.Read("/c/d/f") != "f" {
		e.T.Fatal("contents")
	}
}
