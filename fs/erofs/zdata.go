// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"lodger/abi"
	"lodger/lib/lz4"
)

// extentKey names a decompressed extent.
type extentKey struct {
	nid uint64
	la  int64
}

// readCompressed reads at least a byte; p lies within the file.
func (i *inode) readCompressed(p []byte, off int64) (int, error) {
	e, err := i.extent(off)
	if err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), e.la+e.len-off)]
	if e.frag >= 0 {
		n, err := i.s.packed.readAt(p, e.frag+off-e.la)
		if err == nil && n < len(p) {
			err = i.s.corrupt(i.nid, "fragment at %d is cut off", e.frag)
		}
		return n, err
	}
	b, err := i.s.extents.Get(extentKey{i.nid, e.la}, func() ([]byte, int, error) {
		b, err := i.decompress(e)
		return b, len(b) + 64, err
	})
	if err != nil {
		return 0, err
	}
	return copy(p, b[off-e.la:]), nil
}

// decompress reads an extent.
func (i *inode) decompress(e extent) ([]byte, error) {
	s := i.s
	in := make([]byte, e.plen)
	var err error
	if e.inline {
		err = s.readMeta(in, e.pa)
	} else {
		err = s.readData(in, e.pa)
	}
	if err != nil {
		return nil, err
	}
	out := make([]byte, e.len)
	if e.head.typ == lclPlain {
		return out, i.plain(out, in, e)
	}
	partial := e.head.partial || s.incompat&incompatZeroPadding == 0
	if s.incompat&incompatZeroPadding != 0 {
		if in, err = i.unpad(in, e); err != nil {
			return nil, err
		}
	}
	n, err := lz4.Decode(out, in, partial)
	if err != nil || n != len(out) {
		s.Printf("nid %d: failed to decompress %d bytes at %d to %d: %v, %d", i.nid, e.plen, e.pa, e.len, err, n)
		return nil, abi.EIO
	}
	return out, nil
}

// unpad skips the zeroes before LZ4 data, in its first block (z_erofs_fixup_insize).
func (i *inode) unpad(in []byte, e extent) ([]byte, error) {
	end := int(min(e.plen, i.s.blockSize-e.pa&(i.s.blockSize-1)))
	for n := range in[:end] {
		if in[n] != 0 {
			return in[n:], nil
		}
	}
	return nil, i.s.corrupt(i.nid, "no data in the cluster at %d", e.pa)
}

// plain takes what is not compressed; interlaced, bytes are at their offset in a block,
// so that those of the extent's first block come last (z_erofs_transform_plain).
func (i *inode) plain(out, in []byte, e extent) error {
	if len(out) > len(in) {
		return i.s.corrupt(i.nid, "plain extent of %d bytes in %d", len(out), len(in))
	}
	if i.zhead.advise&adviseInterlaced == 0 {
		copy(out, in)
		return nil
	}
	bs := int(i.s.blockSize)
	ofs := int(e.la) & (bs - 1)
	n := min(bs-ofs, len(out))
	if ofs+n > len(in) {
		return i.s.corrupt(i.nid, "interlaced extent of %d bytes in %d", len(out), len(in))
	}
	copy(out[:n], in[ofs:])
	copy(out[n:], in)
	return nil
}
