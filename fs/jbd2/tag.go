// SPDX-License-Identifier: Apache-2.0

package jbd2

// format is what encoding and decoding of log blocks depends on.
type format struct {
	Features
	blocksize int
	seed      uint32 // crc32c of the UUID, where checksums of blocks begin
	uuid      [16]byte
}

// Tag flags (t_flags).
const (
	flagEscape   = 1 // the block began with Magic; it was zeroed in the log
	flagSameUUID = 2 // no UUID follows the tag
	flagDeleted  = 4 // never written
	flagLastTag  = 8
)

const uuidSize = 16

// tag is journal_block_tag_t or, with checksums of version 3,
// journal_block_tag3_t: where a logged block belongs.
type tag struct {
	block uint64
	flags uint16
	sum   uint32 // 16 bits of it with version 2
}

// tagBytes is the size of a tag without its UUID (journal_tag_bytes). Version 2
// tags have two bytes that nothing uses: its structure once had a wider checksum.
func (f format) tagBytes() int {
	switch {
	case f.csumV3():
		return 16
	case f.csumV2() && f.is64bit():
		return 14
	case f.csumV2():
		return 10
	case f.is64bit():
		return 12
	}
	return 8
}

// tagsPerBlock is how many tags a descriptor block of our own takes: the first
// has a UUID, the others say "same".
func (f format) tagsPerBlock() int {
	return (f.blocksize - headerSize - uuidSize - f.tail()) / f.tagBytes()
}

// parseTag reads one tag; b has at least tagBytes bytes.
func (f format) parseTag(b []byte) tag {
	t := tag{block: uint64(be32(b, 0)), flags: be16(b, 6)}
	if f.is64bit() {
		t.block |= uint64(be32(b, 8)) << 32
	}
	if f.csumV3() {
		t.sum = be32(b, 12)
	} else {
		t.sum = uint32(be16(b, 4))
	}
	return t
}

// putTag writes one tag.
func (f format) putTag(b []byte, t tag) {
	clear(b[:f.tagBytes()])
	put32(b, 0, uint32(t.block))
	put16(b, 6, t.flags)
	if f.is64bit() {
		put32(b, 8, uint32(t.block>>32))
	}
	if f.csumV3() {
		put32(b, 12, t.sum)
	} else if f.csumV2() {
		put16(b, 4, uint16(t.sum))
	}
}

// tagOK checks a logged block, as it stands in the log, against its tag
// (jbd2_block_tag_csum_verify).
func (f format) tagOK(t tag, tid TID, data []byte) bool {
	switch {
	case f.csumV3():
		return t.sum == crc32c(f.tidSeed(tid), data)
	case f.csumV2():
		return t.sum == crc32c(f.tidSeed(tid), data)&0xffff
	}
	return true
}

// tags iterates over the tags of a descriptor block. A block without a last tag
// ends where no tag has room any more.
type tags struct {
	f    format
	b    []byte // what is left
	last bool
}

func (f format) tags(block []byte) tags {
	return tags{f: f, b: block[headerSize : len(block)-f.tail()]}
}

// next gives the next tag.
func (it *tags) next() (t tag, ok bool) {
	n := it.f.tagBytes()
	if it.last || len(it.b) < n {
		return tag{}, false
	}
	t = it.f.parseTag(it.b)
	if t.flags&flagSameUUID == 0 {
		n += uuidSize
	}
	it.b = it.b[min(n, len(it.b)):]
	it.last = t.flags&flagLastTag != 0
	return t, true
}

// countTags is the number of logged blocks that follow a descriptor block.
func (f format) countTags(block []byte) int {
	n := 0
	for it := f.tags(block); ; n++ {
		if _, ok := it.next(); !ok {
			return n
		}
	}
}
