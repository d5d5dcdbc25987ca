// SPDX-License-Identifier: Apache-2.0

package devtmpfs_test

import (
	"crypto/rand"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/devtmpfs"
	"lodger/fs/fstest"
)

func TestMem(t *testing.T) {
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		v := fs.New(0)
		sb, err := devtmpfs.New(v, devtmpfs.MemDevices(func(p []byte) error { _, err := rand.Read(p); return err }))
		if err != nil {
			t.Fatal(err)
		}
		return v, sb
	})
	rw := func(name string, wantR, wantW int, wantErr abi.Errno) {
		t.Helper()
		f, err := e.Open(name, abi.O_RDWR|abi.O_TRUNC|abi.O_CREAT|abi.O_APPEND, 0o644)
		e.Must(err)
		defer f.DecRef()
		p := make([]byte, 10)
		n, err := f.Read(e.Ctx, p)
		e.Must(err)
		if n != wantR {
			t.Errorf("%s: read %d", name, n)
		}
		n, err = f.Write(e.Ctx, p)
		e.Want(err, wantErr, "%s: write", name)
		if n != wantW {
			t.Errorf("%s: wrote %d", name, n)
		}
	}
	rw("null", 0, 10, 0)
	rw("zero", 10, 10, 0)
	rw("full", 10, 0, abi.ENOSPC)
	rw("urandom", 10, 10, 0)
	e.Must(fs.Mknod(e.Ctx, fs.Path{}, "none", abi.S_IFCHR|0o666, abi.Makedev(99, 9)))
	_, err := e.Open("none", abi.O_RDWR, 0)
	e.Want(err, abi.ENXIO, "unknown device")
	if a := e.Stat("null"); a.Rdev != abi.Makedev(1, 3) || a.Mode != abi.S_IFCHR|0o666 {
		t.Fatal(a)
	}
	if s, err := fs.Readlink(e.Ctx, fs.Path{}, "fd"); s != "/proc/self/fd" {
		t.Fatal(s, err)
	}
	l := e.List("/")
	if len(l) != 13 {
		t.Fatal(l)
	}
}
