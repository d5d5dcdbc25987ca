// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/blocktest"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
)

// describe lists a tree; contents says whether files' own are of interest.
func describe(e *fstest.Env, dir string, contents bool) string {
	var b strings.Builder
	for _, name := range e.List(dir) {
		p := strings.TrimSuffix(dir, "/") + "/" + name
		a := e.Stat(p)
		fmt.Fprintf(&b, "%s %#o", p, a.Mode&abi.S_IFMT)
		if contents {
			fmt.Fprintf(&b, " %#o %d", a.Mode, a.Nlink)
			if a.Mode&abi.S_IFMT == abi.S_IFREG {
				fmt.Fprintf(&b, " %q", e.Read(p))
				l, err := fs.Listxattr(e.Ctx, placeOf(e, p))
				e.Must(err)
				fmt.Fprintf(&b, " %q", l)
			}
		}
		b.WriteString("\n")
		if a.Mode&abi.S_IFMT == abi.S_IFDIR && name != "lost+found" {
			b.WriteString(describe(e, p, contents))
		}
	}
	return b.String()
}

func placeOf(e *fstest.Env, name string) fs.Path {
	p, err := fs.LookupAt(e.Ctx, fs.Path{}, name, 0)
	e.Must(err)
	return p
}

// recorded mounts a disk whose writes are kept, so that the power can be cut later.
func recorded(t *testing.T, d block.Device) (*blocktest.Recorder, *fs.SuperBlock, *fstest.Env) {
	t.Helper()
	rec, err := blocktest.NewRecorder(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := fs.New(0)
	sb, err := ext4.New(v, rec, ext4.Options{Timer: &stepTimer{}})
	if err != nil {
		t.Fatal(err)
	}
	return rec, sb, env(t, v, sb)
}

// TestSyncMount: on a mount with sync nothing is lost by a power cut right after a call
// has returned, with dirsync no name is; nor with the attributes S and D.
func TestSyncMount(t *testing.T) {
	for _, how := range []struct {
		name  string
		flags uint32 // of the mount
		attr  uint32 // of the directory
		all   bool
	}{{"sync", abi.MS_SYNCHRONOUS, 0, true}, {"dirsync", abi.MS_DIRSYNC, 0, false}, {"attribute S", 0, abi.FS_SYNC_FL, false}, {"attribute D", 0, abi.FS_DIRSYNC_FL, false}} {
		for _, k := range []kind{{"ext4", []string{"-t", "ext4"}}, {"ext2", []string{"-t", "ext2"}}} {
			t.Run(how.name+" "+k.name, func(t *testing.T) {
				rec, sb, e := recorded(t, blocktest.NewMem(mkfs(t, "8M", k.args...).data))
				sb.SetFlags(how.flags)
				e.Must(fs.Mkdir(e.Ctx, fs.Path{}, "/d", 0o755))
				if how.attr != 0 {
					ops := placeOf(e, "/d").Dentry.Inode().(fs.FileAttrer)
					old, err := ops.FileAttr()
					e.Must(err)
					old.Flags |= how.attr
					e.Must(ops.SetFileAttr(e.Ctx, old))
				}
				e.Must(sb.Ops.(*ext4.FS).Sync())
				rng := rand.New(rand.NewPCG(1, 2))
				check := func(what string) {
					want := describe(e, "/", how.all)
					for range 4 {
						v := fs.New(0)
						sb, err := ext4.New(v, &disk{data: rec.Crash(rec.Log().Len(), rng)}, ext4.Options{})
						if err != nil {
							t.Fatal(err)
						}
						if got := describe(env(t, v, sb), "/", how.all); got != want {
							t.Errorf("after %s a power cut left\n%snot\n%s", what, got, want)
						}
						sb.Ops.(*ext4.FS).Close()
					}
				}
				must := func(what string, err error) {
					t.Helper()
					if err != nil {
						t.Fatal(what, err)
					}
					check(what)
				}
				at := fs.Path{}
				f, err := e.Open("/d/file", abi.O_CREAT|abi.O_RDWR, 0o644)
				must("open", err)
				defer f.DecRef()
				write := func(s string) error { _, err := f.Write(e.Ctx, []byte(s)); return err }
				must("write", write("contents"))
				must("another write", write(strings.Repeat(" and more", 1000)))
				must("mkdir", fs.Mkdir(e.Ctx, at, "/d/sub", 0o700))
				must("link", fs.Link(e.Ctx, at, "/d/file", at, "/d/link", 0))
				must("symlink", fs.Symlink(e.Ctx, "target", at, "/d/symlink"))
				must("rename", fs.Rename(e.Ctx, at, "/d/symlink", at, "/d/sub/symlink", 0))
				must("mknod", fs.Mknod(e.Ctx, at, "/d/fifo", abi.S_IFIFO|0o644, 0))
				must("chmod", fs.Chmod(e.Ctx, at, "/d/file", 0o600, 0))
				must("setxattr", fs.Setxattr(e.Ctx, placeOf(e, "/d/file"), "user.name", []byte("value"), 0))
				must("truncate", fs.Truncate(e.Ctx, at, "/d/file", 5))
				must("rename over", fs.Rename(e.Ctx, at, "/d/fifo", at, "/d/link", 0))
				must("unlink", fs.Unlink(e.Ctx, at, "/d/link"))
				must("unlink below", fs.Unlink(e.Ctx, at, "/d/sub/symlink"))
				must("rmdir", fs.Rmdir(e.Ctx, at, "/d/sub"))
			})
		}
	}
}

// TestFsyncWithinATick: names that changed within one tick of the clock leave the
// directory's inode as it is; its fsync took it for unchanged, and a kill brought back
// what was removed. So with attributes in a block of their own.
func TestFsyncWithinATick(t *testing.T) {
	rec, _, e := recorded(t, blocktest.NewMem(mkfs(t, "8M", "-t", "ext4", "-I", "128").data))
	e.Ctx.Now = func() abi.Timespec { return abi.Timespec{Sec: 1700000000} }
	fsync := func(name string) {
		f, err := e.Open(name, abi.O_RDONLY, 0)
		e.Must(err)
		defer f.DecRef()
		e.Must(f.Fsync(e.Ctx, false))
	}
	after := func() *fstest.Env {
		v := fs.New(0)
		sb, err := ext4.New(v, &disk{data: rec.Crash(rec.Log().Len(), rand.New(rand.NewPCG(1, 2)))}, ext4.Options{})
		e.Must(err)
		t.Cleanup(func() { sb.Ops.(*ext4.FS).Close() })
		return env(t, v, sb)
	}
	e.Must(fs.Mkdir(e.Ctx, fs.Path{}, "/d", 0o755))
	e.Write("/d/a", "contents")
	e.Write("/d/b", "contents")
	fsync("/d")
	e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/d/a"))
	fsync("/d")
	if l := after().List("/d"); len(l) != 1 || l[0] != "b" {
		t.Errorf("the directory has %q after an unlink and an fsync", l)
	}
	e.Must(fs.Rename(e.Ctx, fs.Path{}, "/d/b", fs.Path{}, "/d/c", 0))
	fsync("/d")
	if l := after().List("/d"); len(l) != 1 || l[0] != "c" {
		t.Errorf("the directory has %q after a rename and an fsync", l)
	}
	for _, value := range []string{"one", "two"} {
		e.Must(fs.Setxattr(e.Ctx, placeOf(e, "/d/c"), "user.name", []byte(value), 0))
		fsync("/d/c")
		o := after()
		if got, err := fs.Getxattr(o.Ctx, placeOf(o, "/d/c"), "user.name"); err != nil || string(got) != value {
			t.Errorf("the attribute is %q, %v after an fsync; want %q", got, err, value)
		}
	}
}
