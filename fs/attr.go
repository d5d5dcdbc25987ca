// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Attr is what stat tells about an inode.
type Attr struct {
	Dev        uint64 // st_dev, abi.Makedev form
	Ino        uint64
	Mode       uint32 // type and permission bits
	Nlink      uint32
	UID, GID   uint32
	Rdev       uint64 // abi.Makedev form
	Size       int64  // bytes
	Blocks     uint64 // 512-byte units
	Blksize    uint32 // bytes
	Attributes uint32 // STATX_ATTR_*
	AttrMask   uint32 // those of Attributes that the file system knows
	Atime      abi.Timespec
	Mtime      abi.Timespec
	Ctime      abi.Timespec
	Btime      abi.Timespec // zero: unknown
}

// Type gives the S_IFMT bits.
func (a *Attr) Type() uint32 { return a.Mode & abi.S_IFMT }

// IsDir reports whether the attributes are a directory's.
func (a *Attr) IsDir() bool { return a.Mode&abi.S_IFMT == abi.S_IFDIR }

// Valid bits of a SetAttr.
const (
	AttrMode  = 1 << iota // Mode: permission bits
	AttrUID               // UID
	AttrGID               // GID
	AttrSize              // Size: truncate or extend
	AttrAtime             // Atime
	AttrMtime             // Mtime
	AttrCtime             // Ctime; the VFS always sets it
)

// SetAttr is a change of attributes; only the fields named in Valid count.
// Permission has been checked and S_ISUID and S_ISGID rules applied before a
// file system sees one.
type SetAttr struct {
	Valid    uint32
	Mode     uint32 // permission bits, without type
	UID, GID uint32
	Size     int64
	Atime    abi.Timespec
	Mtime    abi.Timespec
	Ctime    abi.Timespec
}

// NewAttr says how a new inode shall look. The VFS has applied umask, owner and
// S_ISGID inheritance.
type NewAttr struct {
	Mode     uint32 // type and permission bits
	UID, GID uint32
	Rdev     uint64
	Now      abi.Timespec
	// NoLink keeps an unnamed file from ever getting a name (O_TMPFILE|O_EXCL).
	NoLink bool
	// Access and Default are ACLs that an ACLHolder gives to the inode; nil: none.
	Access, Default ACL
}

// DTypeOf gives the d_type of a mode.
func DTypeOf(mode uint32) uint8 { return uint8(mode & abi.S_IFMT >> 12) }
