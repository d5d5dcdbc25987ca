// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/fs/erofs"
	"lodger/fs/ext4"
	"lodger/fs/isofs"
	"lodger/fs/jbd2"
	"lodger/fs/rofs"
	"lodger/fs/squashfs"
	"lodger/lib/printk"
)

// blockTypes are the file systems that lie on a block device, in the order in
// which they are tried where nobody says which it is; one row each.
func (m *Machine) blockTypes() []blockType {
	var l []blockType
	for _, name := range ext4.Types() {
		l = append(l, blockType{name, func(v *fs.VFS, d *bdev.Device, flags uint32, data string, silent bool) (*fs.SuperBlock, error) {
			log, mounted := m.fsLog(silent)
			sb, err := ext4.Mount(v, d, d.Dev(), name, flags, data, ext4.Env{Log: log, Name: d.Name(),
				Timer: jbd2.ClockTimer{Clock: m.k.Clock}, Panic: m.panic})
			mounted()
			return sb, err
		}})
	}
	for _, t := range []struct {
		name  string
		mount rofs.MountFunc
	}{{"squashfs", squashfs.Mount}, {"erofs", erofs.Mount}, {"iso9660", isofs.Mount}} {
		l = append(l, blockType{t.name, func(v *fs.VFS, d *bdev.Device, flags uint32, data string, silent bool) (*fs.SuperBlock, error) {
			log, mounted := m.fsLog(silent)
			prefix := fmt.Sprintf("%s (%s): ", t.name, d.Name())
			sb, err := t.mount(v, rofs.Volume{Dev: d, Rdev: d.Dev(), Log: func(msg string) { log(printk.Err, prefix+msg) }}, flags, data)
			mounted()
			return sb, err
		}})
	}
	return l
}

// blockType is one of them.
type blockType struct {
	name  string
	mount func(v *fs.VFS, d *bdev.Device, flags uint32, data string, silent bool) (*fs.SuperBlock, error)
}

// fsType makes it one for mount(2).
func (t blockType) fsType(m *Machine) fs.FSType {
	return fs.FSType{Name: t.name, Mount: func(v *fs.VFS, ctx *fs.Context, source string, flags uint32, data string) (*fs.SuperBlock, error) {
		if source == "" {
			return nil, abi.EINVAL
		}
		d, err := m.blk.ByPath(ctx, source)
		if err != nil {
			return nil, err
		}
		return t.mountOn(v, d, flags, data, flags&msSilent != 0)
	}}
}

// msSilent is MS_SILENT: mount(8) is only trying.
const msSilent = 0x8000

// onDevice is who holds a mounted block device.
type onDevice struct {
	t  string
	sb atomic.Pointer[fs.SuperBlock] // nil: not mounted yet
}

// cacher gives the file system's ability to answer for its device.
func (h *onDevice) cacher() bdev.Cacher {
	sb := h.sb.Load()
	if sb == nil {
		return nil
	}
	c, _ := sb.Ops.(bdev.Cacher)
	return c
}

// Overlay implements bdev.Cacher.
func (h *onDevice) Overlay(p []byte, off int64) {
	if c := h.cacher(); c != nil {
		c.Overlay(p, off)
	}
}

// Overwritten implements bdev.Cacher.
func (h *onDevice) Overwritten(p []byte, off int64) {
	if c := h.cacher(); c != nil {
		c.Overwritten(p, off)
	}
}

// mountOn mounts a device, or gives the super block that it is mounted with already:
// get_tree_bdev.
func (t blockType) mountOn(v *fs.VFS, d *bdev.Device, flags uint32, data string, silent bool) (*fs.SuperBlock, error) {
	if h, ok := d.Holder().(*onDevice); ok && h.t == t.name {
		sb := h.sb.Load()
		switch {
		case sb == nil || !sb.Grab():
			return nil, abi.EBUSY // it is just being mounted or unmounted
		case sb.ReadOnly() != (flags&abi.MS_RDONLY != 0):
			sb.Ungrab()
			return nil, abi.EBUSY
		}
		return sb, nil
	}
	h := &onDevice{t: t.name}
	if err := d.Acquire(h, flags&abi.MS_RDONLY == 0); err != nil {
		return nil, err
	}
	sb, err := t.mount(v, d, flags, data, silent)
	if err != nil {
		d.Release(h)
		return nil, err
	}
	h.sb.Store(sb)
	sb.OnRelease = func() { d.Release(h) }
	return sb, nil
}

// fsLog is the kernel log for a file system. silent: it is only being tried, and why it
// refuses is nothing to tell until it is mounted.
func (m *Machine) fsLog(silent bool) (log func(printk.Level, string), mounted func()) {
	var mute atomic.Bool
	mute.Store(silent)
	return func(level printk.Level, line string) {
		if level > printk.Err || !mute.Load() {
			m.printk(level, "%s", line)
		}
	}, func() { mute.Store(false) }
}

// mountRoot mounts a root file system: mount_root_generic of init/do_mounts.c. types
// is rootfstype=. The super block tells which it became.
func (m *Machine) mountRoot(v *fs.VFS, d *bdev.Device, types string, flags uint32, data string) (*fs.SuperBlock, error) {
	flags, _, data = fs.SuperFlags(flags, data)
	var failed error = abi.ENODEV
	isExt := probe(d).typ == "ext"
	for _, t := range m.blockTypes() {
		if types != "" && !slices.Contains(strings.Split(types, ","), t.name) {
			continue
		}
		silent := types == "" && !(t.name == "ext4" && isExt) // that one's reasons are worth a line
		sb, err := t.mountOn(v, d, flags, data, silent)
		if errors.Is(err, abi.EACCES) && flags&abi.MS_RDONLY == 0 {
			flags |= abi.MS_RDONLY // a device that cannot be written
			sb, err = t.mountOn(v, d, flags, data, silent)
		}
		if err == nil {
			sb.SetFlags(flags)
			return sb, nil
		}
		if !errors.Is(err, abi.EINVAL) || errors.Is(failed, abi.ENODEV) {
			failed = err // the most telling one: others only say that it is not theirs
		}
	}
	return nil, failed
}

// rootImage mounts an image as the guest's root for lodger run: the volume that
// RootDevice names, else the whole disk if it has a file system, else the only
// partition that has one.
func (m *Machine) rootImage(v *fs.VFS) (*fs.SuperBlock, error) {
	d, err := m.chooseVolume()
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", m.cfg.Root, err)
	}
	sb, err := m.mountRoot(v, d, "", 0, "")
	if err != nil {
		return nil, fmt.Errorf("root %s: mount the file system of %s: %w", m.cfg.Root, d.Name(), err)
	}
	return sb, nil
}

func (m *Machine) chooseVolume() (*bdev.Device, error) {
	vols := m.blk.Devices()
	if name := m.cfg.RootDevice; name != "" {
		if d := findRoot(m.blk, name); d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("--root-device %s: there is %s", name, volumeNames(vols))
	}
	if probe(vols[0]).typ != "" {
		return vols[0], nil
	}
	var found []*bdev.Device
	for _, d := range vols[1:] {
		if probe(d).typ != "" {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return nil, errors.New("no file system that Lodger mounts is in it, nor in a partition of it")
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("several partitions have file systems; choose one by --root-device: %s", volumeNames(found))
}

func volumeNames(vols []*bdev.Device) string {
	var names []string
	for _, vol := range vols {
		names = append(names, vol.Name())
	}
	return strings.Join(names, ", ")
}
