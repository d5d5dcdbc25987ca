// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"math"

	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// ioctlTrim is FITRIM of struct fstrim_range: start, length, least length of a
// run, in bytes; the length comes back as what was trimmed.
func (s *FS) ioctlTrim(ctx *fs.Context, arg uint64, mem fs.UserMemory) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	d, ok := s.dev.(Discarder)
	if !ok {
		return abi.EOPNOTSUPP
	}
	if !ctx.MayWait { // the device may take its time
		return fs.ErrMustWait
	}
	var b [24]byte
	if err := mem.CopyIn(arg, b[:]); err != nil {
		return err
	}
	n, err := s.trim(d, le64(b[:], 0), le64(b[:], 8), le64(b[:], 16))
	if err != nil {
		return err
	}
	put64(b[:], 8, n)
	return mem.CopyOut(arg, b[:])
}

// trim tells the device which blocks nobody uses (ext4_trim_fs). Blocks that a
// transaction freed which is not durable are not among them.
func (s *FS) trim(d Discarder, start, length, least uint64) (bytes uint64, err error) {
	bs := uint64(s.es.blockSize)
	if least/bs > uint64(s.es.clustersPerGrp) || start/bs >= s.es.blocksCount || length < bs {
		return 0, abi.EINVAL
	}
	// A read-only mount has bitmaps as good as any, unless what is in the journal is
	// missing from them, or an error came between them and the disk.
	if s.aborted() || s.opt.NoLoad && s.es.hasCompat(compatHasJournal) {
		return 0, abi.EROFS
	}
	first, end := start/bs, s.es.blocksCount
	if n := length / bs; n < end-min(first, end) {
		end = first + n
	}
	first = max(first, uint64(s.es.firstDataBlock))
	for first < end {
		g, bit := s.es.groupOf(first)
		n := uint32(min(uint64(s.es.groupLen(g)-bit), end-first))
		k, err := s.trimGroup(d, g, bit, bit+n, uint32(max(least/bs, 1)))
		bytes += uint64(k) * bs
		if err != nil {
			return bytes, err
		}
		first += uint64(n)
	}
	return bytes, nil
}

// trimGroup trims the free runs of blocks [bit, end) of a group that are least
// blocks long. A whole group is not trimmed twice in vain.
func (s *FS) trimGroup(d Discarder, g, bit, end, least uint32) (blocks uint32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releaseFreed()
	gr := &s.groups[g]
	whole := bit == 0 && end == s.es.groupLen(g)
	if gr.freeBlocks < least || gr.trimmed != 0 && gr.trimmed <= least {
		return 0, nil
	}
	b, err := s.blockBitmap(g)
	if err != nil {
		return 0, nil // noted; the other groups can be trimmed
	}
	for bit < end {
		if !s.isFree(gr, b, bit) {
			bit++
			continue
		}
		n := uint32(1)
		for bit+n < end && s.isFree(gr, b, bit+n) {
			n++
		}
		if n >= least {
			if err := s.discardBlocks(d, s.es.groupFirst(g)+uint64(bit), n); err != nil {
				return blocks, err
			}
			blocks += n
		}
		bit += n
	}
	if whole {
		gr.trimmed = least
	}
	return blocks, nil
}

// discardBlocks tells the device that it can forget blocks.
func (s *FS) discardBlocks(d Discarder, first uint64, n uint32) error {
	bs := int64(s.es.blockSize)
	if first > math.MaxInt64/uint64(bs) {
		return abi.EUCLEAN
	}
	return d.Discard(int64(first)*bs, int64(n)*bs)
}

// discardFreed tells the device of blocks whose freeing is durable, with mount
// option discard. It is only a hint.
func (s *FS) discardFreed(first uint64, n uint32) {
	if d, ok := s.dev.(Discarder); ok && s.options()&optDiscard != 0 {
		if err := s.discardBlocks(d, first, n); err != nil {
			s.log(printk.Warning, "discard of %d blocks at %d: %v", n, first, err)
		}
	}
}
