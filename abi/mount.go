// SPDX-License-Identifier: Apache-2.0

package abi

// Flags of mount(2), include/uapi/linux/mount.h.
const (
	MS_RDONLY      = 0x1
	MS_NOSUID      = 0x2
	MS_NODEV       = 0x4
	MS_NOEXEC      = 0x8
	MS_SYNCHRONOUS = 0x10
	MS_REMOUNT     = 0x20
	MS_MANDLOCK    = 0x40
	MS_DIRSYNC     = 0x80
	MS_NOSYMFOLLOW = 0x100
	MS_NOATIME     = 0x400
	MS_NODIRATIME  = 0x800
	MS_BIND        = 0x1000
	MS_MOVE        = 0x2000
	MS_REC         = 0x4000
	MS_SILENT      = 0x8000
	MS_POSIXACL    = 0x10000
	MS_UNBINDABLE  = 0x20000
	MS_PRIVATE     = 0x40000
	MS_SLAVE       = 0x80000
	MS_SHARED      = 0x100000
	MS_RELATIME    = 0x200000
	MS_STRICTATIME = 0x1000000
	MS_LAZYTIME    = 0x2000000
	MS_MGC_VAL     = 0xc0ed0000
	MS_MGC_MSK     = 0xffff0000
)

// Flags of umount2(2).
const (
	MNT_FORCE       = 1
	MNT_DETACH      = 2
	MNT_EXPIRE      = 4
	UMOUNT_NOFOLLOW = 8
)

// Flags of statfs.f_flags.
const (
	ST_RDONLY      = 0x1
	ST_SYNCHRONOUS = 0x10
	ST_NOSUID      = 0x2
	ST_NODEV       = 0x4
	ST_NOEXEC      = 0x8
	ST_VALID       = 0x20
	ST_NOATIME     = 0x400
	ST_NODIRATIME  = 0x800
	ST_RELATIME    = 0x1000
	ST_NOSYMFOLLOW = 0x2000
)
