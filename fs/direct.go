// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// DirectIOer is the ability of regular files to be opened with O_DIRECT.
type DirectIOer interface {
	// DirectAlign gives the unit of offsets and lengths, in bytes: 1 for any; 0
	// when the file cannot do it as it is now, and is read and written as without.
	DirectAlign() uint32
}

// canDirect gives EINVAL for what cannot be opened with O_DIRECT. Pipes have
// another use for the flag, and block devices check for themselves.
func canDirect(kind uint32, i Inode) error {
	switch kind {
	case abi.S_IFREG:
		if _, ok := i.(DirectIOer); ok {
			return nil
		}
	case abi.S_IFBLK:
		return nil
	}
	return abi.EINVAL
}

// direct gives the error of transferring n bytes at off: EINVAL for what is not
// a multiple of the file's unit.
func (f *File) direct(off int64, n int) error {
	if f.flags.Load()&abi.O_DIRECT == 0 || n == 0 {
		return nil
	}
	if d, ok := f.inode.(DirectIOer); ok {
		if unit := int64(d.DirectAlign()); unit > 1 && (off%unit != 0 || int64(n)%unit != 0) {
			return abi.EINVAL
		}
	}
	return nil
}

// directRead is direct for reads, which find nothing to do behind the end.
func (f *File) directRead(off int64, n int) error {
	err := f.direct(off, n)
	if err == nil {
		return nil
	}
	if a, e := f.inode.Getattr(); e == nil && off >= a.Size {
		return nil
	}
	return err
}

// CheckDirect gives EINVAL for a transfer with a piece of n bytes that is not a
// multiple of what O_DIRECT asks for, in front of the end of file. off negative
// means the position.
func (f *File) CheckDirect(off int64, n uint64) error {
	if f.flags.Load()&abi.O_DIRECT == 0 {
		return nil
	}
	d, ok := f.inode.(DirectIOer)
	if !ok {
		return nil
	}
	unit := d.DirectAlign()
	if unit <= 1 || n%uint64(unit) == 0 {
		return nil
	}
	if off < 0 {
		off = f.Pos()
	}
	if a, err := f.inode.Getattr(); err == nil && off >= a.Size {
		return nil
	}
	return abi.EINVAL
}
