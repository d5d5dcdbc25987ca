// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// locate gives the place of byte off of the file, and how many follow it there.
func (i *inode) locate(off int64) (at, n int64) {
	for _, s := range i.sections {
		if off < s.size {
			return s.at + off, s.size - off
		}
		off -= s.size
	}
	return 0, 0
}

// readAt reads file data.
func (i *inode) readAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= i.attr.Size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), i.attr.Size-off)]
	for done := 0; done < len(p); {
		at, n := i.locate(off + int64(done))
		m := int(min(n, int64(len(p)-done)))
		if m == 0 || at > i.s.Dev.Size()-int64(m) {
			i.s.Printf("data at %d is outside the image", at)
			return rofs.Some(done, abi.EIO)
		}
		if err := i.s.ReadAt(p[done:done+m], at); err != nil {
			return rofs.Some(done, err)
		}
		done += m
	}
	return len(p), nil
}

// file is an open regular file.
type file struct{ i *inode }

// ReadAt implements fs.ReaderAt.
func (f file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) { return f.i.readAt(p, off) }

// MapFD implements fs.Mapper.
func (f file) MapFD(offset, length int64, write, shared, _ bool) (int, int64, error) {
	if write && shared {
		return -1, 0, abi.EACCES
	}
	if fd, at, ok := f.i.direct(offset, length); ok {
		return fd, at, nil
	}
	return rofs.Mapped(&f.i.copy, f.i, f.i.attr.Size, offset, length, f.i.readAt)
}

// direct finds whole pages of the file on the host. Blocks are half a page, so that
// another file may begin in a file's last page: that is never mapped so.
func (i *inode) direct(offset, length int64) (fd int, at int64, ok bool) {
	const page = 4096
	length = (length + page - 1) &^ (page - 1)
	if offset < 0 || length <= 0 || length > i.attr.Size || offset > i.attr.Size-length {
		return -1, 0, false
	}
	place, n := i.locate(offset)
	if n < length {
		return -1, 0, false
	}
	return i.s.Pages(place, length)
}
