// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// TestLazyTables: on a device that was full of something else, inode tables and
// bitmaps that mke2fs left for later hold garbage until they are used.
func TestLazyTables(t *testing.T) {
	for name, features := range map[string]string{"gdt_csum": "^metadata_csum,uninit_bg,^64bit", "metadata_csum": "metadata_csum", "meta_bg": "meta_bg,^resize_inode"} {
		t.Run(name, func(t *testing.T) {
			img := filepath.Join(t.TempDir(), "img")
			if err := os.WriteFile(img, bytes.Repeat([]byte{0xa5}, 64<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, 0, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", features, "-E", "lazy_itable_init=1,nodiscard", "-N", "8192", img)
			b, err := os.ReadFile(img)
			if err != nil {
				t.Fatal(err)
			}
			d := &disk{data: b}
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			for i := range 40 { // directories spread over the groups
				e.Must(fs.Mkdir(e.Ctx, fs.Path{}, fmt.Sprint("/d", i), 0o755))
				for k := range 60 {
					e.Must(fs.Mknod(e.Ctx, fs.Path{}, fmt.Sprintf("/d%d/f%d", i, k), abi.S_IFREG|0o600, 0))
				}
				e.Write(fmt.Sprintf("/d%d/data", i), string(make([]byte, 100000)))
			}
			for i := range 20 {
				e.Must(fs.Unlink(e.Ctx, fs.Path{}, fmt.Sprintf("/d%d/f%d", i, i)))
			}
			closed(t, sb, d)
			v, sb = mount(t, d, ext4.Options{})
			e = env(t, v, sb)
			if l := e.List("/d30"); len(l) != 61 {
				t.Errorf("%d names", len(l))
			}
			closed(t, sb, d)
		})
	}
}
