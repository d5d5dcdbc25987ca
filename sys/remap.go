// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// Controls that let files share blocks, include/uapi/linux/fs.h.
const (
	ficlone       = 0x40049409
	ficloneRange  = 0x4020940d
	fidedupeRange = 0xc0189436
)

// remap is FICLONE, FICLONERANGE (ioctl_file_clone) and FIDEDUPERANGE
// (ioctl_file_dedupe_range). No file system here shares blocks: what Linux checks
// before it asks one is checked, and the answer is EOPNOTSUPP, after which programs copy.
func remap(t *kernel.Task, f *fs.File, cmd uint32, arg uint64) error {
	fd := int(int32(arg))
	switch cmd {
	case fidedupeRange:
		const sizeofRange, sizeofInfo = 24, 32
		var r [sizeofRange]byte
		if err := t.CopyIn(arg, r[:]); err != nil {
			return err
		}
		if n := int(le.Uint16(r[16:])); sizeofRange+n*sizeofInfo > pageSize {
			return abi.ENOMEM
		}
		switch {
		case f.Kind() == abi.S_IFDIR:
			return abi.EISDIR
		case f.Kind() != abi.S_IFREG, !f.Readable():
			return abi.EINVAL
		}
		return abi.EOPNOTSUPP
	case ficloneRange:
		var r [32]byte
		if err := t.CopyIn(arg, r[:]); err != nil {
			return err
		}
		fd = int(int32(le.Uint64(r[:])))
	}
	in, err := t.Files.Get(fd)
	if err != nil {
		return err
	}
	defer in.DecRef()
	if in.IsPath() {
		return abi.EBADF
	}
	if in.Path.Dentry.SuperBlock() != f.Path.Dentry.SuperBlock() {
		return abi.EXDEV
	}
	for _, g := range []*fs.File{in, f} {
		if g.Kind() == abi.S_IFDIR {
			return abi.EISDIR
		}
	}
	switch {
	case in.Kind() != abi.S_IFREG || f.Kind() != abi.S_IFREG:
		return abi.EINVAL
	case !in.Readable(), !f.Writable(), f.Flags()&abi.O_APPEND != 0:
		return abi.EBADF
	}
	return abi.EOPNOTSUPP
}
