// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
)

// Rebase gives a COW file another base of the same size. The disk's content stays:
// where the old and the new base differ, the old one's bytes are copied up first.
// Unsafe changes only the header: the new base, or the old one under its new time,
// is taken to have the same content as the header's had.
//
// Cut before its end, it leaves the old base in force and a COW file that owns more.
func Rebase(ctx context.Context, path, newBase string, unsafe bool, p Progress) error {
	f, err := block.OpenFile(path, block.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := cow.HeaderOf(f)
	if err != nil {
		return err
	}
	if f.ReadOnly() {
		return fmt.Errorf("%s: it cannot be written: %w", path, os.ErrPermission)
	}
	if err := cow.Interrupted(path); err != nil {
		return err
	}
	// The new base must not change while it is compared and noted.
	now, err := block.OpenFile(newBase, block.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer now.Close()
	next := h
	if err := next.SetBacking(newBase); err != nil {
		return err
	}
	if next.Size != h.Size {
		return fmt.Errorf("rebase %s: the new base %s has %d bytes, the disk %d; convert it to a raw image instead: %w",
			path, newBase, next.Size, h.Size, abi.EINVAL)
	}
	if !unsafe {
		if err := keep(ctx, f, now, h, p); err != nil {
			return fmt.Errorf("rebase %s: %w", path, err)
		}
	}
	if err := cow.WriteHeader(f, next); err != nil {
		return fmt.Errorf("rebase %s: %w", path, err)
	}
	p.tell(h.Size, h.Size)
	return nil
}

// keep copies up what the new base would change.
func keep(ctx context.Context, f, now *block.File, h cow.Header, p Progress) error {
	old, err := block.OpenFile(h.Backing, block.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("without its old base the content cannot be kept: %w", err)
	}
	defer old.Close()
	if err := h.VerifyFile(old); err != nil {
		return fmt.Errorf("without its old base the content cannot be kept: %w", err)
	}
	d, err := cow.New(f, old, h)
	if err != nil {
		return err
	}
	a, b := make([]byte, chunk), make([]byte, chunk)
	for off := int64(0); off < h.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, owned := d.OwnedRun(off, min(chunk, h.Size-off))
		if !owned {
			if _, err := old.ReadAt(a[:n], off); err != nil {
				return err
			}
			if _, err := now.ReadAt(b[:n], off); err != nil {
				return err
			}
			if err := ownDiffering(d, a[:n], b[:n], off); err != nil {
				return err
			}
		}
		off += n
		p.tell(off, h.Size)
	}
	return d.Flush()
}

// ownDiffering copies up the blocks in which a and b, at off of the disk, differ.
func ownDiffering(d *cow.Device, a, b []byte, off int64) error {
	const unit = 4096
	for i := 0; i < len(a); i += unit {
		end := min(i+unit, len(a))
		if !bytes.Equal(a[i:end], b[i:end]) {
			if err := d.Own(off+int64(i), int64(end-i)); err != nil {
				return err
			}
		}
	}
	return nil
}
