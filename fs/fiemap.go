// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"math"

	"lodger/abi"
)

// Fiemapper is the ability of inodes to tell where their bytes lie (i_op
// fiemap).
type Fiemapper interface {
	// Fiemap calls emit for each extent that touches bytes [start, start+length),
	// in order, until it returns false. flags has FIEMAP_FLAG_SYNC (what is only
	// in memory goes to the device first) and FIEMAP_FLAG_XATTR (the extended
	// attributes' place is asked for).
	Fiemap(ctx *Context, start, length uint64, flags uint32, emit func(FiemapExtent) bool) error
	// MaxBytes is the largest size that the file can have.
	MaxBytes() uint64
}

// FiemapExtent is one extent, in bytes.
type FiemapExtent struct {
	Logical, Physical, Len uint64
	Flags                  uint32 // FIEMAP_EXTENT_*, but for LAST
}

const (
	fiemapSize    = 32 // struct fiemap
	fiemapExtSize = 56 // struct fiemap_extent
	fiemapMax     = math.MaxUint32 / fiemapExtSize
	fiemapKnown   = abi.FIEMAP_FLAG_SYNC | abi.FIEMAP_FLAG_XATTR
)

// fiemap is ioctl_fiemap with fiemap_prep and fiemap_fill_next_extent.
func (f *File) fiemap(ctx *Context, arg uint64, mem UserMemory) error {
	m, ok := f.inode.(Fiemapper)
	if !ok {
		return abi.EOPNOTSUPP
	}
	var h [fiemapSize]byte
	if err := mem.CopyIn(arg, h[:]); err != nil {
		return err
	}
	le := binary.LittleEndian
	start, length, flags, room := le.Uint64(h[0:]), le.Uint64(h[8:]), le.Uint32(h[16:]), le.Uint32(h[24:])
	if room > fiemapMax {
		return abi.EINVAL
	}
	mapped, err, most := uint32(0), error(nil), m.MaxBytes()
	flags &^= abi.FIEMAP_FLAG_CACHE // nothing is to be read ahead
	switch bad := flags &^ fiemapKnown; {
	case length == 0:
		err = abi.EINVAL
	case start > most:
		err = abi.EFBIG
	case bad != 0:
		flags, err = bad, abi.EBADR
	default:
		length = min(length, most-start)
		mapped, err = f.fiemapExtents(ctx, m, start, length, flags, room, func(n uint32, e FiemapExtent) error {
			var b [fiemapExtSize]byte
			le.PutUint64(b[0:], e.Logical)
			le.PutUint64(b[8:], e.Physical)
			le.PutUint64(b[16:], e.Len)
			le.PutUint32(b[40:], e.Flags)
			return mem.CopyOut(arg+fiemapSize+uint64(n)*fiemapExtSize, b[:])
		})
		flags &= abi.FIEMAP_FLAG_SYNC
	}
	le.PutUint32(h[16:], flags)
	le.PutUint32(h[20:], mapped)
	if err := mem.CopyOut(arg, h[:]); err != nil {
		return err
	}
	return err
}

// fiemapExtents stores up to room extents, or with no room counts them. Each is
// kept back until the next one comes, since the last one is marked.
func (f *File) fiemapExtents(ctx *Context, m Fiemapper, start, length uint64, flags, room uint32, put func(uint32, FiemapExtent) error) (n uint32, err error) {
	var kept *FiemapExtent
	store := func(last uint32) bool {
		if room == 0 {
			n++
			return true
		}
		kept.Flags |= last
		if kept.Flags&abi.FIEMAP_EXTENT_DATA_INLINE != 0 {
			kept.Flags |= abi.FIEMAP_EXTENT_NOT_ALIGNED
		}
		if err = put(n, *kept); err != nil {
			return false
		}
		n++
		return n < room
	}
	more := true
	walkErr := m.Fiemap(ctx, start, length, flags, func(e FiemapExtent) bool {
		if kept != nil && !store(0) {
			more = false
			return false
		}
		kept = &e
		return true
	})
	if err == nil {
		err = walkErr
	}
	if err == nil && more && kept != nil {
		store(abi.FIEMAP_EXTENT_LAST)
	}
	return n, err
}
