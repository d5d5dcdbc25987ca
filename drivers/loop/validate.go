// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// deviceOf is the block device that a file is; nil: it is none.
func deviceOf(f *fs.File) *bdev.Device { return bdev.DeviceOf(f) }

// validate is loop_validate_file, and more: what the file lies on may not be this
// device. bound tells that there may be file systems on it already.
func (x *device) validate(f *fs.File, bound bool) error {
	if k := f.Kind(); k != abi.S_IFREG && k != abi.S_IFBLK {
		return abi.EINVAL
	}
	for f != nil {
		d := deviceOf(f)
		if d == nil {
			if !bound { // nothing can be on a device without a medium
				return nil
			}
			// A stack of file systems does not say what is below it.
			if t := f.Path.Mnt.SB.Type; t == "overlay" {
				return abi.EINVAL
			}
			if d = x.d.t.ByDev(f.Path.Mnt.SB.Dev); d == nil {
				return nil
			}
		}
		y, is := d.Disk().Driver().(*device)
		if !is {
			return nil
		}
		if y == x {
			return abi.EBADF
		}
		back := y.shown.Load().back
		if back == nil {
			return abi.EINVAL
		}
		f = back.file
	}
	return nil
}
