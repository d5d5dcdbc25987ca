// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"os"
	"time"
)

// diskLines are the rows of the disks issue's numbers table. A throughput of 0.7 x
// native is a time of 1/0.7 x.
var diskLines = []line{
	disk("disk-seq-read", "ms/GiB", 1/0.7, 0),
	disk("disk-seq-write-fsync", "ms/256MiB", 1/0.7, 0),
	disk("disk-pread-4KiB", "us", 0, 5),
	disk("disk-pwrite-4KiB", "us", 0, 5),
	disk("disk-create-unlink", "us", 0, 12),
	disk("disk-stat", "us", 0, 5),
	disk("disk-mmap-fault", "us", 1.1, 0),
	untar("disk-untar-5000", 2.0),
	sqlite("disk-sqlite-preallocated", 1.3, "full"),
	sqlite("disk-sqlite-sparse", 0, "sparse"),
	sqlite("disk-sqlite-cow", 0, "cow"),
	{name: "disk-boot-bash", group: "disk", unit: "ms", maxValue: 150, needTree: true, guest: bootBash},
	{name: "cow20-private-MB", group: "disk", unit: "MB/guest", maxValue: 30, needTree: true},
	{name: "cow20-base-rss-MB", group: "disk", unit: "MB, all", needTree: true},
	{name: "cow20-base-pss-MB", group: "disk", unit: "MB, all", needTree: true},
	{name: "cow20-base-pss/rss", group: "disk", unit: "part", maxValue: 0.1, needTree: true},
}

// disk is a line of disk.c.
func disk(name, unit string, maxRatio, maxValue float64) line {
	cmd := []string{"/bench/disk", name, "/bench"}
	return line{name: name, group: "disk", unit: unit, maxRatio: maxRatio, maxValue: maxValue,
		native: func(b *bench, l line) (float64, error) {
			return parse(b.disks.native(b, "native-large", cmd...))
		},
		guest: func(b *bench, l line) (float64, error) {
			return parse(b.disks.guest(b, "guest-large", cmd...))
		}}
}

// untar unpacks makeTar's archive with the Debian tree's tar, which times itself.
func untar(name string, maxRatio float64) line {
	cmd := []string{"/bin/bash", "-c", `cd "$0" && rm -rf out && mkdir out && sync || exit 1
s=$EPOCHREALTIME
tar -xf tree.tar -C out || exit 1
e=$EPOCHREALTIME
echo t $(( (${e/./} - ${s/./}) / 1000 ))`, "/bench"}
	return line{name: name, group: "disk", unit: "ms", maxRatio: maxRatio, needTree: true,
		native: func(b *bench, l line) (float64, error) {
			return parse(b.disks.native(b, "native-large", cmd...))
		},
		guest: func(b *bench, l line) (float64, error) {
			return parse(b.disks.guest(b, "guest-large", cmd...))
		}}
}

// sqlite is sqlite.c on a kind of image. A sparse image is made anew each time, since
// it is sparse only once; so is a COW file, beside which native has a full image.
func sqlite(name string, maxRatio float64, kind string) line {
	cmd := []string{"/bench/sqlite", "/bench"}
	return line{name: name, group: "disk", unit: "ms", maxRatio: maxRatio,
		native: func(b *bench, l line) (float64, error) {
			d, image := b.disks, "native-"+kind
			if d.sqlite != nil {
				return 0, d.sqlite
			}
			switch kind {
			case "cow":
				image = "native-full"
			case "sparse":
				if err := d.unmount(image); err != nil {
					return 0, err
				}
				if err := d.sparse(image, smallImage, d.path("tree")); err != nil {
					return 0, err
				}
			}
			return parse(d.native(b, image, cmd...))
		},
		guest: func(b *bench, l line) (float64, error) {
			d, image := b.disks, "guest-"+kind
			if d.sqlite != nil {
				return 0, d.sqlite
			}
			switch kind {
			case "cow":
				os.Remove(d.path(image))
				if err := build(b.lodger, "disk", "create", "--base", d.path("guest-full"), d.path(image)); err != nil {
					return 0, err
				}
			case "sparse":
				if err := d.sparse(image, smallImage, d.path("tree")); err != nil {
					return 0, err
				}
			}
			return parse(d.guest(b, image, cmd...))
		}}
}

// The tree of the untar line: as many files, in directories of tarPerDir.
const (
	tarFiles  = 5000
	tarPerDir = 25
)

// makeTar writes the archive: text files of 0 to 32 KiB, most of them small, as in a
// tree of sources (54 MB), always the same.
func makeTar(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := bufio.NewWriterSize(f, 1<<20)
	w := tar.NewWriter(buf)
	text := bytes.Repeat([]byte("a line of a file of the tree to unpack\n"), 1000)
	when := time.Unix(1700000000, 0)
	for i := range tarFiles {
		dir := fmt.Sprintf("tree/part%d/dir%d/", i/tarPerDir/20, i/tarPerDir)
		if i%tarPerDir == 0 {
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: when}); err != nil {
				return err
			}
		}
		size := i * 7919 % 181
		size = size * size // 0 to 32,400, 10,800 on average
		h := &tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("%sfile%d.c", dir, i), Mode: 0o644, ModTime: when, Size: int64(size)}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(text[:size]); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return buf.Flush()
}
