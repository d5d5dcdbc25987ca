// SPDX-License-Identifier: Apache-2.0

// Package devtmpfs makes /dev and has the memory devices: Linux's
// drivers/base/devtmpfs.c and drivers/char/mem.c.
//
// The tree is a tmpfs with nodes in it. A device is a row of fs.CharDevice:
// numbers, name, mode, open function; New registers it and makes its node. A row
// whose open function comes later (tty) is registered again by its driver with
// the same numbers. Nodes of block devices come and go with these (FollowBlocks).
//
// Locks: none of its own.
package devtmpfs

import (
	"path"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/tmpfs"
)

// links are the symbolic links that programs expect.
var links = [...][2]string{
	{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
	{"core", "/proc/kcore"},
}

// New makes a file system with a node for each row of devices (see
// MemDevices) that has a name, the links fd, stdin, stdout, stderr, and the
// directories pts and shm.
func New(v *fs.VFS, devices []fs.CharDevice) (*fs.SuperBlock, error) {
	sb, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755, Type: "devtmpfs"})
	if err != nil {
		return nil, err
	}
	root := fs.Path{Mnt: v.NewDetachedMount(sb, 0), Dentry: sb.Root}
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	for _, d := range [...]struct {
		name string
		mode uint32
	}{{"pts", 0o755}, {"shm", 0o1777}} {
		if err := fs.Mkdir(ctx, root, d.name, d.mode); err != nil {
			return nil, err
		}
	}
	for _, l := range links {
		if err := fs.Symlink(ctx, l[1], root, l[0]); err != nil {
			return nil, err
		}
	}
	for _, d := range devices {
		if err := AddDevice(v, ctx, root, d); err != nil {
			return nil, err
		}
	}
	return sb, nil
}

// Type is the row for fs.RegisterFS: every mount shows dev. The options of a tmpfs are
// accepted and change nothing (devtmpfs_get_tree gives what is there).
func Type(dev *fs.SuperBlock) fs.FSType {
	one := fs.Single(func(*fs.VFS) (*fs.SuperBlock, error) { return dev, nil })
	return fs.FSType{Name: "devtmpfs", NoDev: true, Mount: func(v *fs.VFS, ctx *fs.Context, source string, flags uint32, data string) (*fs.SuperBlock, error) {
		if _, err := tmpfs.ParseOptions(data); err != nil {
			return nil, err
		}
		return one(v, ctx, source, flags, data)
	}}
}

// AddDevice registers d and makes its node below root.
func AddDevice(v *fs.VFS, ctx *fs.Context, root fs.Path, d fs.CharDevice) error {
	if d.Open != nil {
		v.RegisterCharDevice(d)
	}
	if d.Name == "" {
		return nil
	}
	if dir := path.Dir(d.Name); dir != "." {
		if err := fs.Mkdir(ctx, root, dir, 0o755); err != nil && err != abi.EEXIST {
			return err
		}
	}
	return fs.Mknod(ctx, root, d.Name, abi.S_IFCHR|d.Mode, abi.Makedev(d.Major, d.Minor))
}
