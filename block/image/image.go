// SPDX-License-Identifier: Apache-2.0

// Package image works on disk images as a whole: what uml_mkcow and uml_moo do,
// and qemu-img for other formats. It is behind "lodger disk".
//
// # Model
//
//	CreateRaw, CreateCOW   new images
//	Inspect                what an image is, and the state of its base
//	Check                  what is wrong with it
//	Commit                 a COW file's sectors into its base
//	Rebase                 another base, with the same or unchanged content
//	Convert                raw to COW and back, holes kept
//
// Each locks the files as a guest would, so that none works on a disk in use. Each
// can be cut at any point: what was there before is there, or the work can be done
// again; the functions say which. Long ones tell how far they are.
//
// # Locks
//
// None but the host's on the files.
//
// # Left out
//
// Compression, qcow2. Images of directories and archives are cmd/lodger's.
package image

import (
	"context"
	"fmt"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
)

// Progress is told how many bytes of how many are done. It may be nil.
type Progress func(done, total int64)

func (p Progress) tell(done, total int64) {
	if p != nil {
		p(done, total)
	}
}

// chunk is how much is copied between two words of progress.
const chunk = 1 << 20

// CreateRaw makes an empty image: one hole.
func CreateRaw(path string, size int64) error {
	if size%block.SectorSize != 0 {
		return fmt.Errorf("%s: size %d is no multiple of %d: %w", path, size, block.SectorSize, abi.EINVAL)
	}
	f, err := block.CreateFile(path, size, block.Options{})
	if err != nil {
		return err
	}
	return f.Close()
}

// CreateCOW makes a COW file over a base, as uml_mkcow does.
func CreateCOW(path, base string) error {
	f, _, err := cow.Create(path, base, block.Options{})
	if err != nil {
		return err
	}
	return f.Close()
}

// refuseMagic keeps a guest's bytes from becoming a COW header: a raw image that
// begins with one would be opened as a COW file over whatever host file it names.
func refuseMagic(d block.Device, path string) error {
	b := make([]byte, min(d.Size(), cow.HeaderSize))
	if _, err := d.ReadAt(b, 0); err != nil {
		return err
	}
	if _, err := cow.Parse(b); err != cow.ErrNotCOW {
		return fmt.Errorf("%s: the disk's own content begins with a COW header, and as a raw image it would be taken for a COW file; "+
			"clear its first sector in the guest: %w", path, abi.EPERM)
	}
	return nil
}

// copyRun copies n bytes from one device to another at the same place, and leaves
// out blocks of zeroes when skip says that they are zero already. It stops when ctx
// ends; buf is chunk bytes.
func copyRun(ctx context.Context, dst, src block.Device, off, n int64, buf []byte, skip bool) error {
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(n, int64(len(buf)))]
		if _, err := src.ReadAt(b, off); err != nil {
			return fmt.Errorf("read at %d: %w", off, err)
		}
		if err := put(dst, b, off, skip); err != nil {
			return fmt.Errorf("write at %d: %w", off, err)
		}
		off, n = off+int64(len(b)), n-int64(len(b))
	}
	return nil
}

// put writes b, but for its blocks of zeroes when skip is set.
func put(dst block.Device, b []byte, off int64, skip bool) error {
	const unit = 4096
	for len(b) > 0 {
		n := len(b)
		if skip {
			n = min(n, unit)
			if zero(b[:n]) {
				b, off = b[n:], off+int64(n)
				continue
			}
			for n < len(b) {
				m := min(unit, len(b)-n)
				if zero(b[n : n+m]) {
					break
				}
				n += m
			}
		}
		if _, err := dst.WriteAt(b[:n], off); err != nil {
			return err
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
