// SPDX-License-Identifier: Apache-2.0

package jbd2

// Revoke and commit blocks.

// revokeHeaderSize is the size of jbd2_journal_revoke_header_t: a header and
// r_count, the number of bytes used, these included.
const revokeHeaderSize = 16

// recordBytes is the size of one block number in a revoke block.
func (f format) recordBytes() int {
	if f.is64bit() {
		return 8
	}
	return 4
}

// revokesPerBlock is how many records a revoke block takes.
func (f format) revokesPerBlock() int {
	return (f.blocksize - revokeHeaderSize - f.tail()) / f.recordBytes()
}

// revokes calls each for every record of a revoke block.
func (f format) revokes(b []byte, each func(block uint64)) error {
	count := be32(b, headerSize)
	if uint64(count) > uint64(f.blocksize-f.tail()) {
		return invalid("revoke block claims %d bytes", count)
	}
	n := f.recordBytes()
	for off := revokeHeaderSize; off+n <= int(count); off += n {
		if f.is64bit() {
			each(be64(b, off))
		} else {
			each(uint64(be32(b, off)))
		}
	}
	return nil
}

// putRevokes fills a revoke block with at most revokesPerBlock records.
func (f format) putRevokes(b []byte, tid TID, blocks []uint64) {
	clear(b)
	putHeader(b, revokeBlock, tid)
	off := revokeHeaderSize
	for _, block := range blocks {
		if f.is64bit() {
			put64(b, off, block)
		} else {
			put32(b, off, uint32(block))
		}
		off += f.recordBytes()
	}
	put32(b, headerSize, uint32(off))
	f.setTail(b)
}

// Offsets in a commit block (struct commit_header).
const (
	commitChksumType = 12
	commitChksumSize = 13
	commitChksum     = 16
	commitSec        = 48
	commitNsec       = 56
	commitHeaderSize = 60
)

// putCommit fills a commit block. sum is the CRC32 of the transaction's blocks,
// which version 1 checksums keep here.
func (f format) putCommit(b []byte, tid TID, now int64, sum uint32) {
	clear(b)
	putHeader(b, commitBlock, tid)
	put64(b, commitSec, uint64(now/1e9))
	put32(b, commitNsec, uint32(now%1e9))
	switch {
	case f.checksumV1():
		b[commitChksumType], b[commitChksumSize] = checksumCRC32, 4
		put32(b, commitChksum, sum)
	case f.csumV2or3():
		put32(b, commitChksum, crcHole(f.seed, b, commitChksum))
	}
}

// commitOK checks a commit block's checksum of itself. A power cut can leave the
// first sector of a commit block new and the rest old; since we only write zeros
// there, the block is as good as whole when it is right with zeros
// (jbd2_commit_block_csum_verify_partial).
func (f format) commitOK(b []byte) bool {
	if !f.csumV2or3() {
		return true
	}
	want := be32(b, commitChksum)
	if want == crcHole(f.seed, b, commitChksum) {
		return true
	}
	whole := make([]byte, len(b))
	copy(whole, b[:commitHeaderSize])
	return want == crcHole(f.seed, whole, commitChksum)
}

// commitSumOK compares version 1's checksum of a transaction. A zero type means
// that the writer did not compute one.
func commitSumOK(b []byte, sum uint32) bool {
	found := be32(b, commitChksum)
	typ, size := b[commitChksumType], b[commitChksumSize]
	return typ == checksumCRC32 && size == 4 && found == sum || typ == 0 && size == 0 && found == 0
}
