// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// Open opens the device with number rdev for a guest's file: blkdev_open. It is what
// fs.VFS.SetBlockDevices wants. abi.ENXIO: there is none; abi.EBUSY: O_EXCL, and
// somebody claimed it.
func (t *Table) Open(_ *fs.Context, p fs.Path, rdev uint64, flags int) (fs.FileOps, error) {
	d := t.ByDev(rdev)
	if d == nil {
		return nil, abi.ENXIO
	}
	f := &file{dev: d, path: p, readFD: -1, write: flags&abi.O_ACCMODE != abi.O_RDONLY}
	f.flags.Store(int64(flags))
	if flags&abi.O_EXCL != 0 {
		f.holder = f
	}
	if err := d.Acquire(f.holder, f.write); err != nil {
		return nil, err
	}
	return f, nil
}

// ByPath finds the device of a node, for mount(2) and swapon(2): lookup_bdev.
// abi.ENOTBLK: it is another sort of file; abi.EACCES: its mount is nodev; abi.ENXIO:
// there is no such device.
func (t *Table) ByPath(ctx *fs.Context, name string) (*Device, error) {
	p, err := fs.Lookup(ctx, fs.Path{}, name, fs.LookupFollow)
	if err != nil {
		return nil, err
	}
	return t.ByNode(p)
}

// ByNode is ByPath of a place that was looked up.
func (t *Table) ByNode(p fs.Path) (*Device, error) {
	a, err := p.Dentry.Inode().Getattr()
	switch {
	case err != nil:
		return nil, err
	case a.Type() != abi.S_IFBLK:
		return nil, abi.ENOTBLK
	case p.Mnt.Flags()&abi.MS_NODEV != 0:
		return nil, abi.EACCES
	}
	d := t.ByDev(a.Rdev)
	if d == nil {
		return nil, abi.ENXIO
	}
	return d, nil
}

// DeviceOf gives the device behind an open file of a guest; nil: it is none.
func DeviceOf(f *fs.File) *Device {
	if b, ok := f.Ops().(*file); ok {
		return b.dev
	}
	return nil
}

// file is an open file of a device (fops.c).
type file struct {
	dev    *Device
	path   fs.Path // of the node
	write  bool
	holder any          // the file itself with O_EXCL
	flags  atomic.Int64 // O_*

	mu     sync.Mutex // a leaf
	readFD int        // for mappings, -1 until then; guarded by mu
}

// Release implements fs.Releaser.
func (f *file) Release() {
	f.mu.Lock()
	if f.readFD >= 0 {
		_ = host.CloseFD(f.readFD)
	}
	f.mu.Unlock()
	f.dev.Release(f.holder)
}

// SetFlags implements fs.FlagSetter.
func (f *file) SetFlags(_, now int) error {
	// O_EXCL and O_SYNC are not F_SETFL's to change and not always in now.
	const may = abi.O_DIRECT
	f.flags.Store(f.flags.Load()&^may | int64(now)&may)
	return nil
}

func (f *file) has(flag int) bool { return f.flags.Load()&int64(flag) != 0 }
