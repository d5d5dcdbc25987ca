// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"strings"
	"testing"

	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
)

// maker makes empty file systems of a kind, and checks them at the end.
func maker(k kind, size string) fstest.Maker {
	return func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		d := mkfs(t, size, append(k.args, "-E", "root_owner=0:0")...)
		v, sb := mount(t, d, ext4.Options{})
		e := &fstest.Env{T: t, V: v, NS: v.NewMountNS(sb, "x", 0)}
		root := e.NS.RootPath()
		e.Ctx = &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, MayWait: true}
		if err := fs.Rmdir(e.Ctx, fs.Path{}, "lost+found"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, sb, d) })
		return v, sb
	}
}

func TestSuite(t *testing.T) {
	for _, k := range kinds() {
		if strings.Contains(strings.Join(k.args, " "), "-I 128") {
			continue // no nanoseconds, which the suite asks for; TestDiffer has them
		}
		t.Run(k.name, func(t *testing.T) { fstest.Run(t, maker(k, "8M")) })
	}
}

func TestDiffer(t *testing.T) {
	for _, k := range []int{0, 1, 2, 3, 4, 8} {
		k := kinds()[k]
		t.Run(k.name, func(t *testing.T) { fstest.Differ(t, 4, 400, nil, maker(k, "32M")) })
	}
}

func TestStress(t *testing.T) { fstest.Stress(t, nil, maker(kinds()[4], "16M")) }
