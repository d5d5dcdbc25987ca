// SPDX-License-Identifier: Apache-2.0

package sys

import "lodger/fs"

// encodeStat makes the struct stat of arm64 (abi.Stat).
func encodeStat(a *fs.Attr) (b [128]byte) {
	le.PutUint64(b[0:], a.Dev)
	le.PutUint64(b[8:], a.Ino)
	le.PutUint32(b[16:], a.Mode)
	le.PutUint32(b[20:], a.Nlink)
	le.PutUint32(b[24:], a.UID)
	le.PutUint32(b[28:], a.GID)
	le.PutUint64(b[32:], a.Rdev)
	le.PutUint64(b[48:], uint64(a.Size))
	le.PutUint32(b[56:], a.Blksize)
	le.PutUint64(b[64:], a.Blocks)
	putTimespec(b[72:], a.Atime)
	putTimespec(b[88:], a.Mtime)
	putTimespec(b[104:], a.Ctime)
	return b
}

// Where the strace printer finds st_mode and st_rdev.
const (
	statModeAt = 16
	statRdevAt = 32
)
