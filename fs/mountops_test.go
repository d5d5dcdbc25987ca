// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/tmpfs"
)

// one makes "one" a type whose mounts are all of one super block, as those of a disk.
func one(e *fstest.Env, v *fs.VFS) *fs.SuperBlock {
	sb, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	e.Must(err)
	v.RegisterFS(fs.FSType{Name: "one", Mount: func(*fs.VFS, *fs.Context, string, uint32, string) (*fs.SuperBlock, error) {
		sb.Grab()
		return sb, nil
	}})
	return sb
}

// TestMountTwiceOnItself: the same super block does not go on top of itself, but may
// be mounted elsewhere, and bound there.
func TestMountTwiceOnItself(t *testing.T) {
	e := fstest.New(t, mk)
	v := e.Ctx.VFS()
	sb := one(e, v)
	mount := func(dst string) error { return fs.DoMount(e.Ctx, "d", dst, "one", 0, "") }
	e.Must(fs.Mkdir(e.Ctx, here, "a", 0o755))
	e.Must(fs.Mkdir(e.Ctx, here, "b", 0o755))
	e.Must(mount("/a"))
	e.Want(mount("/a"), abi.EBUSY, "once more")
	e.Must(fs.Mkdir(e.Ctx, here, "a/dir", 0o755))
	e.Must(mount("/a/dir"))
	e.Must(mount("/b"))
	e.Must(fs.DoMount(e.Ctx, "/b", "/b", "", abi.MS_BIND, ""))
	for _, dir := range []string{"/b", "/b", "/a/dir", "/a"} {
		e.Must(fs.Umount(e.Ctx, dir, 0))
	}
	if sb.Grab() {
		t.Error("the super block lives on: the refused mount is still its user")
	}
}

// TestUmountOwnRoot: who unmounts his own root makes it read-only.
func TestUmountOwnRoot(t *testing.T) {
	e := fstest.New(t, mk)
	f, err := e.Open("/f", abi.O_CREAT|abi.O_WRONLY, 0o644)
	e.Must(err)
	e.Want(fs.Umount(e.Ctx, "/", 0), abi.EBUSY, "open for writing")
	f.DecRef()
	e.Must(fs.Umount(e.Ctx, "/", 0))
	e.Want(fs.Mkdir(e.Ctx, here, "d", 0o755), abi.EROFS, "a directory")
	e.Must(fs.Umount(e.Ctx, "/", 0))
	e.Must(fs.DoMount(e.Ctx, "", "/", "", abi.MS_REMOUNT, ""))
	e.Must(fs.Mkdir(e.Ctx, here, "d", 0o755))
}

// TestAccessTimeFlags: mount(8) remounts with the old options and the new ones.
func TestAccessTimeFlags(t *testing.T) {
	e := fstest.New(t, mk)
	e.Must(fs.Mkdir(e.Ctx, here, "a", 0o755))
	e.Must(fs.DoMount(e.Ctx, "x", "/a", "tmpfs", 0, ""))
	for _, c := range []struct {
		flags uint32
		want  string
	}{
		{abi.MS_NOATIME | abi.MS_RELATIME, "rw,noatime"}, {0, "rw,noatime"}, {abi.MS_RELATIME, "rw,relatime"},
		{abi.MS_NODIRATIME, "rw,nodiratime,relatime"}, {abi.MS_STRICTATIME | abi.MS_NOATIME | abi.MS_RELATIME, "rw"},
	} {
		e.Must(fs.DoMount(e.Ctx, "", "/a", "", abi.MS_REMOUNT|c.flags, ""))
		if m := e.NS.Mounts(e.Ctx.Root); !strings.Contains(m, " /a tmpfs "+c.want+" 0 0") {
			t.Errorf("%#x: want %s in\n%s", c.flags, c.want, m)
		}
	}
}
