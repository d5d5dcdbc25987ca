// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"testing"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/tmpfs"
)

// TestNoCircle: a device never gets a file that lies on itself, however far down.
func TestNoCircle(t *testing.T) {
	table := bdev.NewTable()
	d, err := New(table, 3)
	if err != nil {
		t.Fatal(err)
	}
	on := func(dev uint64, typ string) (*fstest.Env, *fs.File) { // a file of a file system on a device
		e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
			v := fs.New(0)
			sb, err := tmpfs.New(v, tmpfs.Options{Type: typ})
			if err != nil {
				t.Fatal(err)
			}
			if dev != 0 {
				sb.Dev = dev
			}
			return v, sb
		})
		e.Write("/file", string(make([]byte, 8192)))
		f, err := e.Open("/file", abi.O_RDWR, 0)
		e.Must(err)
		return e, f
	}
	loop := func(n int) *device { return d.devices[n] }
	e, plain := on(0, "tmpfs")
	e.Must(loop(0).bind(e.Ctx, plain, status{flags: flagReadOnly}, 0, true))
	_, on0 := on(abi.Makedev(Major, 0), "ext4")
	e.Must(loop(1).bind(e.Ctx, on0, status{}, 0, true))
	_, on1 := on(abi.Makedev(Major, 1), "ext4")
	e.Want(loop(0).change(e.Ctx, on0), abi.EBADF, "a file on the device")
	e.Want(loop(0).change(e.Ctx, on1), abi.EBADF, "a file on a device on the device")
	_, stacked := on(0, "overlay")
	e.Want(loop(0).change(e.Ctx, stacked), abi.EINVAL, "a file on who knows what")
	_, other := on(0, "tmpfs")
	e.Must(loop(0).change(e.Ctx, other))
	_, on2 := on(abi.Makedev(Major, 2), "ext4")
	e.Want(loop(0).change(e.Ctx, on2), abi.EINVAL, "a file on a device without a medium")
	on1.DecRef()
	on2.DecRef()
	stacked.DecRef()
}

// TestMustWait: who writes to a loop device elsewhere than where it may wait is told so
// before anything is done, and the file below is always allowed to.
func TestMustWait(t *testing.T) {
	table := bdev.NewTable()
	d, err := New(table, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := fstest.New(t, func(t *testing.T) (*fs.VFS, *fs.SuperBlock) {
		v := fs.New(0)
		sb, err := tmpfs.New(v, tmpfs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return v, sb
	})
	e.Write("/file", string(make([]byte, 8192)))
	f, err := e.Open("/file", abi.O_RDWR, 0)
	e.Must(err)
	e.Must(d.devices[0].bind(e.Ctx, f, status{}, 0, true))
	if dev := table.ByName("loop0"); !dev.Waits() || dev.Size() != 8192 {
		t.Errorf("waits %v, size %d", dev.Waits(), dev.Size())
	}
	ops, err := table.Open(e.Ctx, fs.Path{}, abi.Makedev(Major, 0), abi.O_RDWR)
	e.Must(err)
	hasty := *e.Ctx
	hasty.MayWait = false
	if _, err := ops.(fs.WriterAt).WriteAt(&hasty, make([]byte, 512), 0); err != fs.ErrMustWait {
		t.Errorf("a write that may not wait: %v", err)
	}
	if n, err := ops.(fs.ReaderAt).ReadAt(&hasty, make([]byte, 512), 0); n != 512 || err != nil {
		t.Errorf("a read that may not wait: %d, %v", n, err)
	}
	if n, err := ops.(fs.WriterAt).WriteAt(e.Ctx, []byte("written"), 512); n != 7 || err != nil {
		t.Errorf("a write that may wait: %d, %v", n, err)
	}
	if got := e.Read("/file")[512:519]; got != "written" {
		t.Errorf("the file has %q", got)
	}
	ops.(fs.Releaser).Release()
}
