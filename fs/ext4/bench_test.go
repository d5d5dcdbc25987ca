// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

func benchEnv(b *testing.B) *fs.Context {
	d := mkfs(b, "128M", "-t", "ext4")
	_, sb := mount(b, d, ext4.Options{})
	root := sb.VFS.NewMountNS(sb, "b", 0).RootPath()
	return &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, MayWait: true}
}

func BenchmarkCreateUnlink(b *testing.B) {
	ctx := benchEnv(b)
	for b.Loop() {
		f, err := fs.Open(ctx, fs.Path{}, "/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_EXCL | abi.O_WRONLY, Mode: 0o644})
		if err != nil {
			b.Fatal(err)
		}
		f.DecRef()
		fs.Unlink(ctx, fs.Path{}, "/f")
	}
}

// BenchmarkWrite writes 4 KiB pieces, first anew and then over what is there.
func BenchmarkWrite(b *testing.B) {
	ctx := benchEnv(b)
	f, err := fs.Open(ctx, fs.Path{}, "/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 4096)
	b.SetBytes(4096)
	for i := 0; b.Loop(); i++ {
		if _, err := f.Pwrite(ctx, p, int64(i%16000)*4096); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	ctx := benchEnv(b)
	f, err := fs.Open(ctx, fs.Path{}, "/f", abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 4096)
	for i := range 16000 {
		f.Pwrite(ctx, p, int64(i)*4096)
	}
	b.SetBytes(4096)
	for i := 0; b.Loop(); i++ {
		if _, err := f.Pread(ctx, p, int64(i*7919%16000)*4096); err != nil {
			b.Fatal(err)
		}
	}
}
