// SPDX-License-Identifier: Apache-2.0

package squashfs_test

import (
	"testing"

	"lodger/fs/squashfs"
	"lodger/test/rofstest"
)

// FuzzImage changes bytes of an image. Its metadata is not compressed in the first,
// so that changes reach what they aim at.
//
// CI fuzz budget: 5000x
func FuzzImage(f *testing.F) {
	tree := rofstest.SmallTree(f)
	var bases [][]byte
	for _, args := range [][]string{
		{"-noI", "-noX", "-noF", "-b", "4K"}, {"-noI", "-comp", "xz"}, {"-noI", "-comp", "zstd", "-no-fragments", "-b", "8K"}, {"-comp", "lzo"}, {"-comp", "lz4"},
	} {
		img := rofstest.Make(f, "mksquashfs", append([]string{tree, "IMG", "-noappend", "-quiet", "-no-progress", "-processors", "1"}, args...)...)
		bases = append(bases, rofstest.Load(f, img).Data)
	}
	for k := range bases {
		f.Add(uint8(k), []byte{})
		for at := 0; at < len(bases[k]); at += 1 + at/15 {
			f.Add(uint8(k), []byte{byte(at >> 16), byte(at >> 8), byte(at), 0xff, 1, byte((at + 5) >> 16), byte((at + 5) >> 8), byte(at + 5), 0x10, 0})
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, edits []byte) {
		rofstest.Use(t, rofstest.Broken(bases[int(kind)%len(bases)], edits), squashfs.Mount, "")
	})
}
