// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
)

// Convert copies a disk into a new image: a raw one, or when base is not empty a
// COW file over base that owns what differs from it. Holes stay holes, and blocks
// of zeroes become some. Cut before its end it leaves an incomplete file; when it
// fails it removes it.
func Convert(ctx context.Context, src, dst, base string, p Progress) (err error) {
	from, err := openAny(src)
	if err != nil {
		return err
	}
	defer block.Close(from)
	var to block.Device
	if base == "" {
		if err := refuseMagic(from, src); err != nil {
			return err
		}
		to, err = block.CreateFile(dst, from.Size(), block.Options{})
	} else {
		to, err = newCOW(dst, base, from.Size())
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, block.Close(to)); err != nil {
			os.Remove(dst)
			err = fmt.Errorf("convert %s to %s: %w", src, dst, err)
		}
	}()
	if d, ok := to.(*cow.Device); ok {
		return copyDiffering(ctx, d, from, p)
	}
	return copyData(ctx, to, from, p)
}

// openAny opens an image for reading, whatever it is.
func openAny(path string) (block.Device, error) {
	f, err := block.OpenFile(path, block.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	h, err := cow.HeaderOf(f)
	if errors.Is(err, cow.ErrNotCOW) {
		return f, nil
	}
	if err == nil {
		var d *cow.Device
		if d, err = cow.OpenOn(f, h, cow.Config{Options: block.Options{ReadOnly: true}}); err == nil {
			return d, nil
		}
	}
	f.Close()
	return nil, err
}

// newCOW makes the COW file, over a base of the disk's size.
func newCOW(dst, base string, size int64) (block.Device, error) {
	b, err := block.OpenFile(base, block.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if b.Size() != size {
		b.Close()
		return nil, fmt.Errorf("%s: the base %s has %d bytes, the disk %d: a COW file needs a base of its disk's size: %w",
			dst, base, b.Size(), size, abi.EINVAL)
	}
	f, h, err := cow.Create(dst, base, block.Options{})
	if err != nil {
		b.Close()
		return nil, err
	}
	d, err := cow.New(f, b, h)
	if err != nil {
		f.Close()
		b.Close()
		os.Remove(dst)
		return nil, err
	}
	return d, nil
}

// copyData copies everything but holes and zeroes into a new, empty image.
func copyData(ctx context.Context, to, from block.Device, p Progress) error {
	buf := make([]byte, chunk)
	for off, size := int64(0), from.Size(); off < size; {
		start, n, err := block.NextData(from, off)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		n = min(n, chunk)
		if err := copyRun(ctx, to, from, start, n, buf, true); err != nil {
			return err
		}
		off = start + n
		p.tell(off, size)
	}
	p.tell(from.Size(), from.Size())
	return nil
}

// copyDiffering writes what differs from the new COW file's base.
func copyDiffering(ctx context.Context, to *cow.Device, from block.Device, p Progress) error {
	const unit = 4096
	a, b := make([]byte, chunk), make([]byte, chunk)
	for off, size := int64(0), from.Size(); off < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(chunk, size-off)
		if _, err := from.ReadAt(a[:n], off); err != nil {
			return fmt.Errorf("read at %d: %w", off, err)
		}
		if _, err := to.ReadAt(b[:n], off); err != nil {
			return fmt.Errorf("read base at %d: %w", off, err)
		}
		for i := int64(0); i < n; i += unit {
			end := min(i+unit, n)
			if bytes.Equal(a[i:end], b[i:end]) {
				continue
			}
			if _, err := to.WriteAt(a[i:end], off+i); err != nil {
				return fmt.Errorf("write at %d: %w", off+i, err)
			}
		}
		off += n
		p.tell(off, size)
	}
	return nil
}
