// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"lodger/abi"
	"lodger/fs"
)

var here fs.Path // the current directory

func testReadWrite(e *Env) {
	e.Write("/a", "hello world")
	if s := e.Read("/a"); s != "hello world" {
		e.T.Fatalf("read %q", s)
	}
	f, err := e.Open("a", abi.O_RDWR, 0)
	e.Must(err)
	defer f.DecRef()
	p := make([]byte, 5)
	if n, err := f.Pread(e.Ctx, p, 6); n != 5 || err != nil || string(p) != "world" {
		e.T.Fatal(n, err, string(p))
	}
	if n, err := f.Pwrite(e.Ctx, []byte("XY"), 20); n != 2 || err != nil {
		e.T.Fatal(n, err)
	}
	if a := e.Stat("a"); a.Size != 22 {
		e.T.Fatal("size", a.Size)
	}
	if s := e.Read("a"); s != "hello world"+strings.Repeat("\x00", 9)+"XY" {
		e.T.Fatalf("%q", s)
	}
	for _, c := range []struct {
		off    int64
		whence int
		want   int64
		err    abi.Errno
	}{{3, abi.SEEK_SET, 3, 0}, {-1, abi.SEEK_SET, 0, abi.EINVAL}, {2, abi.SEEK_CUR, 5, 0}, {-2, abi.SEEK_END, 20, 0}, {0, 9, 0, abi.EINVAL}} {
		n, err := f.Seek(e.Ctx, c.off, c.whence)
		e.Want(err, c.err, "seek %d %d", c.off, c.whence)
		if err == nil && n != c.want {
			e.T.Errorf("seek %d %d = %d", c.off, c.whence, n)
		}
	}
	_, err = f.Pread(e.Ctx, p, -1)
	e.Want(err, abi.EINVAL, "pread -1")
	r, err := e.Open("a", abi.O_RDONLY, 0)
	e.Must(err)
	defer r.DecRef()
	_, err = r.Write(e.Ctx, p)
	e.Want(err, abi.EBADF, "write to reader")
	e.Want(r.Truncate(e.Ctx, 0), abi.EINVAL, "ftruncate of reader")
	d, err := e.Open("/", abi.O_RDONLY, 0)
	e.Must(err)
	defer d.DecRef()
	_, err = d.Read(e.Ctx, p)
	e.Want(err, abi.EISDIR, "read of directory")
}

func testNames(e *Env) {
	mkdir := func(n string) error { return fs.Mkdir(e.Ctx, here, n, 0o755) }
	long := strings.Repeat("x", 256)
	e.Must(mkdir("/d"))
	e.Write("/d/f", "1")
	for _, c := range []struct {
		what string
		err  error
		want abi.Errno
	}{
		{"mkdir /", mkdir("/"), abi.EEXIST},
		{"mkdir .", mkdir("."), abi.EEXIST},
		{"mkdir d/..", mkdir("d/.."), abi.EEXIST},
		{"mkdir d", mkdir("d"), abi.EEXIST},
		{"mkdir d/", mkdir("d/"), abi.EEXIST},
		{"mkdir d/f", mkdir("d/f"), abi.EEXIST},
		{"mkdir d/f/x", mkdir("d/f/x"), abi.ENOTDIR},
		{"mkdir no/x", mkdir("no/x"), abi.ENOENT},
		{"mkdir empty", mkdir(""), abi.ENOENT},
		{"mkdir long", mkdir(long), abi.ENAMETOOLONG},
		{"mkdir very long", mkdir(strings.Repeat("a/", 2100)), abi.ENAMETOOLONG},
		{"mkdir new/", mkdir("new///"), 0},
		{"unlink d", fs.Unlink(e.Ctx, here, "d"), abi.EISDIR},
		{"unlink d/", fs.Unlink(e.Ctx, here, "d/"), abi.EISDIR},
		{"unlink d/f/", fs.Unlink(e.Ctx, here, "d/f/"), abi.ENOTDIR},
		{"unlink no/", fs.Unlink(e.Ctx, here, "no/"), abi.ENOENT},
		{"unlink no", fs.Unlink(e.Ctx, here, "no"), abi.ENOENT},
		{"unlink .", fs.Unlink(e.Ctx, here, "."), abi.EISDIR},
		{"rmdir d", fs.Rmdir(e.Ctx, here, "d"), abi.ENOTEMPTY},
		{"rmdir .", fs.Rmdir(e.Ctx, here, "."), abi.EINVAL},
		{"rmdir ..", fs.Rmdir(e.Ctx, here, ".."), abi.ENOTEMPTY},
		{"rmdir /", fs.Rmdir(e.Ctx, here, "/"), abi.EBUSY},
		{"rmdir d/f", fs.Rmdir(e.Ctx, here, "d/f"), abi.ENOTDIR},
		{"rmdir new/", fs.Rmdir(e.Ctx, here, "new/"), 0},
		{"mknod dir", fs.Mknod(e.Ctx, here, "q", abi.S_IFDIR|0o755, 0), abi.EPERM},
		{"mknod lnk", fs.Mknod(e.Ctx, here, "q", abi.S_IFLNK|0o755, 0), abi.EINVAL},
		{"mknod q/", fs.Mknod(e.Ctx, here, "q/", abi.S_IFREG|0o755, 0), abi.ENOENT},
		{"symlink empty", fs.Symlink(e.Ctx, "", here, "q"), abi.ENOENT},
		{"symlink q/", fs.Symlink(e.Ctx, "x", here, "q/"), abi.ENOENT},
	} {
		e.Want(c.err, c.want, "%s", c.what)
	}
	_, err := fs.Stat(e.Ctx, here, "d/f/", 0)
	e.Want(err, abi.ENOTDIR, "stat d/f/")
	_, err = fs.Stat(e.Ctx, here, "d/f/.", 0)
	e.Want(err, abi.ENOTDIR, "stat d/f/.")
	_, err = fs.Stat(e.Ctx, here, long, 0)
	e.Want(err, abi.ENAMETOOLONG, "stat long")
}

func testLinks(e *Env) {
	e.Write("/a", "x")
	e.Must(fs.Link(e.Ctx, here, "a", here, "b", 0))
	a, b := e.Stat("a"), e.Stat("b")
	if a.Ino != b.Ino || a.Nlink != 2 {
		e.T.Fatal(a, b)
	}
	e.Want(fs.Link(e.Ctx, here, "a", here, "b", 0), abi.EEXIST, "link over")
	e.Want(fs.Link(e.Ctx, here, "no", here, "c", 0), abi.ENOENT, "link of nothing")
	e.Want(fs.Link(e.Ctx, here, "/", here, "c", 0), abi.EPERM, "link of directory")
	e.Write("/b", "longer")
	if e.Read("a") != "longer" {
		e.T.Fatal("links differ")
	}
	e.Want(fs.Rename(e.Ctx, here, "a", here, "b", 0), 0, "rename onto own link")
	if len(e.List("/")) != 2 {
		e.T.Fatal(e.List("/"))
	}
	e.Must(fs.Unlink(e.Ctx, here, "a"))
	if b := e.Stat("b"); b.Nlink != 1 {
		e.T.Fatal(b.Nlink)
	}
}

func testRename(e *Env) {
	mv := func(a, b string) error { return fs.Rename(e.Ctx, here, a, here, b, 0) }
	e.Write("/f", "f")
	e.Write("/g", "g")
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "d/e", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "full", 0o755))
	e.Write("/full/x", "x")
	e.Want(mv("no", "x"), abi.ENOENT, "rename nothing")
	e.Want(mv("f", "d"), abi.EISDIR, "file over directory")
	e.Want(mv("d", "f"), abi.ENOTDIR, "directory over file")
	e.Want(mv("d", "full"), abi.ENOTEMPTY, "over full directory")
	e.Want(mv("d", "d/e/x"), abi.EINVAL, "into itself")
	e.Want(mv("d/e", "d"), abi.ENOTEMPTY, "over own ancestor")
	e.Want(mv("f", "y/"), abi.ENOTDIR, "file to slash")
	e.Want(mv("f/", "y"), abi.ENOTDIR, "file with slash")
	e.Want(mv(".", "y"), abi.EBUSY, "dot")
	e.Want(fs.Rename(e.Ctx, here, "f", here, "g", abi.RENAME_NOREPLACE), abi.EEXIST, "noreplace")
	e.Want(fs.Rename(e.Ctx, here, "f", here, "g", 1<<10), abi.EINVAL, "bad flag")
	e.Must(mv("f", "g"))
	if e.Read("g") != "f" {
		e.T.Fatal("contents")
	}
	_, err := fs.Stat(e.Ctx, here, "f", 0)
	e.Want(err, abi.ENOENT, "old name")
	e.Must(mv("full", "d/moved"))
	if e.Read("d/moved/x") != "x" {
		e.T.Fatal("moved directory")
	}
	if got := e.List("/"); !reflect.DeepEqual(got, []string{"d", "g"}) {
		e.T.Fatal(got)
	}
}

func testRenameExchange(e *Env) {
	e.Write("/f", "f")
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
	e.Write("/d/x", "x")
	e.Want(fs.Rename(e.Ctx, here, "f", here, "no", abi.RENAME_EXCHANGE), abi.ENOENT, "exchange with nothing")
	if err := fs.Rename(e.Ctx, here, "f", here, "d", abi.RENAME_EXCHANGE); errors.Is(err, abi.EINVAL) {
		e.T.Skip("no RENAME_EXCHANGE")
	} else {
		e.Must(err)
	}
	if e.Read("/d") != "f" || e.Read("/f/x") != "x" {
		e.T.Fatal("exchange")
	}
}

func testAttrs(e *Env) {
	e.Write("/f", "f")
	e.Must(fs.Chmod(e.Ctx, here, "f", 0o4751, 0))
	if a := e.Stat("f"); a.Mode != abi.S_IFREG|0o4751 {
		e.T.Fatalf("%o", a.Mode)
	}
	e.Must(fs.Chown(e.Ctx, here, "f", 1000, 1001, 0))
	if a := e.Stat("f"); a.UID != 1000 || a.GID != 1001 || a.Mode != abi.S_IFREG|0o751 {
		e.T.Fatalf("%+v", a)
	}
	ts := [2]abi.Timespec{{Sec: 1000, Nsec: 5}, {Sec: 2000, Nsec: 6}}
	e.Must(fs.Utimens(e.Ctx, here, "f", &ts, 0))
	if a := e.Stat("f"); a.Atime != ts[0] || a.Mtime != ts[1] || a.Ctime.Sec < 1e6 {
		e.T.Fatalf("%+v", a)
	}
	ts = [2]abi.Timespec{{Nsec: abi.UTIME_OMIT}, {Sec: 3000}}
	e.Must(fs.Utimens(e.Ctx, here, "f", &ts, 0))
	if a := e.Stat("f"); a.Atime.Sec != 1000 || a.Mtime.Sec != 3000 {
		e.T.Fatalf("%+v", a)
	}
	u := e.As(2000, 2000)
	e.Want(fs.Chmod(u, here, "f", 0o777, 0), abi.EPERM, "chmod by other")
	e.Want(fs.Chown(u, here, "f", 2000, ^uint32(0), 0), abi.EPERM, "chown by other")
	e.Want(fs.Utimens(u, here, "f", nil, 0), abi.EACCES, "touch by other")
	e.Want(fs.Utimens(u, here, "f", &ts, 0), abi.EPERM, "utimes by other")
	o := e.As(1000, 1000, 7)
	e.Must(fs.Chown(o, here, "f", ^uint32(0), 7, 0))
	e.Want(fs.Chown(o, here, "f", ^uint32(0), 8, 0), abi.EPERM, "chgrp to foreign group")
	e.Must(fs.Chmod(o, here, "f", 0o2755, 0))
	if a := e.Stat("f"); a.Mode&0o7777 != 0o2755 || a.GID != 7 {
		e.T.Fatalf("%o %d", a.Mode, a.GID)
	}
	e.Must(fs.Symlink(e.Ctx, "f", here, "l"))
	e.Want(fs.Chmod(e.Ctx, here, "l", 0o777, abi.AT_SYMLINK_NOFOLLOW), abi.EOPNOTSUPP, "chmod of link")
}

func testDirs(e *Env) {
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o2755))
	e.Must(fs.Chmod(e.Ctx, here, "d", 0o2755, 0))
	e.Must(fs.Chown(e.Ctx, here, "d", 0, 50, 0))
	e.Must(fs.Mkdir(e.Ctx, here, "d/sub", 0o777))
	if a := e.Stat("d/sub"); a.GID != 50 || a.Mode != abi.S_IFDIR|0o2755 || a.Nlink < 1 {
		e.T.Fatalf("%o %d", a.Mode, a.GID)
	}
	var want []string
	for i := 0; i < 300; i++ {
		n := fmt.Sprintf("file%03d", i)
		e.Write("/d/sub/"+n, "")
		want = append(want, n)
	}
	if got := e.List("d/sub"); !reflect.DeepEqual(got, want) {
		e.T.Fatal(got)
	}
	for i := 0; i < 300; i += 2 {
		e.Must(fs.Unlink(e.Ctx, here, "d/sub/"+want[i]))
	}
	if got := e.List("d/sub"); len(got) != 150 {
		e.T.Fatal(len(got))
	}
	f, err := e.Open("d/sub", abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	for i := 1; i < 300; i += 2 {
		e.Must(fs.Unlink(e.Ctx, here, "d/sub/"+want[i]))
	}
	e.Must(fs.Rmdir(e.Ctx, here, "d/sub"))
	e.Want(f.ReadDir(e.Ctx, func(fs.Dirent) bool { return true }), abi.ENOENT, "readdir of removed")
	_, err = fs.Stat(e.Ctx, f.Path, "x", 0)
	e.Want(err, abi.ENOENT, "stat below removed")
	e.Want(fs.Mkdir(e.Ctx, f.Path, "x", 0o755), abi.ENOENT, "mkdir below removed")
}

func testDirSeek(e *Env) {
	for i := 0; i < 50; i++ {
		e.Write(fmt.Sprintf("/f%d", i), "")
	}
	f, err := e.Open("/", abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	type at struct {
		name string
		next int64
	}
	var all []at
	for {
		n := 0
		e.Must(f.ReadDir(e.Ctx, func(d fs.Dirent) bool {
			if n == 7 {
				return false
			}
			n++
			all = append(all, at{d.Name, d.Off})
			return true
		}))
		if n == 0 {
			break
		}
	}
	if len(all) != 52 || all[0].name != "." || all[1].name != ".." {
		e.T.Fatal(len(all), all[:2])
	}
	for i := 0; i < 51; i += 5 {
		if _, err := f.Seek(e.Ctx, all[i].next, abi.SEEK_SET); err != nil {
			e.T.Fatal(err)
		}
		var got string
		e.Must(f.ReadDir(e.Ctx, func(d fs.Dirent) bool { got = d.Name; return false }))
		if got != all[i+1].name {
			e.T.Fatalf("after %v came %q, want %v", all[i], got, all[i+1])
		}
	}
}

func testUnlinked(e *Env) {
	e.Write("/f", "data")
	f, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	e.Must(fs.Unlink(e.Ctx, here, "f"))
	p := make([]byte, 4)
	if n, err := f.Pread(e.Ctx, p, 0); n != 4 || err != nil || string(p) != "data" {
		e.T.Fatal(n, err)
	}
	_, err = f.Pwrite(e.Ctx, []byte("DATA"), 4)
	e.Must(err)
	a, err := f.Stat()
	e.Must(err)
	if a.Nlink != 0 || a.Size != 8 {
		e.T.Fatalf("%+v", a)
	}
	if s := fs.DPath(f.Path, e.Ctx.Root); s != "/f (deleted)" {
		e.T.Fatal(s)
	}
	e.Must(f.Chmod(e.Ctx, 0o600))
	e.Must(f.Truncate(e.Ctx, 2))
	f.DecRef()
}

func testTruncate(e *Env) {
	e.Write("/f", "0123456789")
	e.Must(fs.Truncate(e.Ctx, here, "f", 4))
	if e.Read("f") != "0123" {
		e.T.Fatal(e.Read("f"))
	}
	e.Must(fs.Truncate(e.Ctx, here, "f", 6))
	if e.Read("f") != "0123\x00\x00" {
		e.T.Fatal(e.Read("f"))
	}
	e.Must(fs.Truncate(e.Ctx, here, "f", 1<<20))
	if a := e.Stat("f"); a.Size != 1<<20 {
		e.T.Fatal(a.Size)
	}
	e.Must(fs.Truncate(e.Ctx, here, "f", 2))
	e.Must(fs.Truncate(e.Ctx, here, "f", 4))
	if e.Read("f") != "01\x00\x00" {
		e.T.Fatalf("%q", e.Read("f"))
	}
	e.Want(fs.Truncate(e.Ctx, here, "f", -1), abi.EINVAL, "negative")
	e.Want(fs.Truncate(e.Ctx, here, "/", 0), abi.EISDIR, "directory")
	x, err := fs.OpenExec(e.Ctx, here, "f", 0)
	e.Want(err, abi.EACCES, "exec of 0644")
	e.Must(fs.Chmod(e.Ctx, here, "f", 0o755, 0))
	x, err = fs.OpenExec(e.Ctx, here, "f", 0)
	e.Must(err)
	_, err = e.Open("f", abi.O_WRONLY, 0)
	e.Want(err, abi.ETXTBSY, "write to running")
	e.Want(fs.Truncate(e.Ctx, here, "f", 0), abi.ETXTBSY, "truncate running")
	x.DecRef()
	w, err := e.Open("f", abi.O_WRONLY, 0)
	e.Must(err)
	_, err = fs.OpenExec(e.Ctx, here, "f", 0)
	e.Want(err, abi.ETXTBSY, "run what is written")
	w.DecRef()
}

func testBig(e *Env) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	e.Write("/big", string(data))
	if e.Read("/big") != string(data) {
		e.T.Fatal("contents")
	}
	if a := e.Stat("/big"); a.Blocks*512 < uint64(a.Size) {
		e.T.Fatal(a.Blocks)
	}
	f, err := e.Open("/big", abi.O_RDWR, 0)
	e.Must(err)
	defer f.DecRef()
	if err := f.Fallocate(e.Ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, 4096, 8192); !errors.Is(err, abi.EOPNOTSUPP) {
		e.Must(err)
		p := make([]byte, 16)
		f.Pread(e.Ctx, p, 4096)
		if !bytes.Equal(p, make([]byte, 16)) {
			e.T.Fatal("hole has data")
		}
		n, err := f.Seek(e.Ctx, 0, abi.SEEK_HOLE)
		e.Must(err)
		if n != 4096 {
			e.T.Fatal("hole at", n)
		}
	}
	_, err = f.Seek(e.Ctx, 1<<40, abi.SEEK_DATA)
	e.Want(err, abi.ENXIO, "SEEK_DATA past end")
}
