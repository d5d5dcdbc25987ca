// SPDX-License-Identifier: Apache-2.0

package rofstest

import (
	"bytes"
	"syscall"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
)

// Mapping maps pieces of a file, and compares them with what reads give. Nobody may be
// able to write through what is mapped.
func Mapping(e *fstest.Env, name string) {
	e.T.Helper()
	f, err := e.Open(name, abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	a, err := f.Stat()
	e.Must(err)
	want := Read(e, name, a.Size)
	pages := (a.Size + 4095) &^ 4095
	for _, r := range [][2]int64{{0, 1}, {0, 4096}, {4096, 100_000}, {pages - 4096, 4096}, {0, pages}, {0, pages + 1<<20}} {
		fd, off, err := f.MapFD(r[0], r[1], false, true, false)
		if err != nil {
			e.T.Fatalf("%s: mapping %v: %v", name, r, err)
		}
		n := min(r[1], int64(len(want))-r[0])
		got := make([]byte, n)
		if m, err := syscall.Pread(fd, got, off); err != nil || int64(m) != n || !bytes.Equal(got, want[r[0]:][:n]) {
			e.T.Errorf("%s: the mapping of %v shows something else (%d bytes, %v)", name, r, m, err)
		}
		if _, err := syscall.Pwrite(fd, []byte("x"), off); err == nil {
			e.T.Errorf("%s: the mapping of %v can be written", name, r)
		}
	}
	if _, _, err := f.MapFD(0, 4096, true, true, false); err != abi.EACCES {
		e.T.Errorf("%s: a writable mapping gives %v", name, err)
	}
}

// ReadOnly checks that nothing makes a mount writable.
func ReadOnly(e *fstest.Env) {
	e.T.Helper()
	_, err := e.Open("/new", abi.O_CREAT|abi.O_WRONLY, 0o644)
	e.Want(err, abi.EROFS, "create")
	e.Must(fs.DoMount(e.Ctx, "", "/", "", abi.MS_REMOUNT, "")) // accepted, to no effect
	e.Want(fs.Mkdir(e.Ctx, fs.Path{}, "/new", 0o755), abi.EROFS, "mkdir after remount,rw")
}
