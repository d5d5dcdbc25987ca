// SPDX-License-Identifier: Apache-2.0

package sys

import "lodger/fs"

// encodeStat makes the struct stat of x86-64 (abi.Stat).
func encodeStat(a *fs.Attr) (b [144]byte) {
	le.PutUint64(b[0:], a.Dev)
	le.PutUint64(b[8:], a.Ino)
	le.PutUint64(b[16:], uint64(a.Nlink))
	le.PutUint32(b[24:], a.Mode)
	le.PutUint32(b[28:], a.UID)
	le.PutUint32(b[32:], a.GID)
	le.PutUint64(b[40:], a.Rdev)
	le.PutUint64(b[48:], uint64(a.Size))
	le.PutUint64(b[56:], uint64(a.Blksize))
	le.PutUint64(b[64:], a.Blocks)
	putTimespec(b[72:], a.Atime)
	putTimespec(b[88:], a.Mtime)
	putTimespec(b[104:], a.Ctime)
	return b
}

// Where the strace printer finds st_mode and st_rdev.
const (
	statModeAt = 24
	statRdevAt = 40
)
