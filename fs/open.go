// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"lodger/abi"
)

// resolveFlags are all RESOLVE_* bits.
const resolveFlags = abi.RESOLVE_NO_XDEV | abi.RESOLVE_NO_MAGICLINKS | abi.RESOLVE_NO_SYMLINKS |
	abi.RESOLVE_BENEATH | abi.RESOLVE_IN_ROOT | abi.RESOLVE_CACHED

// validOpenFlags is VALID_OPEN_FLAGS.
const validOpenFlags = abi.O_ACCMODE | abi.O_CREAT | abi.O_EXCL | abi.O_NOCTTY | abi.O_TRUNC | abi.O_APPEND |
	abi.O_NONBLOCK | abi.O_SYNC | abi.O_ASYNC | abi.O_DIRECT | abi.O_LARGEFILE | abi.O_DIRECTORY |
	abi.O_NOFOLLOW | abi.O_NOATIME | abi.O_CLOEXEC | abi.O_PATH | abi.O_TMPFILE_1

const pathFlags = abi.O_DIRECTORY | abi.O_NOFOLLOW | abi.O_PATH | abi.O_CLOEXEC

// CheckOpenHow gives openat2's errors for how (EINVAL).
func CheckOpenHow(how abi.OpenHow) error {
	f := how.Flags
	creating := f&abi.O_CREAT != 0 || f&abi.O_TMPFILE == abi.O_TMPFILE
	switch {
	case f&^validOpenFlags != 0,
		how.Resolve&^resolveFlags != 0,
		how.Resolve&scoped == scoped,
		creating && how.Mode&^abi.S_IALLUGO != 0,
		!creating && how.Mode != 0,
		f&abi.O_PATH != 0 && f&^pathFlags != 0:
		return abi.EINVAL
	}
	return nil
}

// opening is one open on its way.
type opening struct {
	walk
	flags   int
	mode    uint32
	acc     uint32 // R_OK, W_OK, X_OK to check
	created bool
}

// Open opens name, looked up from dir (Cwd when dir is the zero Path; ignored
// when name is absolute), with the semantics of openat2(2): how.Flags are O_*,
// how.Mode the mode before umask, how.Resolve RESOLVE_*. Unknown flag bits are
// ignored as openat does; openat2 callers use CheckOpenHow first.
//
// Opening a FIFO may return a File *and* a *WouldBlock: the file counts as
// reader or writer already; wait, call FinishOpen until it returns nil, or
// DecRef the file to give up.
func Open(ctx *Context, dir Path, name string, how abi.OpenHow) (*File, error) {
	var o opening
	if err := o.setFlags(how); err != nil {
		return nil, err
	}
	if err := o.begin(ctx, dir, name, how.Resolve); err != nil {
		return nil, err
	}
	switch {
	case o.flags&abi.O_TMPFILE_1 != 0:
		return o.tmpfile(name)
	case o.flags&abi.O_CREAT != 0:
		if err := o.walkCreate(name); err != nil {
			return nil, err
		}
	default:
		if err := o.full(name, o.flags&abi.O_NOFOLLOW == 0); err != nil {
			return nil, err
		}
	}
	return o.finish()
}

// setFlags is build_open_flags of fs/open.c.
func (o *opening) setFlags(how abi.OpenHow) error {
	f := int(how.Flags & validOpenFlags)
	if f&abi.O_PATH != 0 {
		f &= pathFlags
	}
	o.acc = accessMask(f)
	switch {
	case f&(abi.O_DIRECTORY|abi.O_CREAT) == abi.O_DIRECTORY|abi.O_CREAT:
		return abi.EINVAL
	case f&abi.O_TMPFILE_1 != 0 && (f&abi.O_DIRECTORY == 0 || f&abi.O_ACCMODE == abi.O_RDONLY):
		return abi.EINVAL
	case how.Resolve&abi.RESOLVE_CACHED != 0 && f&(abi.O_TRUNC|abi.O_CREAT|abi.O_TMPFILE_1) != 0:
		return abi.EAGAIN
	}
	o.flags, o.mode = f, uint32(how.Mode)&abi.S_IALLUGO
	return nil
}

// accessMask gives the rights that open flags ask for.
func accessMask(flags int) uint32 {
	if flags&abi.O_PATH != 0 {
		return 0
	}
	m := [4]uint32{abi.R_OK, abi.W_OK, abi.R_OK | abi.W_OK, abi.R_OK | abi.W_OK}[flags&abi.O_ACCMODE]
	if flags&abi.O_TRUNC != 0 {
		m |= abi.W_OK
	}
	return m
}

// walkCreate walks to name, creating it when it is missing.
func (o *opening) walkCreate(name string) error {
	for {
		last, err := o.parent(name)
		if err != nil {
			return err
		}
		if !last.norm() {
			return o.step(last.name, false)
		}
		if last.trailing {
			return abi.EISDIR
		}
		d, err := o.lookupCreate(last.name)
		if err != nil {
			return err
		}
		if d.kind != abi.S_IFLNK || o.flags&(abi.O_NOFOLLOW|abi.O_EXCL) != 0 {
			return o.into(d, false)
		}
		// The target of the link may be what is to be created.
		if target, err := o.linkText(d); err != nil || target == "" {
			return err
		} else {
			name = target
		}
	}
}

// linkText is followLink one step at a time; it gives "" after a magic link's
// jump.
func (o *opening) linkText(d *Dentry) (string, error) {
	if _, ok := d.inode.(MagicLink); ok {
		return "", o.followLink(d)
	}
	if o.resolve&abi.RESOLVE_NO_SYMLINKS != 0 || o.cur.Mnt.flags.Load()&abi.MS_NOSYMFOLLOW != 0 {
		return "", abi.ELOOP
	}
	if o.links++; o.links > maxLinks {
		return "", abi.ELOOP
	}
	t, err := readlink(o.ctx, d.inode)
	if err == nil && t == "" {
		err = abi.ENOENT
	}
	return t, err
}

// lookupCreate is lookup_open: it finds or makes name in cur.
func (o *opening) lookupCreate(name string) (*Dentry, error) {
	dir := o.cur.Dentry
	if c := dir.cached(name); c != nil && c.inode != nil && !dir.sb.Revalidates {
		return c, nil
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	d, err := lookupLocked(o.ctx, dir, name)
	if err != nil || d.inode != nil {
		return d, err
	}
	if dir.sb.NoNegatives {
		return nil, abi.ENOENT
	}
	if o.cur.Mnt.ReadOnly() {
		return nil, abi.EROFS
	}
	if err := mayCreate(o.ctx, dir); err != nil {
		return nil, err
	}
	ed, ok := dir.inode.(DirEditor)
	if !ok {
		return nil, abi.EACCES
	}
	na, err := newAttr(o.ctx, dir, abi.S_IFREG|o.mode, 0)
	if err != nil {
		return nil, err
	}
	inode, err := ed.Mknod(o.ctx, name, na)
	if err == abi.EEXIST && o.flags&abi.O_EXCL == 0 { // made behind our back
		if inode, err = dir.inode.(Dir).Lookup(o.ctx, name); err == nil {
			return dir.add(name, inode)
		}
	}
	if err != nil {
		return nil, err
	}
	o.created = true
	d, err = dir.add(name, inode)
	if err == nil {
		dir.notifyName(abi.IN_CREATE, d, d.Name(), 0)
	}
	return d, err
}

// tmpfile is do_tmpfile.
func (o *opening) tmpfile(name string) (*File, error) {
	if err := o.full(name, true); err != nil {
		return nil, err
	}
	dir := o.cur.Dentry
	if !dir.IsDir() {
		return nil, abi.ENOTDIR
	}
	if o.cur.Mnt.ReadOnly() {
		return nil, abi.EROFS
	}
	if err := mayAccess(o.ctx, dir, abi.W_OK|abi.X_OK); err != nil {
		return nil, err
	}
	t, ok := dir.inode.(Tmpfiler)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	na, err := newAttr(o.ctx, dir, abi.S_IFREG|o.mode, 0)
	if err != nil {
		return nil, err
	}
	na.NoLink = o.flags&abi.O_EXCL != 0
	inode, err := t.Tmpfile(o.ctx, na)
	if err != nil {
		return nil, err
	}
	a, err := inode.Getattr()
	if err != nil {
		return nil, err
	}
	d := newDentry(dir.sb, dir, "#"+utoa(a.Ino), inode, abi.S_IFREG)
	d.gone.Store(true)
	o.cur.Dentry = d
	o.created = true
	o.flags &^= abi.O_DIRECTORY
	return o.finish()
}

// finish is do_open: the checks on what was found, and the file.
func (o *opening) finish() (*File, error) {
	d := o.cur.Dentry
	if o.flags&abi.O_CREAT != 0 {
		if o.flags&abi.O_EXCL != 0 && !o.created {
			return nil, abi.EEXIST
		}
		if d.IsDir() {
			return nil, abi.EISDIR
		}
		if !o.created {
			if err := o.mayCreateInSticky(); err != nil {
				return nil, err
			}
		}
	}
	if o.flags&abi.O_DIRECTORY != 0 && !d.IsDir() {
		return nil, abi.ENOTDIR
	}
	if o.flags&abi.O_PATH != 0 {
		return newPathFile(o.cur, o.flags), nil
	}
	return openPath(o.ctx, o.cur, o.flags, o.acc, o.created)
}

// mayCreateInSticky is may_create_in_sticky: who means to create must not find
// somebody else's file in a directory where everybody may make files. Regular
// files and FIFOs are free, as fs.protected_regular and fs.protected_fifos are
// 0 unless somebody sets them.
func (o *opening) mayCreateInSticky() error {
	d := o.cur.Dentry
	up := d.Parent()
	if up == nil || d.kind == abi.S_IFREG || d.kind == abi.S_IFIFO {
		return nil
	}
	da, err := up.inode.Getattr()
	if err != nil || da.Mode&(abi.S_ISVTX|0o002) != abi.S_ISVTX|0o002 {
		return err
	}
	a, err := d.inode.Getattr()
	if err == nil && a.UID != da.UID && a.UID != o.ctx.Creds.FSUID {
		err = abi.EACCES
	}
	return err
}

// OpenPath opens a place that was found before (as /proc/self/fd/N does), with
// permission checks. flags are O_* without O_CREAT.
func OpenPath(ctx *Context, p Path, flags int) (*File, error) {
	if flags&abi.O_PATH != 0 {
		return newPathFile(p, flags&pathFlags), nil
	}
	if flags&abi.O_DIRECTORY != 0 && !p.Dentry.IsDir() {
		return nil, abi.ENOTDIR
	}
	return openPath(ctx, p, flags&validOpenFlags, accessMask(flags), false)
}

func newPathFile(p Path, flags int) *File {
	f := NewFile(p, nil, flags)
	if pin, ok := p.Dentry.inode.(Pinner); ok {
		f.pinned = pin.Pin() == nil
	}
	return f
}

// openPath opens p after the checks of may_open.
func openPath(ctx *Context, p Path, flags int, acc uint32, created bool) (*File, error) {
	d := p.Dentry
	trunc := flags&abi.O_TRUNC != 0 && d.kind == abi.S_IFREG && !created
	if !created {
		if trunc && p.Mnt.ReadOnly() {
			return nil, abi.EROFS
		}
		if err := mayOpen(ctx, p, flags, acc); err != nil {
			return nil, err
		}
	}
	f, err := openInode(ctx, p, flags)
	if f == nil {
		return nil, err
	}
	if err == nil {
		f.notifyOpen()
	}
	if trunc {
		if err = truncateOpen(ctx, d, f.counted); err != nil {
			f.DecRef()
			return nil, err
		}
	}
	return f, err
}

// truncateOpen is handle_truncate: without a write count of its own, O_RDONLY |
// O_TRUNC takes one for the moment (ETXTBSY).
func truncateOpen(ctx *Context, d *Dentry, counted bool) error {
	if !counted {
		v := d.sb.VFS
		if err := v.getWrite(d.inode); err != nil {
			return err
		}
		defer v.putWrite(d.inode)
	}
	return truncateInode(ctx, d, 0)
}

// mayOpen is may_open of fs/namei.c.
func mayOpen(ctx *Context, p Path, flags int, acc uint32) error {
	d := p.Dentry
	switch d.kind {
	case abi.S_IFLNK:
		return abi.ELOOP
	case abi.S_IFDIR:
		if acc&abi.W_OK != 0 {
			return abi.EISDIR
		}
		if acc&abi.X_OK != 0 {
			return abi.EACCES
		}
	case abi.S_IFCHR, abi.S_IFBLK:
		if p.Mnt.flags.Load()&abi.MS_NODEV != 0 || acc&abi.X_OK != 0 {
			return abi.EACCES
		}
	case abi.S_IFREG:
		if acc&abi.X_OK != 0 && p.Mnt.flags.Load()&abi.MS_NOEXEC != 0 {
			return abi.EACCES
		}
	default:
		if acc&abi.X_OK != 0 {
			return abi.EACCES
		}
	}
	if err := mayAccess(ctx, d, acc); err != nil {
		return err
	}
	if (flags&abi.O_ACCMODE != abi.O_RDONLY && flags&abi.O_APPEND == 0 || flags&abi.O_TRUNC != 0) && isFrozen(d.inode, abi.STATX_ATTR_APPEND) {
		return abi.EPERM
	}
	if flags&abi.O_NOATIME != 0 {
		a, err := d.inode.Getattr()
		if err != nil {
			return err
		}
		if !isOwner(ctx.Creds, &a) {
			return abi.EPERM
		}
	}
	return nil
}
