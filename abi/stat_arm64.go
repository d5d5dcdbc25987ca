// SPDX-License-Identifier: Apache-2.0

package abi

// Stat is struct stat of arm64, include/uapi/asm-generic/stat.h (128 bytes).
type Stat struct {
	Dev     uint64
	Ino     uint64
	Mode    uint32
	Nlink   uint32
	UID     uint32
	GID     uint32
	Rdev    uint64
	_       uint64
	Size    int64
	Blksize int32
	_       int32
	Blocks  int64
	Atime   Timespec
	Mtime   Timespec
	Ctime   Timespec
	_       [2]uint32
}
