// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"math"

	"lodger/abi"
)

// Bmapper is the ability of inodes to tell where a block of theirs lies on the
// device (i_op bmap); 0: nowhere.
type Bmapper interface {
	Bmap(block uint64) (uint64, error)
}

// UUIDer is the ability of SuperBlock.Ops to tell the file system's UUID.
type UUIDer interface {
	UUID() [16]byte
}

// Ioctl is do_vfs_ioctl: it answers what any file system's files have, and
// passes the rest on.
func (f *File) Ioctl(ctx *Context, cmd uint32, arg uint64, mem UserMemory) (uint64, error) {
	if f.IsPath() {
		return 0, abi.EBADF
	}
	known, err := f.vfsIoctl(ctx, cmd, arg, mem)
	if known {
		return 0, err
	}
	if i, ok := f.ops.(Ioctler); ok {
		return i.Ioctl(ctx, cmd, arg, mem)
	}
	return 0, abi.ENOTTY
}

func (f *File) vfsIoctl(ctx *Context, cmd uint32, arg uint64, mem UserMemory) (known bool, err error) {
	regular := f.kind == abi.S_IFREG
	switch cmd {
	case abi.FIGETBSZ:
		return true, f.withAttr(func(a *Attr) error { return put32(mem, arg, a.Blksize) })
	case abi.FIONREAD:
		if regular {
			return true, f.withAttr(func(a *Attr) error { return put32(mem, arg, uint32(a.Size-f.Pos())) })
		}
	case abi.FIOQSIZE:
		if regular || f.kind == abi.S_IFDIR || f.kind == abi.S_IFLNK {
			return true, f.withAttr(func(a *Attr) error {
				return mem.CopyOut(arg, binary.LittleEndian.AppendUint64(nil, a.Blocks*512))
			})
		}
		return true, abi.ENOTTY
	case abi.FIBMAP:
		if regular {
			return true, f.bmap(ctx, arg, mem)
		}
	case abi.FS_IOC_FIEMAP:
		return true, f.fiemap(ctx, arg, mem)
	case abi.FS_IOC_GETFSUUID:
		if u, ok := f.Path.Dentry.sb.Ops.(UUIDer); ok {
			id := u.UUID()
			return true, mem.CopyOut(arg, append([]byte{16}, id[:]...))
		}
	case abi.FS_IOC_GETFLAGS, abi.FS_IOC_SETFLAGS, abi.FS_IOC_FSGETXATTR, abi.FS_IOC_FSSETXATTR:
		if i, ok := f.inode.(FileAttrer); ok {
			return true, f.fileAttr(ctx, i, cmd, arg, mem)
		}
	}
	return false, nil
}

func (f *File) withAttr(g func(a *Attr) error) error {
	a, err := f.inode.Getattr()
	if err != nil {
		return err
	}
	return g(&a)
}

func put32(mem UserMemory, addr uint64, n uint32) error {
	return mem.CopyOut(addr, binary.LittleEndian.AppendUint32(nil, n))
}

func get32(mem UserMemory, addr uint64) (uint32, error) {
	var b [4]byte
	err := mem.CopyIn(addr, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

// bmap is ioctl_fibmap.
func (f *File) bmap(ctx *Context, arg uint64, mem UserMemory) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_RAWIO) {
		return abi.EPERM
	}
	n, err := get32(mem, arg)
	if err != nil {
		return err
	}
	if int32(n) < 0 {
		return abi.EINVAL
	}
	block := uint64(0)
	if b, ok := f.inode.(Bmapper); ok {
		if block, err = b.Bmap(uint64(n)); err == nil && block > math.MaxInt32 {
			block, err = 0, abi.ERANGE
		}
	} else {
		err = abi.EINVAL
	}
	if err := put32(mem, arg, uint32(block)); err != nil {
		return err
	}
	return err
}
