// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// BlockDevices opens what is behind block special files: block/bdev.Table.
type BlockDevices interface {
	// Open makes the file behind a node at path with number rdev; abi.ENXIO when
	// there is no such device. flags are O_*; access was checked.
	Open(ctx *Context, path Path, rdev uint64, flags int) (FileOps, error)
}

// SetBlockDevices makes block special files openable.
func (v *VFS) SetBlockDevices(b BlockDevices) {
	v.regMu.Lock()
	defer v.regMu.Unlock()
	v.blk = b
}

// openBlock opens a block special file.
func (v *VFS) openBlock(ctx *Context, p Path, i Inode, flags int) (FileOps, error) {
	v.regMu.RLock()
	b := v.blk
	v.regMu.RUnlock()
	if b == nil {
		return nil, abi.ENXIO
	}
	a, err := i.Getattr()
	if err != nil {
		return nil, err
	}
	return b.Open(ctx, p, a.Rdev, flags)
}
