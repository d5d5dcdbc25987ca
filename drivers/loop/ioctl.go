// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"encoding/binary"
	"fmt"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// Device controls, include/uapi/linux/loop.h.
const (
	loopSetFD        = 0x4c00
	loopClrFD        = 0x4c01
	loopSetStatus    = 0x4c02
	loopGetStatus    = 0x4c03
	loopSetStatus64  = 0x4c04
	loopGetStatus64  = 0x4c05
	loopChangeFD     = 0x4c06
	loopSetCapacity  = 0x4c07
	loopSetDirectIO  = 0x4c08
	loopSetBlockSize = 0x4c09
	loopConfigure    = 0x4c0a
)

// opener is the ability of a task to tell what file a descriptor means; the file has a
// reference more.
type opener interface {
	FileByFD(fd int) (*fs.File, error)
}

// fileOf finds the file that a control names.
func fileOf(ctx *fs.Context, fd int32) (*fs.File, error) {
	t, ok := ctx.Task.(opener)
	if !ok {
		return nil, abi.EBADF
	}
	f, err := t.FileByFD(int(fd))
	if err == nil && f.IsPath() {
		f.DecRef()
		return nil, abi.EBADF
	}
	return f, err
}

// IoctlDisk implements bdev.DiskIoctler: lo_ioctl.
func (x *device) IoctlDisk(ctx *fs.Context, d *bdev.Device, cmd uint32, arg uint64, mem fs.UserMemory, write bool) (uint64, error) {
	if !ctx.MayWait { // files are closed, partitions read
		return 0, fs.ErrMustWait
	}
	may := write || ctx.Creds.Capable(abi.CAP_SYS_ADMIN)
	switch cmd {
	case loopSetFD:
		return 0, x.bindFD(ctx, int32(arg), status{}, 0, write)
	case loopConfigure:
		return 0, x.configure(ctx, arg, mem, write)
	case loopChangeFD:
		f, err := fileOf(ctx, int32(arg))
		if err == nil {
			if err = x.change(ctx, f); err != nil {
				f.DecRef()
			}
		}
		return 0, err
	case loopClrFD:
		return 0, x.unbind()
	case loopGetStatus, loopGetStatus64:
		b, err := x.getStatus(arg)
		if err == nil && cmd == loopGetStatus {
			b, err = toOld(b)
		}
		if err != nil {
			return 0, err
		}
		return 0, mem.CopyOut(arg, b)
	case loopSetStatus, loopSetStatus64, loopSetCapacity, loopSetDirectIO, loopSetBlockSize:
		if !may {
			return 0, abi.EPERM
		}
	}
	switch cmd {
	case loopSetStatus, loopSetStatus64:
		b := make([]byte, infoSize)
		if cmd == loopSetStatus {
			b = make([]byte, oldSize)
		}
		if err := mem.CopyIn(arg, b); err != nil {
			return 0, err
		}
		if cmd == loopSetStatus {
			b = fromOld(b)
		}
		if !x.shown.Load().bound {
			return 0, abi.ENXIO
		}
		st, err := parseStatus(b)
		if err != nil {
			return 0, err
		}
		return 0, x.setStatus(st)
	case loopSetCapacity:
		return 0, x.setCapacity()
	case loopSetDirectIO:
		return 0, x.setDirect(arg != 0)
	case loopSetBlockSize:
		return 0, x.setBlockSize(int(min(arg, 1<<20)))
	}
	return 0, abi.EINVAL
}

func (x *device) configure(ctx *fs.Context, arg uint64, mem fs.UserMemory, write bool) error {
	b := make([]byte, configSize)
	if err := mem.CopyIn(arg, b); err != nil {
		return err
	}
	st, err := parseStatus(b[8:])
	if err == nil && st.flags&^configureFlags != 0 {
		err = abi.EINVAL
	}
	if err != nil {
		f, bad := fileOf(ctx, int32(binary.LittleEndian.Uint32(b)))
		if bad != nil { // comes first
			return bad
		}
		f.DecRef()
		if x.shown.Load().bound {
			return abi.EBUSY
		}
		return err
	}
	return x.bindFD(ctx, int32(binary.LittleEndian.Uint32(b)), st, int(binary.LittleEndian.Uint32(b[4:])), write)
}

func (x *device) bindFD(ctx *fs.Context, fd int32, st status, blockSize int, write bool) error {
	f, err := fileOf(ctx, fd)
	if err != nil {
		return err
	}
	if err = x.bind(ctx, f, st, blockSize, write); err != nil {
		f.DecRef()
	}
	return err
}

// getStatus is loop_get_status64.
func (x *device) getStatus(arg uint64) ([]byte, error) {
	if arg == 0 {
		return nil, abi.EINVAL
	}
	s := x.shown.Load()
	if !s.bound {
		return nil, abi.ENXIO
	}
	a, err := s.back.file.Stat()
	if err != nil {
		return nil, err
	}
	return s.st.encode(x.n, a.Dev, a.Ino, a.Rdev), nil
}

// DiskAttrs implements bdev.DiskAttributer: the directory loop in sysfs, there as long
// as the device is bound.
func (x *device) DiskAttrs(*bdev.Disk) []bdev.Attr {
	if !x.shown.Load().bound {
		return nil
	}
	show := func(name string, f func(s *shown) any) bdev.Attr {
		return bdev.Attr{Dir: "loop", Name: name, Show: func() (string, error) {
			s := x.shown.Load()
			if !s.bound {
				return "", abi.ENODEV
			}
			return fmt.Sprintln(f(s)), nil
		}}
	}
	flag := func(name string, bit uint32) bdev.Attr {
		return show(name, func(s *shown) any { return min(s.st.flags&bit, 1) })
	}
	return []bdev.Attr{
		show("offset", func(s *shown) any { return s.st.offset }),
		show("sizelimit", func(s *shown) any { return s.st.limit }),
		show("backing_file", func(s *shown) any { return fs.DPath(s.back.file.Path, s.back.ctx.Root) }),
		flag("autoclear", flagAutoclear), flag("partscan", flagPartScan), flag("dio", flagDirectIO),
	}
}
