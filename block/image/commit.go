// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lodger/block"
	"lodger/block/cow"
)

// Commit writes a COW file's sectors into its base and leaves the COW file empty,
// fit for the base as it then is. Other COW files of that base are of no use
// afterwards, as their mtime check will say.
//
// Whenever it is cut, it can be called again: a marker beside the COW file, made
// before the base is touched, keeps guests off and lets the next call pass over
// the base's new time. The base is on the disk before a bit is cleared.
func Commit(ctx context.Context, path string, p Progress) error {
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
		return fmt.Errorf("%s: it cannot be written, and a commit empties it: %w", path, os.ErrPermission)
	}
	base, err := block.OpenFile(h.Backing, block.Options{})
	if err != nil {
		return fmt.Errorf("commit %s into its base: %w", path, err)
	}
	defer base.Close()
	if base.ReadOnly() {
		return fmt.Errorf("commit %s into its base %s: it cannot be written: %w", path, h.Backing, os.ErrPermission)
	}
	if err := h.VerifyFile(base); err != nil {
		var m *cow.MismatchError
		if !errors.As(err, &m) || m.What != "mtime" || cow.Interrupted(path) == nil {
			return fmt.Errorf("commit %s: %w", path, err)
		}
	}
	d, err := cow.New(f, base, h)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := refuseMagic(d, path); err != nil {
		return err
	}
	if err := mark(path); err != nil {
		return err
	}
	if err := merge(ctx, f, base, d, p); err != nil {
		return fmt.Errorf("commit %s into %s: %w; call it again when that is mended", path, h.Backing, err)
	}
	st, err := cow.StatFile(base)
	if err != nil {
		return err
	}
	if err := empty(f, h, uint32(st.Mtime)); err != nil {
		return fmt.Errorf("%s: empty it after the commit: %w; call it again when that is mended", path, err)
	}
	return unmark(path)
}

// merge copies what is owned, and syncs the base.
func merge(ctx context.Context, f, base block.Device, d *cow.Device, p Progress) error {
	h := d.Header()
	total := min(d.Owned()*h.SectorSize, h.Size)
	data := block.NewSection(f, h.Layout().DataOffset, h.Size)
	buf := make([]byte, chunk)
	done := int64(0)
	for off := int64(0); off < h.Size; {
		n, owned := d.OwnedRun(off, h.Size-off)
		for n > 0 {
			m := min(n, chunk)
			if owned {
				if err := copyRun(ctx, base, data, off, m, buf, false); err != nil {
					return err
				}
				done += m
				p.tell(done, total)
			}
			off, n = off+m, n-m
		}
	}
	return block.Flush(base)
}

// empty clears the bitmap, then notes the base's time, then gives back the space.
// Each step is on the disk before the next.
func empty(f block.Device, h cow.Header, mtime uint32) error {
	l := h.Layout()
	if err := block.WriteZeroes(f, l.BitmapOffset, l.BitmapLen); err != nil {
		return err
	}
	h.Mtime = mtime
	if err := cow.WriteHeader(f, h); err != nil {
		return err
	}
	err := block.Discard(f, l.DataOffset, max(min(h.Size, f.Size()-l.DataOffset), 0))
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // the space stays with the file
	}
	return err
}

func mark(path string) error {
	m, err := os.OpenFile(cow.Marker(path), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("mark the commit of %s as begun: %w", path, err)
	}
	if err := errors.Join(m.Sync(), m.Close()); err != nil {
		return fmt.Errorf("mark the commit of %s as begun: %w", path, err)
	}
	return syncDir(path)
}

func unmark(path string) error {
	if err := os.Remove(cow.Marker(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("mark the commit of %s as ended: %w", path, err)
	}
	return syncDir(path)
}

// syncDir makes a name in a file's directory durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
