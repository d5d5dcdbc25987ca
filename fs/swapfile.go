// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// SetSwapFile makes a regular file a swap file, or an ordinary one again (S_SWAPFILE):
// nobody may change or remove it.
func (v *VFS) SetSwapFile(i Inode, on bool) {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	if !on {
		delete(v.swaps, i)
	} else {
		if v.swaps == nil {
			v.swaps = map[Inode]bool{}
		}
		v.swaps[i] = true
	}
	v.swapFiles.Store(int32(len(v.swaps)))
}

// isSwapFile is IS_SWAPFILE.
func (v *VFS) isSwapFile(i Inode) bool {
	if v.swapFiles.Load() == 0 { // nearly always
		return false
	}
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	return v.swaps[i]
}

// notSwap is ETXTBSY for the content of a swap file.
func (d *Dentry) notSwap() error {
	if d.kind == abi.S_IFREG && d.sb.VFS.isSwapFile(d.inode) {
		return abi.ETXTBSY
	}
	return nil
}
