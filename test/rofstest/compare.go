// SPDX-License-Identifier: Apache-2.0

package rofstest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
)

// Facts tells what is known of a tree, a line for each thing: name, attributes,
// extended attributes, and a sum of what is in it.
type Facts struct {
	Lines []string
	// Loose is for comparing with the tree that an image was made of: it leaves out what
	// ISO 9660 does not keep (nanoseconds, attributes, sockets) and what the image's maker
	// chooses (inode numbers, links and sizes of directories).
	Loose bool
}

func (f *Facts) add(name string, a *fs.Attr, xattrs []string, content string) {
	mode := a.Mode & abi.S_IFMT
	if f.Loose {
		xattrs = nil
		b := *a
		if a = &b; a.IsDir() {
			a.Nlink = 0
		}
		a.Mtime.Nsec = 0
	}
	line := fmt.Sprintf("%s mode %o owner %d:%d nlink %d rdev %#x mtime %d.%09d ", name, a.Mode, a.UID, a.GID, a.Nlink, a.Rdev,
		a.Mtime.Sec, a.Mtime.Nsec)
	if !f.Loose {
		line += fmt.Sprintf("ino %d blocks %d blksize %d atime %d.%09d ctime %d.%09d ", a.Ino, a.Blocks, a.Blksize, a.Atime.Sec,
			a.Atime.Nsec, a.Ctime.Sec, a.Ctime.Nsec)
	}
	if !f.Loose || mode == abi.S_IFREG {
		line += fmt.Sprintf("size %d ", a.Size)
	}
	slices.Sort(xattrs)
	f.Lines = append(f.Lines, line+strings.Join(xattrs, " ")+" "+content)
}

func sum(b []byte) string {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%d bytes, sum %x", len(b), h)
}

// Host tells of a directory of the host.
func (f *Facts) Host(t *testing.T, dir string) {
	t.Helper()
	f.host(t, dir, "/")
	slices.Sort(f.Lines)
}

func (f *Facts) host(t *testing.T, dir, name string) {
	at := filepath.Join(dir, name)
	var st syscall.Stat_t
	if err := syscall.Lstat(at, &st); err != nil {
		t.Fatal(err)
	}
	ts := func(s syscall.Timespec) abi.Timespec { return abi.Timespec{Sec: s.Sec, Nsec: s.Nsec} }
	a := &fs.Attr{Ino: st.Ino, Mode: st.Mode, Nlink: uint32(st.Nlink), UID: st.Uid, GID: st.Gid, Rdev: st.Rdev, Size: st.Size,
		Blocks: uint64(st.Blocks), Blksize: uint32(st.Blksize), Atime: ts(st.Atim), Mtime: ts(st.Mtim), Ctime: ts(st.Ctim)}
	var content string
	var xattrs []string
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		names, err := os.ReadDir(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			f.host(t, dir, filepath.Join(name, n.Name()))
		}
	case syscall.S_IFREG:
		b, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		content = sum(b)
	case syscall.S_IFLNK:
		content, _ = os.Readlink(at)
	}
	if m := st.Mode & syscall.S_IFMT; m == syscall.S_IFREG || m == syscall.S_IFDIR {
		buf := make([]byte, 64<<10)
		n, _ := syscall.Listxattr(at, buf)
		for x := range strings.SplitSeq(string(buf[:max(n, 0)]), "\x00") {
			if x != "" && !strings.HasPrefix(x, "system.") {
				v := make([]byte, 64<<10)
				n, err := syscall.Getxattr(at, x, v)
				xattrs = append(xattrs, fmt.Sprintf("%s=%q %v", x, v[:max(n, 0)], err))
			}
		}
	}
	f.add(name, a, xattrs, content)
}

// Guest tells of a mounted file system.
func (f *Facts) Guest(e *fstest.Env) {
	e.T.Helper()
	f.guest(e, "/")
	slices.Sort(f.Lines)
}

func (f *Facts) guest(e *fstest.Env, name string) {
	p, err := fs.Lookup(e.Ctx, fs.Path{}, name, 0)
	if err != nil {
		e.T.Fatalf("%s: %v", name, err)
	}
	a, err := p.Dentry.Inode().Getattr()
	if err != nil {
		e.T.Fatalf("%s: %v", name, err)
	}
	var content string
	var xattrs []string
	switch a.Type() {
	case abi.S_IFDIR:
		for _, n := range List(e, name) {
			f.guest(e, filepath.Join(name, n.Name))
		}
	case abi.S_IFREG:
		content = sum(Read(e, name, a.Size))
	case abi.S_IFLNK:
		if content, err = fs.Readlink(e.Ctx, p, ""); err != nil {
			e.T.Errorf("%s: %v", name, err)
		}
	}
	if m := a.Type(); m == abi.S_IFREG || m == abi.S_IFDIR {
		l, err := fs.Listxattr(e.Ctx, p)
		if err != nil && err != abi.EOPNOTSUPP {
			e.T.Errorf("%s: %v", name, err)
		}
		for _, x := range l {
			v, err := fs.Getxattr(e.Ctx, p, x)
			xattrs = append(xattrs, fmt.Sprintf("%s=%q %v", x, v, err))
		}
	}
	f.add(name, &a, xattrs, content)
}

// List lists a directory, a few entries at a time.
func List(e *fstest.Env, name string) (l []fs.Dirent) {
	d, err := e.Open(name, abi.O_RDONLY|abi.O_DIRECTORY, 0)
	if err != nil {
		e.T.Fatalf("%s: %v", name, err)
	}
	defer d.DecRef()
	for last := -1; last != len(l); {
		last = len(l)
		n := 0
		if err := d.ReadDir(e.Ctx, func(x fs.Dirent) bool {
			if n++; n > 7 {
				return false
			}
			l = append(l, x)
			return true
		}); err != nil {
			e.T.Fatalf("%s: %v", name, err)
		}
	}
	return slices.DeleteFunc(l, func(x fs.Dirent) bool { return x.Name == "." || x.Name == ".." })
}

// Read reads a file in pieces of odd sizes.
func Read(e *fstest.Env, name string, size int64) []byte {
	f, err := e.Open(name, abi.O_RDONLY, 0)
	if err != nil {
		e.T.Fatalf("%s: %v", name, err)
	}
	defer f.DecRef()
	var b bytes.Buffer
	p := make([]byte, 77777)
	for {
		n, err := f.Pread(e.Ctx, p, int64(b.Len()))
		if err != nil {
			e.T.Errorf("%s: read at %d of %d: %v", name, b.Len(), size, err)
			break
		}
		if n == 0 {
			break
		}
		b.Write(p[:n])
	}
	return b.Bytes()
}

// Diff reports the lines that differ.
func Diff(t *testing.T, host, guest *Facts) {
	t.Helper()
	bad := 0
	in := func(l []string, s string) bool { _, ok := slices.BinarySearch(l, s); return ok }
	for _, l := range host.Lines {
		if !in(guest.Lines, l) && bad < 6 {
			bad++
			t.Errorf("host:  %.400s", l)
		}
	}
	for _, l := range guest.Lines {
		if !in(host.Lines, l) && bad < 12 {
			bad++
			t.Errorf("guest: %.400s", l)
		}
	}
	if len(host.Lines) < 2 {
		t.Error("nothing compared")
	}
}

// Statfs compares what statfs(2) says.
func Statfs(t *testing.T, dir string, e *fstest.Env) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	g, err := fs.Statfs(e.Ctx, e.NS.RootPath())
	e.Must(err)
	host := fmt.Sprintf("type %#x bsize %d blocks %d bfree %d bavail %d files %d ffree %d namelen %d frsize %d", st.Type, st.Bsize,
		st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree, st.Namelen, st.Frsize)
	guest := fmt.Sprintf("type %#x bsize %d blocks %d bfree %d bavail %d files %d ffree %d namelen %d frsize %d", g.Type, g.Bsize,
		g.Blocks, g.Bfree, g.Bavail, g.Files, g.Ffree, g.Namelen, g.Frsize)
	if host != guest {
		t.Errorf("statfs:\nhost  %s\nguest %s", host, guest)
	}
}
