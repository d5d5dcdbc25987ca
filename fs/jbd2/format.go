// SPDX-License-Identifier: Apache-2.0

package jbd2

import "encoding/binary"

// All fields are big-endian: a journal written by one processor is replayed by
// any other. Names and values are those of include/linux/jbd2.h.

// Magic begins each block of the log that is no copy of a file-system block.
const Magic = 0xc03b3998

// Block types (h_blocktype).
const (
	descriptorBlock = 1
	commitBlock     = 2
	superblockV1    = 3
	superblockV2    = 4
	revokeBlock     = 5
)

// headerSize is the size of journal_header_t: magic, type, sequence.
const headerSize = 12

// tailSize is the size of the checksum that ends descriptor and revoke blocks
// (jbd2_journal_block_tail) when a journal has checksums of version 2 or 3.
const tailSize = 4

// header is journal_header_t.
type header struct {
	magic, blocktype, sequence uint32
}

func parseHeader(b []byte) header {
	return header{be32(b, 0), be32(b, 4), be32(b, 8)}
}

func putHeader(b []byte, blocktype uint32, tid TID) {
	put32(b, 0, Magic)
	put32(b, 4, blocktype)
	put32(b, 8, uint32(tid))
}

func be32(b []byte, off int) uint32     { return binary.BigEndian.Uint32(b[off:]) }
func be64(b []byte, off int) uint64     { return binary.BigEndian.Uint64(b[off:]) }
func put32(b []byte, off int, v uint32) { binary.BigEndian.PutUint32(b[off:], v) }
func put64(b []byte, off int, v uint64) { binary.BigEndian.PutUint64(b[off:], v) }
func be16(b []byte, off int) uint16     { return binary.BigEndian.Uint16(b[off:]) }
func put16(b []byte, off int, v uint16) { binary.BigEndian.PutUint16(b[off:], v) }

// TID is a transaction's sequence number (tid_t). It wraps around, so two of
// them are compared by their difference.
type TID uint32

// After reports whether t is later than o (tid_gt).
func (t TID) After(o TID) bool { return int32(t-o) > 0 }

// AtLeast reports whether t is o or later (tid_geq).
func (t TID) AtLeast(o TID) bool { return int32(t-o) >= 0 }
