// SPDX-License-Identifier: Apache-2.0

package squashfs_test

import (
	"testing"

	"lodger/fs/squashfs"
	"lodger/test/rofstest"
)

// TestHost: Linux's squashfs and this one see the same in the same image.
func TestHost(t *testing.T) {
	tree := rofstest.Tree(t)
	for _, k := range []struct {
		name string
		args []string
	}{
		{"gzip", []string{"-comp", "gzip"}},
		{"xz", []string{"-comp", "xz", "-b", "256K"}},
		{"zstd", []string{"-comp", "zstd", "-b", "1M"}},
		{"lzo", []string{"-comp", "lzo"}},
		{"lz4", []string{"-comp", "lz4", "-b", "4K"}},
		{"nofragments", []string{"-comp", "gzip", "-no-fragments", "-b", "64K"}},
		{"raw", []string{"-noI", "-noD", "-noF", "-noX", "-always-use-fragments"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			img := rofstest.Make(t, "mksquashfs", append([]string{tree, "IMG", "-noappend", "-quiet", "-no-progress", "-processors", "1"}, k.args...)...)
			e := rofstest.Env(t, rofstest.Load(t, img), squashfs.Mount, "")
			var host, guest rofstest.Facts
			guest.Guest(e)
			rofstest.OnHost(t, "squashfs", img, func(dir string) {
				host.Host(t, dir)
				rofstest.Diff(t, &host, &guest)
				rofstest.Statfs(t, dir, e)
			})
		})
	}
}

// TestMapping: mappings show what reads show.
func TestMapping(t *testing.T) {
	tree := rofstest.Tree(t)
	e := rofstest.Env(t, rofstest.Load(t, rofstest.Make(t, "mksquashfs", tree, "IMG", "-noappend", "-quiet", "-no-progress")), squashfs.Mount, "")
	for _, name := range []string{"/data/mixed", "/data/text4097", "/data/sparse", "/data/zeroes"} {
		rofstest.Mapping(e, name)
	}
	rofstest.ReadOnly(e)
}
