// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
)

// TestDifferAttrs: ACLs and extended attributes behave as those of the host's
// ext4, for root and for others.
func TestDifferAttrs(t *testing.T) {
	for k, kind := range kinds() {
		switch kind.name {
		case "ext2", "ext3", "ext4", "ext4-1k", "inline", "ea_inode":
		default:
			continue
		}
		for seed := range int64(3) {
			t.Run(fmt.Sprint(kind.name, seed), func(t *testing.T) {
				bs := map[bool]int{true: 1024, false: 4096}[slices.Contains(kind.args, "1024")]
				x := []fstest.Extras{{Attrs: true}, {Attrs: true, Ioctls: true, Seeks: true}, {Ioctls: true, Falloc: bs}}[seed%3]
				x.Keeps = kind.name == "inline"
				d := mkfs(t, "32M", append(kind.args, "-E", "root_owner=0:0")...)
				theirs := onHost(t, &disk{data: bytes.Clone(d.data)}, func(dir string) {
					os.Remove(dir + "/lost+found")
					fstest.DifferAttrs(t, dir, int64(k)*100+seed, 2000, x, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
						return emptied(t, d)
					})
				})
				fsck(t, theirs)
			})
		}
	}
}

// emptied mounts an image without its lost+found, to be checked at the end.
func emptied(t *testing.T, d *disk) (*fs.VFS, *fs.SuperBlock) {
	v, sb := mount(t, d, ext4.Options{})
	root := v.NewMountNS(sb, "x", 0).RootPath()
	if err := fs.Rmdir(&fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, MayWait: true}, fs.Path{}, "lost+found"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, sb, d) })
	return v, sb
}
