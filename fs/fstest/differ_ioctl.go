// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"syscall"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// userMemory is the memory of one that asks for a control: addresses from 0 on.
type userMemory [256]byte

// CopyIn implements fs.UserMemory.
func (m *userMemory) CopyIn(addr uint64, p []byte) error {
	if addr > uint64(len(m)) || uint64(len(p)) > uint64(len(m))-addr {
		return abi.EFAULT
	}
	copy(p, m[addr:])
	return nil
}

// CopyOut implements fs.UserMemory.
func (m *userMemory) CopyOut(addr uint64, p []byte) error {
	if addr > uint64(len(m)) || uint64(len(p)) > uint64(len(m))-addr {
		return abi.EFAULT
	}
	copy(m[addr:], p)
	return nil
}

// opened opens name on both sides and calls f when both could.
func (d *differ) opened(i int, name string, flags int, f func(ours *fs.File, hosts int)) {
	flags |= abi.O_NONBLOCK
	ours, err := d.Open(name, flags, 0)
	fd := -1
	herr := d.in(func() (err error) { fd, err = syscall.Open(hostName(name), flags|syscall.O_CLOEXEC, 0); return err })
	d.same(i, fmt.Sprintf("open %s %#o", name, flags), err, herr)
	if err == nil {
		defer ours.DecRef()
	}
	if herr == nil {
		defer syscall.Close(fd)
	}
	if err == nil && herr == nil {
		f(ours, fd)
	}
}

// control does the same control on both sides and gives what came back. mask
// has the bits of the answer that must be the same.
func (d *differ) control(i int, what string, f *fs.File, fd int, cmd uint32, arg, mask []byte) (ours, hosts userMemory) {
	copy(ours[:], arg)
	hosts = ours
	_, err := f.Ioctl(d.Ctx, cmd, 0, &ours)
	herr := d.in(func() error { return host.Ioctl(fd, uint(cmd), (*[256]byte)(&hosts)) })
	d.same(i, what, err, herr)
	for k, m := range mask {
		if (ours[k]^hosts[k])&m != 0 {
			d.T.Errorf("step %d: %s: byte %d: ours %x, the host's %x", i, what, k, ours[:len(mask)], hosts[:len(mask)])
			break
		}
	}
	return ours, hosts
}

// Flags that depend on how the file is kept: inline data, an index, the map.
const layoutFlags = 0x10000000 | 0x1000 | 0x80000

func word(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func (d *differ) ioctlStep(i int) {
	name := d.name()
	flags := []int{abi.O_RDONLY, abi.O_RDONLY, abi.O_RDWR}[d.rnd.Intn(3)]
	d.opened(i, name, flags, func(f *fs.File, fd int) {
		switch d.rnd.Intn(7) {
		case 0, 1, 2:
			d.chattr(i, name, f, fd)
		case 3:
			d.fsxattr(i, name, f, fd)
		case 4:
			d.fiemap(i, name, f, fd)
		case 5:
			for _, cmd := range []uint32{abi.FIGETBSZ, abi.FIONREAD, abi.FIBMAP, 0x12345} {
				arg := uint32(d.rnd.Intn(20) - 1)
				mask := word(^uint32(0))
				if cmd == abi.FIBMAP {
					mask = nil
				}
				d.control(i, fmt.Sprintf("ioctl %s %#x %d", name, cmd, arg), f, fd, cmd, word(arg), mask)
			}
		case 6:
			for _, cmd := range []uint32{abi.FS_IOC_GETFSLABEL, abi.FS_IOC_GETFSUUID, abi.EXT4_IOC_GETFSUUID, abi.FS_IOC_SETVERSION, abi.FS_IOC_SETFSLABEL} {
				arg := []byte{byte(d.rnd.Intn(3) * 16), 0, 0, 0}
				if d.rnd.Intn(2) == 0 {
					arg = []byte("a label of wrong length"[d.rnd.Intn(16):])
				}
				mask := make([]byte, 17)
				for k := range mask {
					mask[k] = 0xff
				}
				d.control(i, fmt.Sprintf("ioctl %s %#x %q", name, cmd, arg), f, fd, cmd, arg, mask)
			}
		}
	})
}

func (d *differ) chattr(i int, name string, f *fs.File, fd int) {
	mask := word(^uint32(layoutFlags))
	ours, hosts := d.control(i, "getflags "+name, f, fd, abi.FS_IOC_GETFLAGS, nil, mask)
	bit := []uint32{0, 1, 8, 0x10, 0x10, 0x20, 0x20, 0x40, 0x80, 0x100, 0x400, 0x8, 0x8000, 0x10000, 0x20000, 0x40000000, 0x200000, 0x1000}[d.rnd.Intn(18)]
	o, h := binary.LittleEndian.Uint32(ours[:]), binary.LittleEndian.Uint32(hosts[:])
	if h&0x30 != 0 && d.rnd.Intn(2) == 0 {
		bit = h & 0x30 // let no tree freeze for good
	}
	what := fmt.Sprintf("setflags %s %#x %#x", name, h, bit)
	err := error(nil)
	ours, hosts = userMemory(append(word(o^bit), make([]byte, 252)...)), userMemory(append(word(h^bit), make([]byte, 252)...))
	_, err = f.Ioctl(d.Ctx, abi.FS_IOC_SETFLAGS, 0, &ours)
	d.same(i, what, err, d.in(func() error { return host.Ioctl(fd, abi.FS_IOC_SETFLAGS, (*[256]byte)(&hosts)) }))
	d.control(i, "getflags "+name+" after "+what, f, fd, abi.FS_IOC_GETFLAGS, nil, mask)
}

func (d *differ) fsxattr(i int, name string, f *fs.File, fd int) {
	mask := make([]byte, 28)
	for k := range mask {
		mask[k] = 0xff
	}
	arg := make([]byte, 28)
	binary.LittleEndian.PutUint32(arg, []uint32{0, 8, 0x10, 0x20, 0x40, 0x80, 0x800, 0x1000, 0x8000, 0x80000000, 0x4000000}[d.rnd.Intn(11)])
	arg[12] = byte(d.rnd.Intn(6) / 5)
	d.control(i, fmt.Sprintf("fssetxattr %s %x", name, arg), f, fd, abi.FS_IOC_FSSETXATTR, arg, nil)
	d.control(i, "fsgetxattr "+name, f, fd, abi.FS_IOC_FSGETXATTR, nil, mask)
}

// fiemap compares where files have blocks; how these are cut into extents is
// each file system's own affair.
func (d *differ) fiemap(i int, name string, f *fs.File, fd int) {
	flags := []uint32{1, 1, 1, 3, 5, 8, 0x11}[d.rnd.Intn(7)]
	start, length := uint64(d.rnd.Intn(3)*d.rnd.Intn(100000)), uint64(d.rnd.Intn(200000))
	switch d.rnd.Intn(8) {
	case 0:
		length = 0
	case 1:
		start = 1 << 62
	case 2, 3:
		start, length = 0, ^uint64(0)
	}
	what := fmt.Sprintf("fiemap %s %d %d flags %#x", name, start, length, flags)
	request := func() []byte {
		b := binary.LittleEndian.AppendUint64(nil, start)
		b = binary.LittleEndian.AppendUint64(b, length)
		b = append(b, word(flags)...)
		b = append(b, word(0)...)
		return append(b, word(4)...)
	}
	mask := []byte{16: 0xff, 17: 0xff, 18: 0xff, 19: 0xff}
	ours, hosts := d.control(i, what, f, fd, abi.FS_IOC_FIEMAP, request(), mask)
	if flags != 1 || d.Keeps {
		return
	}
	all := func(m *userMemory, again func(m *userMemory) error) (l [][2]uint64) {
		for range 1000 {
			n := binary.LittleEndian.Uint32(m[20:])
			for k := range n {
				e := m[32+56*k:]
				at, n := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[16:])
				if k := len(l) - 1; k >= 0 && l[k][1] == at {
					l[k][1] = at + n
				} else {
					l = append(l, [2]uint64{at, at + n})
				}
				if e[40]&1 != 0 {
					return l
				}
			}
			if n == 0 {
				return l
			}
			end := l[len(l)-1][1]
			length -= end - start
			start = end
			*m = userMemory{}
			copy(m[:], request())
			if again(m) != nil {
				return l
			}
		}
		return l
	}
	s, n := start, length
	a := all(&ours, func(m *userMemory) error { _, err := f.Ioctl(d.Ctx, abi.FS_IOC_FIEMAP, 0, m); return err })
	start, length = s, n
	b := all(&hosts, func(m *userMemory) error { return host.Ioctl(fd, abi.FS_IOC_FIEMAP, (*[256]byte)(m)) })
	if !slices.Equal(a, b) {
		d.T.Errorf("step %d: %s: ours %v, the host's %v", i, what, a, b)
	}
}

// fallocStep allocates, punches, shifts.
func (d *differ) fallocStep(i int, bs int) {
	name := d.name()
	flags := []int{abi.O_RDWR, abi.O_RDWR, abi.O_RDWR, abi.O_WRONLY | abi.O_APPEND, abi.O_RDONLY}[d.rnd.Intn(5)]
	d.opened(i, name, flags, func(f *fs.File, fd int) {
		mode := []int{0, 1, 2, 3, 0x10, 0x11, 8, 9, 0x20, 0x21, 0x40, 0x41, 0x80, 6, 0x100, 3, 3, 8, 0x20, 0x10}[d.rnd.Intn(20)]
		off, n := int64(d.rnd.Intn(150000)), int64(d.rnd.Intn(60000))-1
		if d.rnd.Intn(3) > 0 {
			off, n = off/int64(bs)*int64(bs), (n+1)/int64(bs)*int64(bs)
		}
		if d.rnd.Intn(30) == 0 {
			off = []int64{-1, 1<<63 - 1, 1 << 44, 1 << 62}[d.rnd.Intn(4)]
		}
		d.same(i, fmt.Sprintf("fallocate %s %#x %d %d", name, mode, off, n), f.Fallocate(d.Ctx, mode, off, n),
			d.in(func() error { return syscall.Fallocate(fd, uint32(mode), off, n) }))
	})
}

// seekStep looks for data and holes; where unwritten blocks may be, the two
// need not agree.
func (d *differ) seekStep(i int) {
	name := d.name()
	d.opened(i, name, abi.O_RDONLY, func(f *fs.File, fd int) {
		if f.Kind() != abi.S_IFREG {
			return
		}
		off, whence := int64(d.rnd.Intn(250000)), 3+d.rnd.Intn(2)
		d.in(func() error { return syscall.Fsync(fd) })
		ours, err := f.Seek(d.Ctx, off, whence)
		hosts := int64(0)
		herr := d.in(func() (err error) { hosts, err = syscall.Seek(fd, off, whence); return err })
		d.same(i, fmt.Sprintf("seek %s %d %d", name, off, whence), err, herr)
		if err == nil && ours != hosts {
			d.T.Errorf("step %d: seek %s %d %d: ours %d, the host's %d", i, name, off, whence, ours, hosts)
		}
	})
}
