// SPDX-License-Identifier: Apache-2.0

// Package lz4 decodes blocks of LZ4, as lib/lz4/lz4_decompress.c does: the block
// format alone, without frames and checksums, which file systems bring themselves.
//
// It stands beside the libraries because erofs needs what they lack: a block of
// which only the beginning is wanted, followed by bytes that are no part of it
// (LZ4_decompress_safe_partial).
//
// Left out: dictionaries, encoding.
package lz4

import "errors"

// ErrCorrupt is the error of bytes that are no LZ4 block, or of one that holds
// more than dst when all of it is wanted.
var ErrCorrupt = errors.New("lz4: corrupt block")

// Decode decodes src into dst and gives how much it was. With partial it stops when
// dst is full, whatever follows.
func Decode(dst, src []byte, partial bool) (int, error) {
	d, s := 0, 0
	for s < len(src) {
		token := src[s]
		s++
		n, ok := length(src, &s, int(token>>4))
		m := min(n, len(dst)-d)
		if !ok || m > len(src)-s || m < n && !partial {
			return d, ErrCorrupt
		}
		d += copy(dst[d:], src[s:s+m])
		s += m
		if partial && d == len(dst) || s == len(src) {
			return d, nil
		}
		if len(src)-s < 2 {
			return d, ErrCorrupt
		}
		dist := int(src[s]) | int(src[s+1])<<8
		s += 2
		if n, ok = length(src, &s, int(token&15)); !ok || dist == 0 || dist > d {
			return d, ErrCorrupt
		}
		if n += 4; n > len(dst)-d {
			if !partial {
				return d, ErrCorrupt
			}
			n = len(dst) - d
		}
		for n > 0 { // what is copied may be what this very copy made
			m := copy(dst[d:d+n], dst[d-dist:d])
			d, n = d+m, n-m
		}
		if partial && d == len(dst) {
			return d, nil
		}
	}
	return d, ErrCorrupt // a block ends with literals
}

// length reads the rest of a length whose four bits are n.
func length(src []byte, s *int, n int) (int, bool) {
	if n != 15 {
		return n, true
	}
	for *s < len(src) {
		c := src[*s]
		*s++
		n += int(c)
		if c != 255 {
			return n, true
		}
	}
	return 0, false
}
