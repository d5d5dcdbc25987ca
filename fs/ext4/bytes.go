// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"encoding/binary"
	"hash/crc32"
)

// The format is little-endian throughout.

func le16(b []byte, off int) uint16 { return binary.LittleEndian.Uint16(b[off:]) }
func le32(b []byte, off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
func le64(b []byte, off int) uint64 { return binary.LittleEndian.Uint64(b[off:]) }

func put16(b []byte, off int, v uint16) { binary.LittleEndian.PutUint16(b[off:], v) }
func put32(b []byte, off int, v uint32) { binary.LittleEndian.PutUint32(b[off:], v) }
func put64(b []byte, off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }

// crc32c is ext4_chksum: the Castagnoli polynomial without the inversions at
// start and end that Go's package makes.
func crc32c(seed uint32, p []byte) uint32 {
	return ^crc32.Update(^seed, crc32.MakeTable(crc32.Castagnoli), p)
}

// crc32cZero continues over n zero bytes, which stand for a checksum's own place.
func crc32cZero(seed uint32, n int) uint32 { return crc32cLE(seed, 0, n) }

func crc32cLE32(seed, v uint32) uint32 { return crc32cLE(seed, uint64(v), 4) }

func crc32cLE64(seed uint32, v uint64) uint32 { return crc32cLE(seed, v, 8) }

// crc32cLE continues over n bytes of v. Byte by byte: what is handed to package
// crc32 is moved to the heap.
func crc32cLE(crc uint32, v uint64, n int) uint32 {
	t := crc32.MakeTable(crc32.Castagnoli)
	for range n {
		crc = t[byte(crc)^byte(v)] ^ crc>>8
		v >>= 8
	}
	return crc
}

// crc16 is lib/crc16.c (polynomial x^16 + x^15 + x^2 + 1), for the descriptors
// of uninit_bg file systems. They are few and short: no table.
func crc16(crc uint16, p []byte) uint16 {
	for _, b := range p {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// testBit, setBit and clearBit are the little-endian bit operations of bitmaps.
func testBit(b []byte, n uint32) bool { return b[n>>3]>>(n&7)&1 != 0 }
func setBit(b []byte, n uint32)       { b[n>>3] |= 1 << (n & 7) }
func clearBit(b []byte, n uint32)     { b[n>>3] &^= 1 << (n & 7) }

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// divUp divides, rounding up.
func divUp(a, b uint64) uint64 { return a/b + min(a%b, 1) }
