// SPDX-License-Identifier: Apache-2.0

package devtmpfs

import (
	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// What devtmpfs and then udev give a disk's node.
const (
	blockMode = 0o660
	diskGroup = 6 // "disk" in Debian's and its relatives' /etc/group
)

// FollowBlocks gives block devices their nodes below root, as long as they are there.
// A node that somebody removed or replaced is left alone.
func FollowBlocks(t *bdev.Table, root fs.Path) (cancel func()) {
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	return t.Observe(func(e bdev.Event) {
		name := e.Device.Name()
		switch e.Kind {
		case bdev.Added:
			if fs.Mknod(ctx, root, name, abi.S_IFBLK|blockMode, e.Device.Dev()) == nil {
				_ = fs.Chown(ctx, root, name, 0, diskGroup, 0) // root's own node serves too
			}
		case bdev.Removed:
			p, err := fs.LookupAt(ctx, root, name, abi.AT_SYMLINK_NOFOLLOW)
			if err != nil {
				return
			}
			if a, err := p.Dentry.Inode().Getattr(); err == nil && a.Type() == abi.S_IFBLK && a.Rdev == e.Device.Dev() {
				_ = fs.Unlink(ctx, root, name) // gone already, if not by us
			}
		}
	})
}
