// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"

	"lodger/abi"
)

// FileAttr are the flags of chattr(1) (struct file_kattr).
type FileAttr struct {
	Flags  uint32 // FS_*_FL
	XFlags uint32 // FS_XFLAG_*
	// Of struct fsxattr.
	ExtSize, Nextents, ProjID, CowExtSize uint32
}

// FileAttrer is the ability of inodes to have such flags (i_op fileattr_get,
// fileattr_set).
type FileAttrer interface {
	FileAttr() (FileAttr, error)
	// SetFileAttr changes flags; ownership, and the right to CAP_LINUX_IMMUTABLE's
	// flags, have been checked. abi.EOPNOTSUPP for flags that the file cannot have.
	SetFileAttr(ctx *Context, fa FileAttr) error
}

const fsxattrSize = 28 // struct fsxattr

// commonFlags pairs the flags that both forms have.
func commonFlags() [8][2]uint32 {
	return [...][2]uint32{
		{abi.FS_SYNC_FL, abi.FS_XFLAG_SYNC}, {abi.FS_IMMUTABLE_FL, abi.FS_XFLAG_IMMUTABLE}, {abi.FS_APPEND_FL, abi.FS_XFLAG_APPEND},
		{abi.FS_NODUMP_FL, abi.FS_XFLAG_NODUMP}, {abi.FS_NOATIME_FL, abi.FS_XFLAG_NOATIME}, {abi.FS_DAX_FL, abi.FS_XFLAG_DAX},
		{abi.FS_PROJINHERIT_FL, abi.FS_XFLAG_PROJINHERIT}, {abi.FS_VERITY_FL, abi.FS_XFLAG_VERITY},
	}
}

// FileAttrOf makes the xflags that go with flags (fileattr_fill_flags).
func FileAttrOf(flags uint32) FileAttr {
	fa := FileAttr{Flags: flags}
	for _, c := range commonFlags() {
		if flags&c[0] != 0 {
			fa.XFlags |= c[1]
		}
	}
	return fa
}

// fileAttr is ioctl_getflags and its kin.
func (f *File) fileAttr(ctx *Context, i FileAttrer, cmd uint32, arg uint64, mem UserMemory) error {
	le := binary.LittleEndian
	var b [fsxattrSize]byte
	switch cmd {
	case abi.FS_IOC_GETFLAGS, abi.FS_IOC_FSGETXATTR:
		fa, err := i.FileAttr()
		if err != nil {
			return err
		}
		if cmd == abi.FS_IOC_GETFLAGS {
			return put32(mem, arg, fa.Flags)
		}
		for k, n := range [...]uint32{fa.XFlags, fa.ExtSize, fa.Nextents, fa.ProjID, fa.CowExtSize} {
			le.PutUint32(b[4*k:], n)
		}
		return mem.CopyOut(arg, b[:])
	case abi.FS_IOC_SETFLAGS:
		flags, err := get32(mem, arg)
		if err != nil {
			return err
		}
		return f.setFileAttr(ctx, i, FileAttrOf(flags), true)
	}
	if err := mem.CopyIn(arg, b[:]); err != nil {
		return err
	}
	fa := FileAttr{XFlags: le.Uint32(b[:]), ExtSize: le.Uint32(b[4:]), ProjID: le.Uint32(b[12:]), CowExtSize: le.Uint32(b[16:])}
	if fa.XFlags&^abi.FS_XFLAGS_MASK != 0 {
		return abi.EOPNOTSUPP
	}
	fa.XFlags &^= abi.FS_XFLAG_HASATTR // can be read only
	for _, c := range commonFlags() {
		if fa.XFlags&c[1] != 0 {
			fa.Flags |= c[0]
		}
	}
	return f.setFileAttr(ctx, i, fa, false)
}

// setFileAttr is vfs_fileattr_set: what the caller did not name (byFlags tells
// which of the two forms it used) stays as it was.
func (f *File) setFileAttr(ctx *Context, i FileAttrer, fa FileAttr, byFlags bool) error {
	if err := wantWrite(f.Path); err != nil {
		return err
	}
	a, err := f.inode.Getattr()
	if err != nil {
		return err
	}
	if !isOwner(ctx.Creds, &a) {
		return abi.EPERM
	}
	old, err := i.FileAttr()
	if err != nil {
		return err
	}
	if byFlags {
		common := uint32(0)
		for _, c := range commonFlags() {
			common |= c[1]
		}
		fa.XFlags |= old.XFlags &^ common
		fa.ExtSize, fa.Nextents, fa.ProjID, fa.CowExtSize = old.ExtSize, old.Nextents, old.ProjID, old.CowExtSize
	} else {
		fa.Flags |= old.Flags &^ abi.FS_COMMON_FL
	}
	regular, dir := f.kind == abi.S_IFREG, f.kind == abi.S_IFDIR
	switch {
	case (fa.Flags^old.Flags)&(abi.FS_APPEND_FL|abi.FS_IMMUTABLE_FL) != 0 && !ctx.Creds.Capable(abi.CAP_LINUX_IMMUTABLE):
		return abi.EPERM
	case fa.XFlags&abi.FS_XFLAG_EXTSIZE != 0 && !regular,
		fa.XFlags&abi.FS_XFLAG_EXTSZINHERIT != 0 && !dir,
		fa.XFlags&(abi.FS_XFLAG_COWEXTSIZE|abi.FS_XFLAG_DAX) != 0 && !regular && !dir:
		return abi.EINVAL
	}
	return i.SetFileAttr(ctx, fa)
}
