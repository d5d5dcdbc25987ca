// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// run is where bytes of an uncompressed file lie: n of them at place at of the image;
// at is negative for a hole.
type run struct {
	at, n int64
	meta  bool // among metadata: behind the inode
}

// locate gives the run that begins at off (erofs_map_blocks), which is within the file.
func (i *inode) locate(off int64) (run, error) {
	size, bs := i.attr.Size, i.s.blockSize
	switch i.layout {
	case flatPlain:
		return run{at: int64(i.data)<<i.s.blockBits + off, n: size - off}, nil
	case flatInline:
		tail := (size - 1) &^ (bs - 1) // where the last block begins
		if off < tail {
			return run{at: int64(i.data)<<i.s.blockBits + off, n: tail - off}, nil
		}
		at := i.end()
		if at&(bs-1)+size-tail > bs {
			return run{}, i.s.corrupt(i.nid, "inline data crosses a block")
		}
		return run{at: at + off - tail, n: size - off, meta: true}, nil
	}
	return i.locateChunk(off)
}

// locateChunk reads a chunk's place.
func (i *inode) locateChunk(off int64) (run, error) {
	const indexed = 0x20
	if i.data&^0x3f != 0 {
		i.s.Printf("nid %d: unsupported chunk format %#x", i.nid, i.data)
		return run{}, abi.EOPNOTSUPP
	}
	bits := int64(i.s.blockBits) + int64(i.data&0x1f)
	n := off >> bits
	width := int64(4)
	if i.data&indexed != 0 {
		width = 8
	}
	if n > 1<<58/width {
		return run{}, i.s.corrupt(i.nid, "chunk %d", n)
	}
	b, err := i.s.metaBytes((i.end()+width-1)&^(width-1)+n*width, int(width))
	if err != nil {
		return run{}, err
	}
	r := run{at: -1, n: min(i.attr.Size, (n+1)<<bits) - off}
	if v := rofs.LE32(b, int(width)-4); v != 0xffffffff {
		r.at = int64(v)<<i.s.blockBits + off - n<<bits
	}
	return r, nil
}

// readAt reads file data.
func (i *inode) readAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= i.attr.Size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), i.attr.Size-off)]
	for done := 0; done < len(p); {
		n, err := i.readSome(p[done:], off+int64(done))
		if err != nil {
			return rofs.Some(done, err)
		}
		done += n
	}
	return len(p), nil
}

// readSome reads at least a byte; p lies within the file.
func (i *inode) readSome(p []byte, off int64) (int, error) {
	if i.compressed() {
		return i.readCompressed(p, off)
	}
	r, err := i.locate(off)
	if err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), r.n)]
	switch {
	case r.at < 0:
		clear(p)
	case r.meta || i.kind() != abi.S_IFREG: // small, and read again and again
		err = i.s.readMeta(p, r.at)
	default:
		err = i.s.readData(p, r.at)
	}
	return len(p), err
}

// file is an open regular file.
type file struct{ i *inode }

// ReadAt implements fs.ReaderAt.
func (f file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) { return f.i.readAt(p, off) }

// MapFD implements fs.Mapper: of the image itself where the pages are one run of it.
func (f file) MapFD(offset, length int64, write, shared, _ bool) (int, int64, error) {
	if write && shared {
		return -1, 0, abi.EACCES
	}
	if fd, at, ok := f.i.direct(offset, length); ok {
		return fd, at, nil
	}
	return rofs.Mapped(&f.i.copy, f.i, f.i.attr.Size, offset, length, f.i.readAt)
}

// direct finds whole pages of the file on the host. A last page that the file only
// begins is shown as the image has it, as on Linux: mkfs fills it with zeroes.
func (i *inode) direct(offset, length int64) (fd int, at int64, ok bool) {
	const page = 4096
	length = (length + page - 1) &^ (page - 1)
	end := (i.attr.Size + page - 1) &^ (page - 1)
	if i.compressed() || length <= 0 || offset < 0 || i.s.blockSize < page || end < length || offset > end-length {
		return -1, 0, false
	}
	r, err := i.locate(offset)
	if err != nil || r.at < 0 || r.meta || (r.n+page-1)&^(page-1) < length {
		return -1, 0, false
	}
	return i.s.Pages(r.at, length)
}
