// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// openInode is do_dentry_open: it makes the file, without permission checks.
// For a FIFO it may return both a file and *WouldBlock.
func openInode(ctx *Context, p Path, flags int) (*File, error) {
	d := p.Dentry
	if flags&abi.O_DIRECT != 0 {
		if err := canDirect(d.kind, d.inode); err != nil {
			return nil, err
		}
	}
	counted := false
	if acc := flags & abi.O_ACCMODE; acc != abi.O_RDONLY && !isSpecial(d.kind) {
		if err := d.sb.VFS.getWrite(d.inode); err != nil {
			return nil, err
		}
		counted = true
		if p.Mnt.ReadOnly() {
			d.sb.VFS.putWrite(d.inode)
			return nil, abi.EROFS
		}
	}
	pin, pinned := d.inode.(Pinner)
	if pinned {
		if err := pin.Pin(); err != nil {
			if counted {
				d.sb.VFS.putWrite(d.inode)
			}
			return nil, err
		}
	}
	ops, err := openOps(ctx, p, flags)
	if ops == nil {
		if pinned {
			pin.Unpin()
		}
		if counted {
			d.sb.VFS.putWrite(d.inode)
		}
		if err == nil {
			err = abi.ENXIO
		}
		return nil, err
	}
	f := NewFile(p, ops, flags)
	f.counted, f.pinned = counted, pinned
	if counted {
		d.sb.writers.Add(1)
	}
	f.setAtime(flags)
	if d.kind == abi.S_IFREG {
		f.flags.Or(abi.O_LARGEFILE)
	}
	return f, err
}

// openOps finds what is behind an inode.
func openOps(ctx *Context, p Path, flags int) (FileOps, error) {
	d := p.Dentry
	v := d.sb.VFS
	switch d.kind {
	case abi.S_IFCHR:
		a, err := d.inode.Getattr()
		if err != nil {
			return nil, err
		}
		dev := v.charDevice(a.Rdev)
		if dev == nil || dev.Open == nil {
			return nil, abi.ENXIO
		}
		return dev.Open(ctx, p, flags)
	case abi.S_IFIFO:
		return v.openFIFO(d.inode, flags)
	case abi.S_IFBLK:
		return v.openBlock(ctx, p, d.inode, flags)
	case abi.S_IFSOCK:
		return nil, abi.ENXIO
	}
	if o, ok := d.inode.(Opener); ok {
		return o.Open(ctx, p, flags)
	}
	return nil, abi.ENXIO
}

func (f *File) setAtime(flags int) {
	m := f.Path.Mnt.flags.Load()
	if flags&abi.O_NOATIME != 0 || m&abi.MS_NOATIME != 0 || f.Path.Mnt.ReadOnly() ||
		f.kind == abi.S_IFDIR && m&abi.MS_NODIRATIME != 0 || f.kind == abi.S_IFCHR { // that is the driver's
		return
	}
	_, f.atime = f.inode.(Accesser)
	f.relatime = m&abi.MS_RELATIME != 0
}

// accessed is file_accessed.
func (f *File) accessed(ctx *Context) {
	if f.atime {
		f.inode.(Accesser).Accessed(ctx.accessTime(), f.relatime)
	}
}

// OpenExec opens name for execution: regular file, execute permission, no
// noexec mount (EACCES), not open for writing (ETXTBSY). Nobody can open it for
// writing until the File is released. atFlags: AT_EMPTY_PATH (of dir itself),
// AT_SYMLINK_NOFOLLOW.
func OpenExec(ctx *Context, dir Path, name string, atFlags int) (*File, error) {
	p, err := LookupAt(ctx, dir, name, atFlags)
	if err != nil {
		return nil, err
	}
	if err := mayOpen(ctx, p, abi.O_RDONLY, abi.X_OK); err != nil {
		return nil, err
	}
	if p.Dentry.kind != abi.S_IFREG {
		return nil, abi.EACCES
	}
	v := p.Dentry.sb.VFS
	if err := v.denyWrite(p.Dentry.inode); err != nil {
		return nil, err
	}
	f, err := openInode(ctx, p, abi.O_RDONLY)
	if err != nil {
		v.allowWrite(p.Dentry.inode)
		return nil, err
	}
	f.denied = true
	f.notifyOpen()
	return f, nil
}

// FinishOpen completes an open that returned *WouldBlock.
func (f *File) FinishOpen() error {
	if w, ok := f.ops.(OpenWaiter); ok {
		if err := w.OpenReady(); err != nil {
			return err
		}
	}
	if !f.opened {
		f.notifyOpen()
	}
	return nil
}

// release ends the file.
func (f *File) release() {
	v := f.Path.Dentry.sb.VFS
	f.notifyClose()
	f.dropWatches()
	if f.flocked.Load() {
		v.dropFileLocks(f)
	}
	if r, ok := f.ops.(Releaser); ok {
		r.Release()
	}
	if f.counted {
		v.putWrite(f.inode)
		f.Path.Dentry.sb.writers.Add(-1)
	}
	if f.denied {
		v.allowWrite(f.inode)
	}
	if f.pinned {
		f.inode.(Pinner).Unpin()
	}
	f.Path.put()
}

// getWrite is get_write_access: ETXTBSY while the file runs.
func (v *VFS) getWrite(i Inode) error {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	n := v.writers[i]
	if n < 0 {
		return abi.ETXTBSY
	}
	v.writers[i] = n + 1
	return nil
}

func (v *VFS) putWrite(i Inode) { v.addWriters(i, -1) }

// denyWrite is deny_write_access: ETXTBSY while the file is open for writing.
func (v *VFS) denyWrite(i Inode) error {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	n := v.writers[i]
	if n > 0 {
		return abi.ETXTBSY
	}
	v.writers[i] = n - 1
	return nil
}

func (v *VFS) allowWrite(i Inode) { v.addWriters(i, 1) }

func (v *VFS) addWriters(i Inode, n int) {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	if n += v.writers[i]; n == 0 {
		delete(v.writers, i)
	} else {
		v.writers[i] = n
	}
}

// OpenNameless opens an inode of sb that has no name (memfds). The inode's
// DentryNamer tells what /proc shows.
func (v *VFS) OpenNameless(ctx *Context, sb *SuperBlock, i Inode, flags int) (*File, error) {
	a, err := i.Getattr()
	if err != nil {
		return nil, err
	}
	d := newDentry(sb, nil, "", i, a.Mode)
	d.gone.Store(true)
	return openInode(ctx, Path{v.anon, d}, flags)
}
