// SPDX-License-Identifier: Apache-2.0

package devtmpfs

import (
	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// Group disk, which owns block devices on every distribution.
const (
	diskMode = 0o660
	diskGID  = 6
)

// FollowBlock makes a node below the file system's root for each block device of t,
// and removes it with the device.
func FollowBlock(sb *fs.SuperBlock, t *bdev.Table) {
	root := fs.Path{Mnt: sb.VFS.NewDetachedMount(sb, 0), Dentry: sb.Root}
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	t.Observe(func(e bdev.Event) {
		name := e.Device.Name()
		switch e.Kind {
		case bdev.Added:
			if fs.Mknod(ctx, root, name, abi.S_IFBLK|diskMode, e.Device.Dev()) == nil {
				_ = fs.Chown(ctx, root, name, 0, diskGID, 0)
			}
		case bdev.Removed:
			// Only what devtmpfs made; a guest's own file of that name stays.
			if a, err := fs.Stat(ctx, root, name, abi.AT_SYMLINK_NOFOLLOW); err == nil && a.Rdev == e.Device.Dev() {
				_ = fs.Unlink(ctx, root, name)
			}
		}
	})
}
