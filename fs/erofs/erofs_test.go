// SPDX-License-Identifier: Apache-2.0

package erofs_test

import (
	"errors"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/fs/erofs"
	"lodger/test/rofstest"
)

type kind struct {
	name string
	args []string
}

func kinds() []kind {
	return []kind{
		{"plain", nil},
		{"chunks", []string{"--chunksize=65536"}},
		{"lz4", []string{"-zlz4"}},
		{"lz4hc", []string{"-zlz4hc", "-Eforce-inode-extended"}},
		{"big", []string{"-zlz4", "-C65536"}},
		{"full-index", []string{"-zlz4", "-Elegacy-compress"}},
		{"ztailpacking", []string{"-zlz4", "-Eztailpacking"}},
		{"fragments", []string{"-zlz4", "-C16384", "-Efragments"}},
		{"all-fragments", []string{"-zlz4", "-Eall-fragments"}},
		{"dedupe", []string{"-zlz4", "-Ededupe"}},
		{"everything", []string{"-zlz4hc", "-C131072", "-Eztailpacking,fragments,dedupe"}},
		{"no-checksum", []string{"-Enosbcrc", "--all-root"}},
	}
}

// TestHost: Linux's erofs and this one see the same in the same image.
func TestHost(t *testing.T) {
	tree := rofstest.Tree(t)
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			img := rofstest.Make(t, "mkfs.erofs", append(k.args, "--quiet", "-x1", "IMG", tree)...)
			e := rofstest.Env(t, rofstest.Load(t, img), erofs.Mount, "")
			var host, guest rofstest.Facts
			guest.Guest(e)
			rofstest.OnHost(t, "erofs", img, func(dir string) {
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
	e := rofstest.Env(t, rofstest.Load(t, rofstest.Make(t, "mkfs.erofs", "-zlz4", "--quiet", "IMG", tree)), erofs.Mount, "")
	for _, name := range []string{"/data/mixed", "/data/text4097", "/data/sparse", "/data/zeroes"} {
		rofstest.Mapping(e, name)
	}
	rofstest.ReadOnly(e)
}

// TestMappedInPlace: plain files are mapped from the image itself.
func TestMappedInPlace(t *testing.T) {
	tree := rofstest.Tree(t)
	for _, args := range [][]string{nil, {"--chunksize=4194304"}} {
		img := rofstest.Make(t, "mkfs.erofs", append(args, "--quiet", "-x1", "IMG", tree)...)
		dev, err := block.OpenFile(img, block.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer dev.Close()
		e := rofstest.Env(t, dev, erofs.Mount, "")
		for _, name := range []string{"/data/noise65536", "/data/mixed", "/data/text4097", "/data/sparse"} {
			rofstest.Mapping(e, name)
		}
		f, err := e.Open("/data/noise65536", abi.O_RDONLY, 0)
		e.Must(err)
		defer f.DecRef()
		fd, _, err := f.MapFD(0, 65536, false, true, false)
		e.Must(err)
		var mapped, image syscall.Stat_t
		if err := errors.Join(syscall.Fstat(fd, &mapped), syscall.Stat(img, &image)); err != nil || mapped.Ino != image.Ino {
			t.Errorf("mkfs.erofs %v: mapped from inode %d, the image is %d (%v)", args, mapped.Ino, image.Ino, err)
		}
	}
}
