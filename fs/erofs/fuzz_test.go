// SPDX-License-Identifier: Apache-2.0

package erofs_test

import (
	"testing"

	"lodger/fs/erofs"
	"lodger/test/rofstest"
)

// FuzzImage changes bytes of images without a checksum.
//
// CI fuzz budget: 5000x
func FuzzImage(f *testing.F) {
	tree := rofstest.SmallTree(f)
	var bases [][]byte
	for _, args := range [][]string{
		{"-x1"}, {"--chunksize=4096", "-x1"}, {"-zlz4"}, {"-zlz4", "-C65536", "-Eztailpacking"}, {"-zlz4", "-Efragments,dedupe"},
		{"-zlz4", "-Elegacy-compress"},
	} {
		img := rofstest.Make(f, "mkfs.erofs", append(args, "--quiet", "-Enosbcrc", "IMG", tree)...)
		bases = append(bases, rofstest.Load(f, img).Data)
	}
	for k := range bases {
		f.Add(uint8(k), []byte{})
		for at := 1024; at < len(bases[k]); at += 1 + at/15 {
			f.Add(uint8(k), []byte{byte(at >> 16), byte(at >> 8), byte(at), 0xff, 1, byte((at + 5) >> 16), byte((at + 5) >> 8), byte(at + 5), 0x10, 0})
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, edits []byte) {
		rofstest.Use(t, rofstest.Broken(bases[int(kind)%len(bases)], edits), erofs.Mount, "")
	})
}
