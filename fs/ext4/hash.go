// SPDX-License-Identifier: Apache-2.0

package ext4

import "math/bits"

// Versions of the directory hash (Documentation/filesystems/ext4/directory.rst).
const (
	hashLegacy = iota
	hashHalfMD4
	hashTea
	hashLegacyU
	hashHalfMD4U
	hashTeaU
)

// hashEOF is the largest hash; it marks the end of a directory.
const hashEOF = 0x7fffffff << 1

// dirHash is ext4fs_dirhash: the major hash orders a directory's index, the
// minor one tells listings' positions apart. ok is false for unknown versions.
func dirHash(name string, version uint8, seed [4]uint32) (major, minor uint32, ok bool) {
	st := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	if seed != [4]uint32{} {
		st = seed
	}
	signed := version < hashLegacyU
	switch version {
	case hashLegacy, hashLegacyU:
		major = legacyHash(name, signed)
	case hashHalfMD4, hashHalfMD4U:
		for p := name; len(p) > 0; p = p[min(32, len(p)):] {
			var in [8]uint32
			hashWords(p, in[:], signed)
			halfMD4(&st, &in)
		}
		major, minor = st[1], st[2]
	case hashTea, hashTeaU:
		for p := name; len(p) > 0; p = p[min(16, len(p)):] {
			var in [4]uint32
			hashWords(p, in[:], signed)
			tea(&st, &in)
		}
		major, minor = st[0], st[1]
	default:
		return 0, 0, false
	}
	if major &^= 1; major == hashEOF {
		major = hashEOF - 2
	}
	return major, minor, true
}

// char widens a byte as C's char does where it is signed, and where it is not.
func char(c byte, signed bool) uint32 {
	if signed {
		return uint32(int32(int8(c)))
	}
	return uint32(c)
}

func legacyHash(name string, signed bool) uint32 {
	h, prev := uint32(0x12a3fe2d), uint32(0x37abe8f9)
	for i := range len(name) {
		n := prev + (h ^ char(name[i], signed)*7152373)
		if n&0x80000000 != 0 {
			n -= 0x7fffffff
		}
		prev, h = h, n
	}
	return h << 1
}

// hashWords is str2hashbuf: the name in words, filled up with its length.
func hashWords(p string, out []uint32, signed bool) {
	pad := uint32(len(p)) | uint32(len(p))<<8
	pad |= pad << 16
	val, n := pad, 0
	for i := 0; i < min(len(p), len(out)*4); i++ {
		val = char(p[i], signed) + val<<8
		if i%4 == 3 {
			out[n] = val
			n++
			val = pad
		}
	}
	if n < len(out) {
		out[n] = val
		n++
	}
	for ; n < len(out); n++ {
		out[n] = pad
	}
}

// halfMD4 is lib: half_md4_transform, three rounds of eight steps.
func halfMD4(st *[4]uint32, in *[8]uint32) {
	a, b, c, d := st[0], st[1], st[2], st[3]
	f := func(x, y, z uint32) uint32 { return z ^ x&(y^z) }
	g := func(x, y, z uint32) uint32 { return x&y + (x^y)&z }
	h := func(x, y, z uint32) uint32 { return x ^ y ^ z }
	round := func(f func(x, y, z uint32) uint32, k uint32, order [8]int, s [4]int) {
		for i := 0; i < 8; i += 4 {
			a = bits.RotateLeft32(a+f(b, c, d)+in[order[i]]+k, s[0])
			d = bits.RotateLeft32(d+f(a, b, c)+in[order[i+1]]+k, s[1])
			c = bits.RotateLeft32(c+f(d, a, b)+in[order[i+2]]+k, s[2])
			b = bits.RotateLeft32(b+f(c, d, a)+in[order[i+3]]+k, s[3])
		}
	}
	round(f, 0, [8]int{0, 1, 2, 3, 4, 5, 6, 7}, [4]int{3, 7, 11, 19})
	round(g, 0x5a827999, [8]int{1, 3, 5, 7, 0, 2, 4, 6}, [4]int{3, 5, 9, 13})
	round(h, 0x6ed9eba1, [8]int{3, 7, 2, 6, 1, 5, 0, 4}, [4]int{3, 9, 11, 15})
	st[0] += a
	st[1] += b
	st[2] += c
	st[3] += d
}

// tea is TEA_transform: sixteen rounds of the Tiny Encryption Algorithm.
func tea(st *[4]uint32, in *[4]uint32) {
	b0, b1, sum := st[0], st[1], uint32(0)
	for range 16 {
		sum += 0x9e3779b9
		b0 += (b1<<4 + in[0]) ^ (b1 + sum) ^ (b1>>5 + in[1])
		b1 += (b0<<4 + in[2]) ^ (b0 + sum) ^ (b0>>5 + in[3])
	}
	st[0] += b0
	st[1] += b1
}
