// SPDX-License-Identifier: Apache-2.0

// Package fstest is the test suite that every writable file system of Lodger
// must pass: it corresponds to a small xfstests. A file system's test calls Run
// with a function that makes a fresh instance.
package fstest

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"testing"

	"lodger/abi"
	"lodger/fs"
)

// Maker makes a fresh, empty file system.
type Maker func(t *testing.T) (*fs.VFS, *fs.SuperBlock)

// Env is one mounted file system and who looks at it.
type Env struct {
	T   *testing.T
	V   *fs.VFS
	NS  *fs.MountNS
	Ctx *fs.Context
}

// New mounts a fresh file system as root.
func New(t *testing.T, mk Maker) *Env {
	t.Helper()
	v, sb := mk(t)
	ns := v.NewMountNS(sb, "test", 0)
	root := ns.RootPath()
	return &Env{t, v, ns, &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, Umask: 0o022, MayWait: true}}
}

// As gives a context of an ordinary user.
func (e *Env) As(uid, gid uint32, groups ...uint32) *fs.Context {
	c := *e.Ctx
	c.Creds = &fs.Creds{UID: uid, EUID: uid, SUID: uid, FSUID: uid, GID: gid, EGID: gid, SGID: gid, FSGID: gid, Groups: groups}
	return &c
}

// Open opens with openat's flags and mode.
func (e *Env) Open(name string, flags int, mode uint32) (*fs.File, error) {
	return fs.Open(e.Ctx, fs.Path{}, name, abi.OpenHow{Flags: uint64(flags), Mode: uint64(mode)})
}

// Must fails the test on an error.
func (e *Env) Must(err error) {
	e.T.Helper()
	if err != nil {
		e.T.Fatalf("unexpected error: %v", err)
	}
}

// Want fails the test unless err is want (nil: success).
func (e *Env) Want(err error, want abi.Errno, what string, args ...any) {
	e.T.Helper()
	if want == 0 && err == nil || err != nil && errors.Is(err, want) && want != 0 {
		return
	}
	e.T.Errorf("%s: got %v, want %v", fmt.Sprintf(what, args...), err, want)
}

// Write makes a file with contents.
func (e *Env) Write(name, data string) {
	e.T.Helper()
	f, err := e.Open(name, abi.O_CREAT|abi.O_WRONLY|abi.O_TRUNC, 0o644)
	e.Must(err)
	defer f.DecRef()
	n, err := f.Write(e.Ctx, []byte(data))
	e.Must(err)
	if n != len(data) {
		e.T.Fatalf("short write %d", n)
	}
}

// Read gives a file's contents.
func (e *Env) Read(name string) string {
	e.T.Helper()
	f, err := e.Open(name, abi.O_RDONLY, 0)
	e.Must(err)
	defer f.DecRef()
	var b bytes.Buffer
	p := make([]byte, 1000)
	for {
		n, err := f.Read(e.Ctx, p)
		e.Must(err)
		if n == 0 {
			return b.String()
		}
		b.Write(p[:n])
	}
}

// List gives a directory's names, sorted, without dots.
func (e *Env) List(name string) []string {
	e.T.Helper()
	f, err := e.Open(name, abi.O_RDONLY|abi.O_DIRECTORY, 0)
	e.Must(err)
	defer f.DecRef()
	l := []string{}
	e.Must(f.ReadDir(e.Ctx, func(d fs.Dirent) bool {
		if d.Name != "." && d.Name != ".." {
			l = append(l, d.Name)
		}
		return true
	}))
	sort.Strings(l)
	return l
}

// Stat gives attributes, links not followed.
func (e *Env) Stat(name string) fs.Attr {
	e.T.Helper()
	a, err := fs.Stat(e.Ctx, fs.Path{}, name, abi.AT_SYMLINK_NOFOLLOW)
	e.Must(err)
	return a
}

// Run runs the whole suite.
func Run(t *testing.T, mk Maker) {
	for _, c := range []struct {
		name string
		fn   func(*Env)
	}{
		{"ReadWrite", testReadWrite}, {"Names", testNames}, {"Links", testLinks}, {"Rename", testRename},
		{"RenameExchange", testRenameExchange}, {"Attrs", testAttrs}, {"Dirs", testDirs}, {"DirSeek", testDirSeek},
		{"Unlinked", testUnlinked}, {"Truncate", testTruncate}, {"Big", testBig}, {"OpenErrors", testOpenErrors},
		{"Symlinks", testSymlinks}, {"Permissions", testPermissions}, {"Tmpfile", testTmpfile}, {"FIFO", testFIFO},
		{"Map", testMap}, {"Append", testAppend}, {"RenameDir", testRenameDir},
	} {
		t.Run(c.name, func(t *testing.T) { c.fn(New(t, mk)) })
	}
}
