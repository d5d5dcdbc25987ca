// SPDX-License-Identifier: Apache-2.0

package abi

// File type and mode bits, include/uapi/linux/stat.h.
const (
	S_IFMT    = 0o170000
	S_IFSOCK  = 0o140000
	S_IFLNK   = 0o120000
	S_IFREG   = 0o100000
	S_IFBLK   = 0o060000
	S_IFDIR   = 0o040000
	S_IFCHR   = 0o020000
	S_IFIFO   = 0o010000
	S_ISUID   = 0o4000
	S_ISGID   = 0o2000
	S_ISVTX   = 0o1000
	S_IRUSR   = 0o400
	S_IWUSR   = 0o200
	S_IXUSR   = 0o100
	S_IRGRP   = 0o40
	S_IWGRP   = 0o20
	S_IXGRP   = 0o10
	S_IROTH   = 0o4
	S_IWOTH   = 0o2
	S_IXOTH   = 0o1
	S_IXUGO   = 0o111
	S_IALLUGO = 0o7777
)

// Types of a directory entry (d_type).
const (
	DT_UNKNOWN = 0
	DT_FIFO    = 1
	DT_CHR     = 2
	DT_DIR     = 4
	DT_BLK     = 6
	DT_REG     = 8
	DT_LNK     = 10
	DT_SOCK    = 12
	DT_WHT     = 14
)

// Masks and attributes of statx(2).
const (
	STATX_TYPE        = 0x1
	STATX_MODE        = 0x2
	STATX_NLINK       = 0x4
	STATX_UID         = 0x8
	STATX_GID         = 0x10
	STATX_ATIME       = 0x20
	STATX_MTIME       = 0x40
	STATX_CTIME       = 0x80
	STATX_INO         = 0x100
	STATX_SIZE        = 0x200
	STATX_BLOCKS      = 0x400
	STATX_BASIC_STATS = 0x7ff
	STATX_BTIME       = 0x800
	STATX_MNT_ID      = 0x1000
	STATX_DIOALIGN    = 0x2000
	STATX__RESERVED   = 0x80000000

	STATX_ATTR_COMPRESSED = 0x4
	STATX_ATTR_IMMUTABLE  = 0x10
	STATX_ATTR_APPEND     = 0x20
	STATX_ATTR_NODUMP     = 0x40
	STATX_ATTR_ENCRYPTED  = 0x800
	STATX_ATTR_AUTOMOUNT  = 0x1000
	STATX_ATTR_MOUNT_ROOT = 0x2000
	STATX_ATTR_VERITY     = 0x100000
	STATX_ATTR_DAX        = 0x200000
)

// Special nanosecond values of utimensat(2).
const (
	UTIME_NOW  = 0x3fffffff
	UTIME_OMIT = 0x3ffffffe
)

// StatxTimestamp is struct statx_timestamp.
type StatxTimestamp struct {
	Sec  int64
	Nsec uint32
	_    int32
}

// Statx is struct statx (256 bytes).
type Statx struct {
	Mask           uint32
	Blksize        uint32
	Attributes     uint64
	Nlink          uint32
	UID            uint32
	GID            uint32
	Mode           uint16
	_              uint16
	Ino            uint64
	Size           uint64
	Blocks         uint64
	AttributesMask uint64
	Atime          StatxTimestamp
	Btime          StatxTimestamp
	Ctime          StatxTimestamp
	Mtime          StatxTimestamp
	RdevMajor      uint32
	RdevMinor      uint32
	DevMajor       uint32
	DevMinor       uint32
	MntID          uint64
	DioMemAlign    uint32
	DioOffsetAlign uint32
	_              [12]uint64
}

// Statfs is struct statfs of 64-bit processors (120 bytes).
type Statfs struct {
	Type    int64
	Bsize   int64
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64
	Files   uint64
	Ffree   uint64
	Fsid    [2]int32
	Namelen int64
	Frsize  int64
	Flags   int64
	_       [4]int64
}

// Magic numbers of file systems, include/uapi/linux/magic.h.
const (
	ANON_INODE_FS_MAGIC   = 0x09041934
	CGROUP2_SUPER_MAGIC   = 0x63677270
	DEVPTS_SUPER_MAGIC    = 0x1cd1
	EXT4_SUPER_MAGIC      = 0xef53
	OVERLAYFS_SUPER_MAGIC = 0x794c7630
	PIPEFS_MAGIC          = 0x50495045
	PROC_SUPER_MAGIC      = 0x9fa0
	RAMFS_MAGIC           = 0x858458f6
	SOCKFS_MAGIC          = 0x534f434b
	SYSFS_MAGIC           = 0x62656572
	TMPFS_MAGIC           = 0x01021994
)

// Makedev packs a device number as the kernel's new_encode_dev does for
// numbers that fit 32 bits, and as glibc's makedev does for all.
func Makedev(major, minor uint32) uint64 {
	return uint64(major&0xfff)<<8 | uint64(major&0xfffff000)<<32 |
		uint64(minor&0xff) | uint64(minor&0xffffff00)<<12
}

// Major gives the major number of dev.
func Major(dev uint64) uint32 {
	return uint32(dev>>8)&0xfff | uint32(dev>>32)&0xfffff000
}

// Minor gives the minor number of dev.
func Minor(dev uint64) uint32 {
	return uint32(dev)&0xff | uint32(dev>>12)&0xffffff00
}
