// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Magic is COW_MAGIC, "MOOO" read as a big-endian word is its reverse.
const Magic = 0x4f4f4f4d

// Sizes of the headers and of their path fields, cow_user.c. The broken version 3
// was written by 64-bit UMLs before December 2005 from an unpacked structure.
const (
	sizeV1, pathV1  = 280, 256
	sizeV2, pathV2  = 4120, 4096
	sizeV3, pathV3  = 4128, 4096
	sizeV3Broken    = 4136 // 4132 and the structure's padding
	HeaderSize      = sizeV3Broken
	maxSectorSize   = 64 << 10 // what one copy-up moves
	maxAlign        = 1 << 20
	maxSize         = 1 << 46 // bytes: a bitmap of 32 MiB of pointers, should a header lie
	defaultSector   = 512
	bitsPerByte     = 8
	wordBits        = 64
	formatBitmap    = 0 // the only cow_format
	offMtimeV1      = 8 + pathV1
	offMtimeV2      = 8 + pathV2
	offPathV3       = 32
	offPathV3Broken = 36
)

// ErrNotCOW: the file has no COW magic; it is a raw image.
var ErrNotCOW = errors.New("not a COW file")

// Header is the header of a COW file.
type Header struct {
	Version    int
	Broken     bool // version 3 with 64-bit layout
	Backing    string
	Mtime      uint32 // the base's, seconds; wraps in 2106
	Size       int64  // the base's
	SectorSize int64
	Align      int64 // of version 3
	order      binary.ByteOrder
}

// HeaderError: a file that says it is a COW file but cannot be one.
type HeaderError struct{ Reason string }

func (e *HeaderError) Error() string {
	return "bad COW header: " + e.Reason + "; if this is a raw image use ubd's flag d, else restore the file"
}

func bad(format string, args ...any) error { return &HeaderError{fmt.Sprintf(format, args...)} }

// Parse reads a header from the start of a file. ErrNotCOW when the magic is not
// there. Unlike UML, which opens a COW file that it does not understand as a raw
// disk, and divides by an alignment of 0, everything is checked.
func Parse(b []byte) (Header, error) {
	var h Header
	if len(b) < 8 {
		return h, ErrNotCOW
	}
	switch uint32(Magic) {
	case binary.BigEndian.Uint32(b):
		h.order = binary.BigEndian
	case binary.LittleEndian.Uint32(b):
		h.order = binary.LittleEndian
	default:
		return h, ErrNotCOW
	}
	h.Version = int(int32(h.order.Uint32(b[4:])))
	var err error
	switch {
	case h.Version == 1: // in the byte order of the host that made it
		err = h.parseOld(b, sizeV1, pathV1)
	case h.Version < 1 || h.Version > 3:
		err = bad("version %d is unknown", h.Version)
	case h.order != binary.BigEndian:
		err = bad("version %d in little-endian order", h.Version)
	case h.Version == 2:
		err = h.parseOld(b, sizeV2, pathV2)
	default:
		err = h.parseV3(b)
	}
	if err != nil {
		return h, err
	}
	return h, h.check()
}

func (h *Header) parseOld(b []byte, size, path int) error {
	if len(b) < size {
		return bad("version %d needs %d bytes, the file has %d", h.Version, size, len(b))
	}
	h.Backing = cString(b[8 : 8+path])
	b = b[8+path:]
	h.Mtime = h.order.Uint32(b)
	h.SectorSize = int64(h.order.Uint32(b[12:]))
	return h.setSize(h.order.Uint64(b[4:]))
}

func (h *Header) parseV3(b []byte) error {
	if len(b) < sizeV3 {
		return bad("version 3 needs %d bytes, the file has %d", sizeV3, len(b))
	}
	be := binary.BigEndian
	h.Mtime = be.Uint32(b[8:])
	rest, path := b[12:], offPathV3
	// In the broken layout this word is cow_format, 0; in the right one a path
	// begins here, and is never empty (read_cow_header).
	if be.Uint32(b[offPathV3:]) == 0 {
		if len(b) < sizeV3Broken {
			return bad("version 3 in 64-bit layout needs %d bytes, the file has %d", sizeV3Broken, len(b))
		}
		h.Broken, rest, path = true, b[16:], offPathV3Broken
	}
	h.Backing = cString(b[path : path+pathV3])
	h.SectorSize = int64(be.Uint32(rest[8:]))
	h.Align = int64(be.Uint32(rest[12:]))
	if f := be.Uint32(rest[16:]); f != formatBitmap {
		return bad("format %d is unknown, only 0 (bitmap) is", f)
	}
	return h.setSize(be.Uint64(rest))
}

func (h *Header) setSize(n uint64) error {
	if n > maxSize {
		return bad("a size of %d bytes", n)
	}
	h.Size = int64(n)
	return nil
}

func (h *Header) check() error {
	pow2 := func(n int64) bool { return n > 0 && bits.OnesCount64(uint64(n)) == 1 }
	switch {
	case !pow2(h.SectorSize) || h.SectorSize < defaultSector || h.SectorSize > maxSectorSize:
		return bad("a sector size of %d", h.SectorSize)
	case h.Version == 3 && (!pow2(h.Align) || h.Align > maxAlign):
		return bad("an alignment of %d", h.Align)
	case h.Backing == "":
		return bad("no backing file")
	}
	return nil
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// Encode gives the header's bytes in its own version, as UML writes it.
func (h *Header) Encode() ([]byte, error) {
	size, path, limit := sizeV3, offPathV3, pathV3
	switch {
	case h.Version == 1:
		size, path, limit = sizeV1, 8, pathV1
	case h.Version == 2:
		size, path, limit = sizeV2, 8, pathV2
	case h.Broken:
		size, path = sizeV3Broken, offPathV3Broken
	}
	if len(h.Backing) >= limit {
		return nil, fmt.Errorf("backing file name %q is too long: version %d has room for %d bytes; move it or make a shorter link", h.Backing, h.Version, limit-1)
	}
	var o binary.ByteOrder = binary.BigEndian
	if h.Version == 1 && h.order != nil {
		o = h.order
	}
	b := make([]byte, size)
	o.PutUint32(b, Magic)
	o.PutUint32(b[4:], uint32(h.Version))
	copy(b[path:], h.Backing)
	if h.Version < 3 {
		rest := b[8+limit:]
		o.PutUint32(rest, h.Mtime)
		o.PutUint64(rest[4:], uint64(h.Size))
		o.PutUint32(rest[12:], uint32(h.SectorSize))
		return b, nil
	}
	o.PutUint32(b[8:], h.Mtime)
	rest := b[12:]
	if h.Broken {
		rest = b[16:]
	}
	o.PutUint64(rest, uint64(h.Size))
	o.PutUint32(rest[8:], uint32(h.SectorSize))
	o.PutUint32(rest[12:], uint32(h.Align))
	return b, nil
}
