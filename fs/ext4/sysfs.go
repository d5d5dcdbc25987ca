// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/fs/sysfs"

// Sysfs shows below fs/ext4/features what this ext4 can do, where tools look before they
// make use of it: fs/ext4/sysfs.c. resize2fs(8) goes beyond the descriptor blocks that
// mkfs reserved only where meta_bg_resize is there, tune2fs(8) sets metadata_csum_seed of
// a mounted file system.
//
// lazy_itable_init is not there, since nobody zeroes inode tables in the background:
// mkfs(8) does it itself then.
func Sysfs(t *sysfs.Tree) {
	dir := t.Dir("fs/ext4/features")
	for _, name := range []string{"batched_discard", "meta_bg_resize", "metadata_csum_seed"} {
		dir.Text(name, func() string { return "supported\n" })
	}
}
