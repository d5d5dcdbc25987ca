// SPDX-License-Identifier: Apache-2.0

package jbd2

import "hash/crc32"

// Checksum types (s_checksum_type, h_chksum_type).
const (
	checksumCRC32  = 1
	checksumCRC32C = 4
)

// crc32c is Linux's: no inversion before and after, which Go's has.
func crc32c(crc uint32, p []byte) uint32 {
	return ^crc32.Update(^crc, crc32.MakeTable(crc32.Castagnoli), p)
}

// crc32be is Linux's crc32_be, the checksum of version 1 journals: the Ethernet
// polynomial with the highest bit first, which package hash/crc32 does not have.
type crc32be [256]uint32

func newCRC32BE() *crc32be {
	const poly = 0x04c11db7
	t := new(crc32be)
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ poly
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}

func (t *crc32be) update(crc uint32, p []byte) uint32 {
	for _, b := range p {
		crc = crc<<8 ^ t[byte(crc>>24)^b]
	}
	return crc
}

// crcHole is the checksum of b with the four bytes at hole taken as zero, which
// is how each block's checksum of itself is defined.
func crcHole(seed uint32, b []byte, hole int) uint32 {
	var zero [4]byte
	crc := crc32c(seed, b[:hole])
	crc = crc32c(crc, zero[:])
	return crc32c(crc, b[hole+4:])
}

// tailOK checks the checksum that ends a descriptor or revoke block.
func (f format) tailOK(b []byte) bool {
	if f.tail() == 0 {
		return true
	}
	hole := len(b) - tailSize
	return be32(b, hole) == crcHole(f.seed, b, hole)
}

func (f format) setTail(b []byte) {
	if f.tail() != 0 {
		hole := len(b) - tailSize
		put32(b, hole, crcHole(f.seed, b, hole))
	}
}

// tidSeed is where the checksums of a transaction's logged blocks begin.
func (f format) tidSeed(tid TID) uint32 {
	var seq [4]byte
	put32(seq[:], 0, uint32(tid))
	return crc32c(f.seed, seq[:])
}
