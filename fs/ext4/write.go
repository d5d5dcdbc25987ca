// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// chunk bounds what one step of a write moves, in bytes.
const chunk = 4 << 20

// WriteAt writes.
func (f *file) WriteAt(ctx *fs.Context, p []byte, off int64) (n int, err error) {
	err = f.writing(ctx, len(p), func() int64 { return off }, func() error {
		n, err = f.i.write(ctx, p, off)
		return err
	})
	return n, err
}

// Append writes at the end.
func (f *file) Append(ctx *fs.Context, p []byte) (n int, end int64, err error) {
	err = f.writing(ctx, len(p), func() int64 { return f.i.size }, func() error {
		n, err = f.i.write(ctx, p, f.i.size)
		end = f.i.size
		return err
	})
	return n, end, err
}

// writing does a write of n bytes at off, and makes it durable where O_SYNC or O_DSYNC
// ask for it: such a write cannot be repeated, so that it starts only where it may wait.
func (f *file) writing(ctx *fs.Context, n int, off func() int64, write func() error) error {
	i := f.i
	all := f.sync || i.flagged(flSync)
	sync := all || f.dsync
	if sync && !mayWait(ctx) {
		return fs.ErrMustWait
	}
	moves := func() bool { return i.showsBase(i.writes(off(), n)) }
	err := i.modifyMapped(ctx, moves, func(ctx *fs.Context) error {
		a, b := i.writes(off(), n)
		return i.copyUp(ctx, a, b)
	}, write)
	if err == nil && sync {
		err = i.fsync(!all)
	}
	return err
}

// write is WriteAt with FS.mu held for writing. Data goes to the device before
// the change that makes it visible can be durable (data=ordered).
func (i *inode) write(ctx *fs.Context, p []byte, off int64) (n int, err error) {
	return i.writeTo(ctx, p, off, i.mem)
}

// writeTo writes to the device, and to a memory copy if there is one that does not have
// it.
func (i *inode) writeTo(ctx *fs.Context, p []byte, off int64, mem *memCopy) (n int, err error) {
	switch most := i.maxSize(); {
	case i.dead:
		return 0, abi.ENOENT
	case i.is(flImmutable):
		return 0, abi.EPERM
	case len(p) == 0:
		return 0, nil
	case off >= most:
		return 0, abi.EFBIG
	default:
		p = p[:min(int64(len(p)), most-off)]
	}
	if at, ok := i.inPlace(p, off); ok {
		if err := i.stamp(ctx); err != nil {
			return 0, err
		}
		if err := i.toDevice(p, at); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	tail := off > i.size
	for n < len(p) && err == nil {
		k := 0
		err = i.s.changeLocked(ctx, creditsTree+creditsInode+i.loggedCredits(), func(h *handle) (err error) {
			if tail {
				if err := i.zeroTail(h); err != nil {
					return err
				}
				tail = false
			}
			if i.is(flInlineData) {
				if err := i.convertInline(h); err != nil {
					return err
				}
			}
			part := p[n:min(len(p), n+chunk)]
			if k, err = i.writeStep(h, part, off+int64(n)); err != nil || k == 0 {
				k = 0
				return err
			}
			if mem != nil {
				mem.writeAt(part[:k], off+int64(n))
			}
			now := i.clampTime(ctx.TimeFor(i))
			return i.update(h, func() {
				i.size = max(i.size, off+int64(n+k))
				i.mtime, i.ctime = now, now
			})
		})
		n += k
	}
	return some(n, err)
}

// inPlace reports whether a write changes nothing but bytes of one run on the
// device, and gives their place.
func (i *inode) inPlace(p []byte, off int64) (at int64, ok bool) {
	if off+int64(len(p)) > i.size || i.mem != nil || i.is(flInlineData) || i.logged() {
		return 0, false
	}
	bs := int64(i.s.es.blockSize)
	n := divUp(uint64(off%bs)+uint64(len(p)), uint64(bs))
	r, err := i.mapBlocks(uint32(off/bs), uint32(n))
	if err != nil || r.Len < n || r.Physical == noPhys || r.Unwritten {
		return 0, false
	}
	return int64(r.Physical)*bs + off%bs, true
}

// stamp sets the times of a write, if they change (file_update_time): mostly the
// inode is left alone.
func (i *inode) stamp(ctx *fs.Context) error {
	now := i.clampTime(ctx.TimeFor(i))
	if i.mtime == now && i.ctime == now {
		return i.s.writable()
	}
	return i.s.changeLocked(ctx, creditsInode, func(h *handle) error {
		return i.update(h, func() { i.mtime, i.ctime = now, now })
	})
}

// writeStep writes the part of p that lies in one run, allocating it.
func (i *inode) writeStep(h *handle, p []byte, off int64) (int, error) {
	bs := int64(i.s.es.blockSize)
	lblk, in := uint32(off/bs), int(off%bs)
	want := uint32(divUp(uint64(in+len(p)), uint64(bs)))
	r, err := i.mapBlocks(lblk, want)
	if err != nil {
		return 0, err
	}
	n := int(min(int64(len(p)), int64(r.Len)*bs-int64(in)))
	if i.logged() {
		return i.logStep(h, p[:n], lblk, r, in)
	}
	if r.Physical != noPhys && !r.Unwritten {
		return n, i.toDevice(p[:n], int64(r.Physical)*bs+int64(in))
	}
	if r.Unwritten {
		if err := i.writePadded(p[:n], r.Physical, in); err != nil {
			return 0, err
		}
		return n, i.setUnwritten(h, lblk, uint32(divUp(uint64(in+n), uint64(bs))), false)
	}
	pblk, cnt, err := i.newDataBlocks(h, lblk, uint32(divUp(uint64(in+n), uint64(bs))))
	if err != nil {
		return 0, err
	}
	n = int(min(int64(n), int64(cnt)*bs-int64(in)))
	if err := i.writePadded(p[:n], pblk, in); err != nil {
		i.s.freeBlocks(h, i.ino, pblk, cnt, false)
		return 0, err
	}
	if err := i.addMapping(h, lblk, pblk, cnt, false); err != nil {
		i.discard()
		return 0, err
	}
	return n, nil
}

func (i *inode) toDevice(p []byte, at int64) error {
	if err := writeFull(i.s.dev, p, at); err != nil {
		i.s.log(printk.Err, "inode %d: write at %d: %v", i.ino, at, err)
		if i.s.opt.DataErrAbort && i.s.journal != nil {
			i.s.journal.Abort(abi.EIO)
		}
		return abi.EIO
	}
	i.s.wrote.Add(1)
	return nil
}

// writePadded writes to blocks that nothing was in yet: what p does not cover of
// them becomes zero.
func (i *inode) writePadded(p []byte, pblk uint64, in int) error {
	bs := int(i.s.es.blockSize)
	if rest := (in + len(p)) % bs; in > 0 || rest > 0 {
		buf := i.s.padding(int(divUp(uint64(in+len(p)), uint64(bs))) * bs)
		clear(buf[:in])
		n := copy(buf[in:], p)
		clear(buf[in+n:])
		p = buf
	}
	return i.toDevice(p, int64(pblk)*int64(bs))
}

// padding gives memory for n bytes, until it is called again. FS.mu is held for
// writing.
func (s *FS) padding(n int) []byte {
	const most = 64 << 10 // that is kept
	if n > most {
		return make([]byte, n)
	}
	if len(s.pad) < n {
		s.pad = make([]byte, n)
	}
	return s.pad[:n]
}

// zeroRange makes bytes [a, b) of what is allocated and written zero.
func (i *inode) zeroRange(h *handle, a, b int64) error {
	bs := int64(i.s.es.blockSize)
	for a < b {
		r, err := i.mapBlocks(uint32(a/bs), uint32(min(divUp(uint64(b-a/bs*bs), uint64(bs)), 256)))
		if err != nil {
			return err
		}
		n := min(int64(r.Len)*bs-a%bs, b-a)
		if r.Physical != noPhys && !r.Unwritten {
			if err := i.zeroRun(h, r.Physical, int(a%bs), n); err != nil {
				return err
			}
		}
		a += n
	}
	return nil
}

func (i *inode) zeroRun(h *handle, pblk uint64, in int, n int64) error {
	if !i.logged() {
		return i.toDevice(make([]byte, n), int64(pblk)*int64(i.s.es.blockSize)+int64(in))
	}
	return i.logData(h, make([]byte, n), pblk, in, false)
}

// Setattr changes attributes.
func (i *inode) Setattr(ctx *fs.Context, sa fs.SetAttr) error {
	shorter := func() bool { return sa.Valid&fs.AttrSize != 0 && sa.Size < i.size } // blocks are freed
	sync := sa.Valid&fs.AttrSize != 0 && i.flagged(flSync)
	if sync && !mayWait(ctx) {
		return fs.ErrMustWait
	}
	err := i.modifyUnmapped(ctx, shorter, func() error { return i.setattr(ctx, sa) })
	if err == nil && sync {
		err = i.fsync(false)
	}
	return err
}

func (i *inode) setattr(ctx *fs.Context, sa fs.SetAttr) error {
	s := i.s
	if i.is(flImmutable) || i.is(flAppend) && sa.Valid&(fs.AttrMode|fs.AttrUID|fs.AttrGID) != 0 {
		return abi.EPERM // the VFS has checked; this is for what it changes on its own
	}
	if i.dead { // free already: there is nothing left to change
		return nil
	}
	if sa.Valid&fs.AttrSize != 0 {
		if err := i.truncate(ctx, sa.Size); err != nil {
			return err
		}
	}
	i.mu.Lock()
	same := i.attrs() == i.attrs().with(&sa, i)
	i.mu.Unlock()
	if same {
		return s.writable()
	}
	return s.changeLocked(ctx, creditsInode, func(h *handle) error {
		return i.update(h, func() {
			a := i.attrs().with(&sa, i)
			i.mode, i.uid, i.gid, i.atime, i.mtime, i.ctime = a.mode, a.uid, a.gid, a.atime, a.mtime, a.ctime
		})
	})
}

// attrs are what setattr changes in the inode alone.
type attrs struct {
	mode, uid, gid      uint32
	atime, mtime, ctime abi.Timespec
}

func (i *inode) attrs() attrs { return attrs{i.mode, i.uid, i.gid, i.atime, i.mtime, i.ctime} }

// with gives them after the changes of sa to i.
func (a attrs) with(sa *fs.SetAttr, i *inode) attrs {
	if sa.Valid&fs.AttrMode != 0 {
		a.mode = i.kind | sa.Mode&abi.S_IALLUGO
	}
	if sa.Valid&fs.AttrUID != 0 {
		a.uid = sa.UID
	}
	if sa.Valid&fs.AttrGID != 0 {
		a.gid = sa.GID
	}
	if sa.Valid&fs.AttrAtime != 0 {
		a.atime = i.clampTime(sa.Atime)
	}
	if sa.Valid&fs.AttrMtime != 0 {
		a.mtime = i.clampTime(sa.Mtime)
	}
	if sa.Valid&fs.AttrCtime != 0 {
		a.ctime = i.clampTime(sa.Ctime)
	}
	return a
}

// truncate is ext4_setattr's change of size. Shrinking is an orphan until it is
// done, since it may take several changes.
func (i *inode) truncate(ctx *fs.Context, size int64) error {
	s := i.s
	if size > i.maxSize() {
		return abi.EFBIG
	}
	old := i.size
	if size < old {
		if err := i.heavy(ctx); err != nil {
			return err
		}
	}
	i.discard()
	err := s.changeLocked(ctx, creditsTree+creditsInode+2, func(h *handle) error {
		if i.is(flInlineData) {
			if size == old {
				return nil
			}
			if err := i.convertInline(h); err != nil {
				return err
			}
		}
		if size >= old {
			if err := i.zeroTail(h); err != nil {
				return err
			}
			return i.update(h, func() { i.size = size })
		}
		bs := int64(s.es.blockSize)
		if size%bs != 0 { // what lies behind must read as zero when the file grows again
			if err := i.zeroRange(h, size, min((size/bs+1)*bs, (old+bs-1)/bs*bs)); err != nil {
				return err
			}
		}
		if err := s.addOrphan(h, i); err != nil {
			return err
		}
		if err := i.update(h, func() { i.size = size }); err != nil {
			return err
		}
		if err := i.unmap(h, s.es.blocksIn(size), maxBlocks); err != nil {
			return err
		}
		if err := h.restart(creditsInode); err != nil {
			return err
		}
		if i.links == 0 { // stays an orphan
			return nil
		}
		return s.delOrphan(h, i)
	})
	if i.mem != nil {
		i.mem.resize(i.size)
	}
	return err
}
