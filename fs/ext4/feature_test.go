// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"syscall"
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

// TestLargeXattrs: values of up to 64 KiB have inodes of their own, which the
// host's ext4 shares between files, and reads when we made them.
func TestLargeXattrs(t *testing.T) {
	value := func(n int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("value %d ", n)), 9000)[:65536-n] }
	for _, k := range []kind{
		{"4k", []string{"-t", "ext4", "-O", "ea_inode"}},
		{"1k", []string{"-t", "ext4", "-b", "1024", "-I", "256", "-O", "ea_inode,orphan_file"}},
		{"blockmap", []string{"-t", "ext2", "-b", "1024", "-O", "ea_inode"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			d := onHost(t, mkfs(t, "48M", append(k.args, "-N", "800")...), func(dir string) {
				for n := range 20 {
					f := fmt.Sprintf("%s/host%d", dir, n)
					os.WriteFile(f, []byte("x"), 0o600)
					for v := range 3 {
						if err := syscall.Setxattr(f, fmt.Sprint("user.v", v), value(v), 0); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			place := func(n string) fs.Path {
				p, err := fs.Lookup(e.Ctx, fs.Path{}, n, 0)
				e.Must(err)
				return p
			}
			for n := range 20 {
				name := fmt.Sprint("/host", n)
				for v := range 3 {
					if got, err := fs.Getxattr(e.Ctx, place(name), fmt.Sprint("user.v", v)); err != nil || !bytes.Equal(got, value(v)) {
						t.Fatalf("%s: value %d of the host: %d bytes, %v", name, v, len(got), err)
					}
				}
				switch n % 4 {
				case 0:
					e.Must(fs.Unlink(e.Ctx, fs.Path{}, name))
				case 1:
					e.Must(fs.Setxattr(e.Ctx, place(name), "user.v1", []byte("small"), 0))
				case 2:
					e.Must(fs.Removexattr(e.Ctx, place(name), "user.v2"))
				}
			}
			for n := range 5 {
				name := fmt.Sprint("/ours", n)
				e.Write(name, "")
				e.Must(fs.Setxattr(e.Ctx, place(name), "user.v", value(n), 0))
				e.Must(fs.Setxattr(e.Ctx, place(name), "user.w", value(n+10), 0))
				e.Must(fs.Setxattr(e.Ctx, place(name), "user.w", value(n+20), 0))
			}
			closed(t, sb, d)
			fsck(t, onHost(t, d, func(dir string) {
				check := func(name, attr string, want []byte) {
					b := make([]byte, 1<<16)
					n, err := syscall.Getxattr(dir+name, attr, b)
					if err != nil || !bytes.Equal(b[:n], want) {
						t.Errorf("the host reads %d bytes of %s of %s: %v", n, attr, name, err)
					}
				}
				for n := range 5 {
					check(fmt.Sprint("/ours", n), "user.v", value(n))
					check(fmt.Sprint("/ours", n), "user.w", value(n+20))
				}
				check("/host3", "user.v2", value(2))
				check("/host5", "user.v1", []byte("small"))
				check("/host6", "user.v1", value(1))
				for n := range 20 {
					os.Remove(fmt.Sprintf("%s/host%d", dir, n))
					os.Remove(fmt.Sprintf("%s/ours%d", dir, n))
				}
			}))
		})
	}
}
