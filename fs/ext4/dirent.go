// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"bytes"

	"lodger/abi"
)

const (
	direntHead = 8 // bytes before the name
	direntTail = 12
	tailType   = 0xde // file type of the fake entry that holds a block's checksum
)

// dirent is a directory entry where it stands.
type dirent struct {
	off  int // in its block
	rec  int // bytes up to the next one
	ino  uint32
	typ  uint8
	name []byte
}

// direntLen is the room that a name needs (EXT4_DIR_REC_LEN).
func direntLen(n int) int { return (direntHead + n + 3) &^ 3 }

// recLen decodes rec_len: the lengths of 64 KiB blocks do not fit 16 bits
// (ext4_rec_len_from_disk).
func recLen(v uint16, blockSize int) int {
	if blockSize < 65536 {
		return int(v)
	}
	if v == 65535 || v == 0 {
		return blockSize
	}
	return int(v)&65532 | int(v)&3<<16
}

func putRecLen(n, blockSize int) uint16 {
	switch {
	case blockSize < 65536 || n < 65536:
		return uint16(n)
	case n == blockSize:
		return 65535
	}
	return uint16(n&65532 | n>>16&3)
}

// direntAt decodes and checks the entry at off; ok is false when it is broken
// (ext4_check_dir_entry).
func (s *FS) direntAt(b []byte, off int) (e dirent, ok bool) {
	if off < 0 || off+direntHead > len(b) {
		return e, false
	}
	e = dirent{off: off, rec: recLen(le16(b, off+4), int(s.es.blockSize)), ino: le32(b, off), typ: b[off+7]}
	n := int(b[off+6])
	if !s.es.hasIncompat(incompatFiletype) { // name_len has 16 bits, none of the upper ones used
		e.typ = 0
	}
	if e.rec < direntLen(1) || e.rec&3 != 0 || off+e.rec > len(b) || e.rec < direntLen(n) || e.ino > s.es.inodesCount {
		return e, false
	}
	e.name = b[off+direntHead : off+direntHead+n]
	return e, true
}

// hasTail reports whether directory blocks end with a checksum.
func (s *FS) dirTail() int {
	if s.es.metadataCsum() {
		return direntTail
	}
	return 0
}

// checkDirBlock checks every entry of a block, and its checksum.
func (i *inode) checkDirBlock(b *Buffer) error {
	s := i.s
	if b.verifiedAs(asDir, i.ino) {
		return nil
	}
	end := len(b.data)
	if s.es.metadataCsum() {
		end -= direntTail
		t := b.data[end:]
		if le32(t, 0) != 0 || le16(t, 4) != direntTail || t[6] != 0 || t[7] != tailType {
			return s.corrupt(i.ino, b.block, "directory block without a checksum")
		}
		if crc32c(i.seed, b.data[:end]) != le32(t, 8) {
			return s.badCsum(i.ino, b.block, "directory block")
		}
	}
	for off := 0; off < end; {
		e, ok := s.direntAt(b.data[:end], off)
		if !ok || e.ino != 0 && !goodName(e.name) {
			return s.corrupt(i.ino, b.block, "directory entry at offset %d is broken", off)
		}
		off += e.rec
	}
	b.setVerified(asDir, i.ino)
	return nil
}

// goodName refuses names that no directory can have.
func goodName(n []byte) bool {
	return len(n) > 0 && bytes.IndexByte(n, '/') < 0 && bytes.IndexByte(n, 0) < 0
}

// setDirCsum sets the checksum of a changed block of entries.
func (i *inode) setDirCsum(b []byte) {
	if !i.s.es.metadataCsum() {
		return
	}
	end := len(b) - direntTail
	t := b[end:]
	put32(t, 0, 0)
	put16(t, 4, direntTail)
	t[6], t[7] = 0, tailType
	put32(t, 8, crc32c(i.seed, b[:end]))
}

// eachDirent calls f for the entries in use until it returns false.
func (s *FS) eachDirent(b []byte, f func(e dirent) bool) {
	for off := 0; off < len(b); {
		e, ok := s.direntAt(b, off)
		if !ok {
			return
		}
		if e.ino != 0 && len(e.name) > 0 && !f(e) {
			return
		}
		off += e.rec
	}
}

// fileType gives the directory's type byte of a mode.
func fileType(mode uint32) uint8 {
	switch mode & abi.S_IFMT {
	case abi.S_IFREG:
		return 1
	case abi.S_IFDIR:
		return 2
	case abi.S_IFCHR:
		return 3
	case abi.S_IFBLK:
		return 4
	case abi.S_IFIFO:
		return 5
	case abi.S_IFSOCK:
		return 6
	case abi.S_IFLNK:
		return 7
	}
	return 0
}

// dtype turns the type byte into d_type.
func dtype(t uint8) uint8 {
	if t > 7 {
		t = 0
	}
	return [...]uint8{abi.DT_UNKNOWN, abi.DT_REG, abi.DT_DIR, abi.DT_CHR, abi.DT_BLK, abi.DT_FIFO, abi.DT_SOCK, abi.DT_LNK}[t]
}
