// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// CharDevice is one row of the table of character devices.
type CharDevice struct {
	Major, Minor uint32
	Name         string // path below /dev; "" makes no node
	Mode         uint32 // permission bits of the node
	// Open makes the file behind a node.
	Open func(ctx *Context, path Path, flags int) (FileOps, error)
}

// RegisterCharDevice makes d openable through any node with its numbers, and
// replaces an older row of these numbers.
func (v *VFS) RegisterCharDevice(d CharDevice) {
	v.regMu.Lock()
	defer v.regMu.Unlock()
	v.chr[abi.Makedev(d.Major, d.Minor)] = &d
}

func (v *VFS) charDevice(rdev uint64) *CharDevice {
	v.regMu.RLock()
	defer v.regMu.RUnlock()
	return v.chr[rdev]
}
