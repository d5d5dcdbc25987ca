// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"lodger/abi"
	"lodger/block/image"
)

// create is `lodger disk create`, in its three forms.
func (d *disk) create(args []string) error {
	fl := flagsOf(d)
	sizeText := fl.String("size", "", "the disk's `SIZE`: bytes, or a number with K, M, G or T")
	base := fl.String("base", "", "make a COW file over this `BASE`, and of its size")
	from := fl.String("from", "", "make an ext4 image of this `DIR|TAR|SUITE`")
	rest, err := d.parse(fl, args, "IMAGE")
	if err != nil {
		return err
	}
	var size int64
	if *sizeText != "" {
		if size, err = parseSize(*sizeText); err != nil {
			return err
		}
	}
	path := rest[0]
	switch {
	case *base != "" && *from != "":
		return errors.New("--base and --from exclude each other: make the base --from the tree first, then a COW file over it")
	case *base != "" && *sizeText != "":
		return errors.New("--base and --size exclude each other: a COW file has its base's size")
	case *base != "":
		return image.CreateCOW(path, *base)
	case *from != "":
		return d.createFrom(path, *from, size)
	case size == 0:
		return errors.New("one of --size, --base and --from is missing; see lodger disk create --help")
	}
	return image.CreateRaw(path, size)
}

// absent refuses a name that is taken, before long work for it begins.
func absent(path string) error {
	if exists(path) {
		return &os.PathError{Op: "create disk", Path: path, Err: abi.EEXIST}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// place gives a finished image its name. A file that came there meanwhile stays.
func place(tmp, path string) error {
	f, err := os.Open(tmp)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = os.Link(tmp, path)
	if err == nil {
		return nil
	}
	// File systems without hard links (vfat, some FUSE).
	if err := absent(path); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
