// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"fmt"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
)

// Volume is the block device that a file system lies on.
type Volume struct {
	Dev  block.Device
	Rdev uint64           // st_dev of all inodes; 0: an anonymous number
	Log  func(msg string) // gets a line for each thing worth one; may be nil
}

// Printf logs.
func (v *Volume) Printf(format string, args ...any) {
	if v.Log != nil {
		v.Log(fmt.Sprintf(format, args...))
	}
}

// ReadAt reads all of p, or says EIO and why.
func (v *Volume) ReadAt(p []byte, off int64) error {
	n, err := v.Dev.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	v.Printf("read of %d bytes at %d: %v", len(p), off, err)
	return abi.EIO
}

// Pages finds whole pages of the volume in one host file, by a descriptor that nobody
// can write through.
func (v *Volume) Pages(at, length int64) (fd int, off int64, ok bool) {
	const page = 4096
	r, err := block.Locate(v.Dev, at, length)
	if err != nil || r.Len < length || r.Off%page != 0 {
		return -1, 0, false
	}
	return r.ReadFD, r.Off, r.ReadFD >= 0
}

// MountFunc mounts what lies on a volume; flags and data are mount(2)'s.
type MountFunc func(v *fs.VFS, vol Volume, flags uint32, data string) (*fs.SuperBlock, error)

// Mount calls mount with what holds for all: a device that cannot be written is
// mounted read-only or not at all (setup_bdev_super).
func Mount(v *fs.VFS, vol Volume, flags uint32, data string, mount MountFunc) (*fs.SuperBlock, error) {
	if block.ReadOnly(vol.Dev) && flags&abi.MS_RDONLY == 0 {
		return nil, abi.EACCES // mount(8) tries again, read-only
	}
	if vol.Rdev == 0 {
		vol.Rdev = v.NewDev()
	}
	return mount(v, vol, flags, data)
}

// NewSuper makes the super block of a mount that has succeeded but for that. ops
// embeds vol.
func NewSuper(v *fs.VFS, vol *Volume, typ string, magic int64, ops any, root fs.Inode) (*fs.SuperBlock, error) {
	sb := v.NewSuperBlock(typ, magic, ops)
	sb.Dev = vol.Rdev
	sb.SetReadOnly(true)
	return sb, sb.SetRoot(root) // cannot fail: Getattr of these file systems does not
}

// NeverWritable implements fs.NeverWritable for who embeds a Volume.
func (*Volume) NeverWritable() {}

// ReleaseSuper implements fs.SuperReleaser for who embeds a Volume and holds nothing
// else: the VFS only tells the end of those that want to know it, and the device must
// become free.
func (*Volume) ReleaseSuper() {}
