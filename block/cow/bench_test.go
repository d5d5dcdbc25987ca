// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"os"
	"path/filepath"
	"testing"

	"lodger/block"
)

// benchDisk is a COW file over a base of 64 MiB, both in the host's page cache.
func benchDisk(b *testing.B) *Device {
	b.Helper()
	dir := b.TempDir()
	base, path := filepath.Join(dir, "base"), filepath.Join(dir, "cow")
	if err := os.WriteFile(base, pattern(64<<20), 0o644); err != nil {
		b.Fatal(err)
	}
	f, _, err := Create(path, base, block.Options{})
	if err != nil {
		b.Fatal(err)
	}
	f.Close()
	d, err := Open(path, Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d
}

func BenchmarkDisk(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
		do   func(d *Device, p []byte, off int64) (int, error)
	}{
		{"read base 4k", 4 << 10, (*Device).ReadAt}, {"read base 128k", 128 << 10, (*Device).ReadAt},
		{"write 4k", 4 << 10, (*Device).WriteAt}, {"write 128k", 128 << 10, (*Device).WriteAt},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := benchDisk(b)
			p := make([]byte, c.size)
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			off := int64(0)
			for b.Loop() {
				if _, err := c.do(d, p, off); err != nil {
					b.Fatal(err)
				}
				if off += int64(c.size); off == d.Size() {
					off = 0
				}
			}
		})
	}
}
