// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strings"

	"lodger/abi"
)

// LookupFlags change what Lookup does.
type LookupFlags uint32

// Lookup flags.
const (
	LookupFollow    LookupFlags = 1 << iota // follow a symbolic link in the last component
	LookupDirectory                         // the result must be a directory (ENOTDIR)
	LookupEmpty                             // an empty name means dir itself (AT_EMPTY_PATH)
)

// maxLinks is MAXSYMLINKS of include/linux/namei.h.
const maxLinks = 40

// walk is one path walk (struct nameidata). It lives on the stack.
type walk struct {
	ctx     *Context
	root    Path   // where absolute names start and ".." ends
	cur     Path   // where the walk stands
	resolve uint64 // RESOLVE_*
	links   int    // symbolic links followed so far
}

const scoped = abi.RESOLVE_BENEATH | abi.RESOLVE_IN_ROOT

// begin checks name and sets the start.
func (w *walk) begin(ctx *Context, dir Path, name string, resolve uint64) error {
	if name == "" {
		return abi.ENOENT
	}
	if len(name) >= abi.PATH_MAX {
		return abi.ENAMETOOLONG
	}
	if dir.Dentry == nil {
		dir = ctx.Cwd
	}
	w.ctx, w.root, w.cur, w.resolve = ctx, ctx.Root, dir, resolve
	if resolve&scoped != 0 {
		w.root = dir
		if !dir.Dentry.IsDir() {
			return abi.ENOTDIR
		}
	}
	if name[0] != '/' && !dir.Dentry.IsDir() {
		return abi.ENOTDIR
	}
	return nil
}

// component is what parent leaves to the caller.
type component struct {
	name     string // "" for the root itself, may be "." or ".."
	trailing bool   // slashes follow it
}

// norm reports whether c is an ordinary name (LAST_NORM).
func (c component) norm() bool { return c.name != "" && c.name != "." && c.name != ".." }

// parent walks all but the last component of name. cur is the directory then,
// and the right to search it has been checked.
func (w *walk) parent(name string) (component, error) {
	if name[0] == '/' {
		if w.resolve&abi.RESOLVE_BENEATH != 0 {
			return component{}, abi.EXDEV
		}
		if err := w.jump(w.root); err != nil {
			return component{}, err
		}
		name = strings.TrimLeft(name, "/")
		if name == "" {
			return component{}, nil
		}
	}
	for {
		if err := maySearch(w.ctx, w.cur.Dentry); err != nil {
			return component{}, err
		}
		i := strings.IndexByte(name, '/')
		if i < 0 {
			return component{name: name}, nil
		}
		c := name[:i]
		for i++; i < len(name) && name[i] == '/'; i++ {
		}
		if i == len(name) {
			return component{name: c, trailing: true}, nil
		}
		name = name[i:]
		if err := w.step(c, true); err != nil {
			return component{}, err
		}
		if !w.cur.Dentry.IsDir() {
			return component{}, abi.ENOTDIR
		}
	}
}

// full walks all of name.
func (w *walk) full(name string, follow bool) error {
	last, err := w.parent(name)
	if err != nil {
		return err
	}
	if err := w.step(last.name, follow || last.trailing); err != nil {
		return err
	}
	if last.trailing && !w.cur.Dentry.IsDir() {
		return abi.ENOTDIR
	}
	return nil
}

// step walks one component from the directory cur.
func (w *walk) step(name string, follow bool) error {
	switch name {
	case "", ".":
		return nil
	case "..":
		return w.dotdot()
	}
	d, err := w.lookup(w.cur.Dentry, name)
	if err != nil {
		return err
	}
	return w.into(d, follow)
}

// into moves to d, a child of cur: through mounts on it, and through the
// symbolic link that it is.
func (w *walk) into(d *Dentry, follow bool) error {
	if d.inode == nil {
		return abi.ENOENT
	}
	if d.kind == abi.S_IFLNK && follow {
		return w.followLink(d)
	}
	w.cur.Dentry = d
	if d.mnts.Load() != 0 {
		return w.down()
	}
	return nil
}

// down moves to the top of what is mounted on cur.
func (w *walk) down() error {
	p := w.cur.mountTop()
	if p.Mnt != w.cur.Mnt && w.resolve&abi.RESOLVE_NO_XDEV != 0 {
		return abi.EXDEV
	}
	w.cur = p
	return nil
}

// mountTop gives the top of the mounts on p, or p.
func (p Path) mountTop() Path {
	for p.Dentry.mnts.Load() != 0 {
		m := p.Mnt.childAt(p.Dentry)
		if m == nil {
			break
		}
		p = Path{m, m.Root}
	}
	return p
}

// jump moves to an absolute place.
func (w *walk) jump(p Path) error {
	if w.resolve&abi.RESOLVE_NO_XDEV != 0 && p.Mnt != w.cur.Mnt {
		return abi.EXDEV
	}
	w.cur = p
	return nil
}

func (w *walk) dotdot() error {
	p := w.cur
	for {
		if p == w.root {
			if w.resolve&abi.RESOLVE_BENEATH != 0 {
				return abi.EXDEV
			}
			break
		}
		if p.Dentry != p.Mnt.Root {
			if up := p.Dentry.Parent(); up != nil {
				p.Dentry = up
			}
			break
		}
		up, ok := p.Mnt.above()
		if !ok {
			break
		}
		if w.resolve&abi.RESOLVE_NO_XDEV != 0 {
			return abi.EXDEV
		}
		p = up
	}
	// A rename may have moved us out of the tree that must not be left.
	if w.resolve&scoped != 0 && !Reachable(p, w.root) {
		return abi.EAGAIN
	}
	w.cur = p
	if p.Dentry.mnts.Load() != 0 {
		return w.down()
	}
	return nil
}

// followLink walks the text of the symbolic link d in the directory cur.
func (w *walk) followLink(d *Dentry) error {
	if w.resolve&abi.RESOLVE_NO_SYMLINKS != 0 || w.cur.Mnt.flags.Load()&abi.MS_NOSYMFOLLOW != 0 {
		return abi.ELOOP
	}
	if w.links++; w.links > maxLinks {
		return abi.ELOOP
	}
	if ml, ok := d.inode.(MagicLink); ok {
		return w.followMagic(ml)
	}
	target, err := readlink(w.ctx, d.inode)
	if err != nil {
		return err
	}
	if target == "" {
		return abi.ENOENT
	}
	return w.full(target, true)
}

func (w *walk) followMagic(ml MagicLink) error {
	if w.resolve&abi.RESOLVE_NO_MAGICLINKS != 0 {
		return abi.ELOOP
	}
	if w.resolve&scoped != 0 {
		return abi.EXDEV
	}
	p, err := ml.Follow(w.ctx)
	if err != nil {
		return err
	}
	return w.jump(p)
}

func readlink(ctx *Context, i Inode) (string, error) {
	l, ok := i.(SymlinkInode)
	if !ok {
		return "", abi.EINVAL
	}
	return l.Readlink(ctx)
}

// lookup finds name in dir, in the cache or in the file system. The result may
// be negative.
func (w *walk) lookup(dir *Dentry, name string) (*Dentry, error) {
	if c := dir.cached(name); c != nil {
		if !dir.sb.Revalidates || w.valid(dir, c, name) {
			return c, nil
		}
	}
	if w.resolve&abi.RESOLVE_CACHED != 0 {
		return nil, abi.EAGAIN
	}
	if len(name) > abi.NAME_MAX {
		return nil, abi.ENAMETOOLONG
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	return lookupLocked(w.ctx, dir, name)
}

func (w *walk) valid(dir, c *Dentry, name string) bool {
	r, ok := dir.inode.(Revalidator)
	return !ok || r.Revalidate(w.ctx, name, c.inode)
}

// lookupLocked is lookup with dir.mu held.
func lookupLocked(ctx *Context, dir *Dentry, name string) (*Dentry, error) {
	if len(name) > abi.NAME_MAX {
		return nil, abi.ENAMETOOLONG
	}
	old := dir.cached(name)
	if old != nil {
		r, ok := dir.inode.(Revalidator)
		if !ok || r.Revalidate(ctx, name, old.inode) {
			return old, nil
		}
	}
	if dir.gone.Load() {
		return nil, abi.ENOENT
	}
	di, ok := dir.inode.(Dir)
	if !ok {
		return nil, abi.ENOTDIR
	}
	inode, err := di.Lookup(ctx, name)
	if err != nil && err != abi.ENOENT {
		return nil, err
	}
	if old != nil {
		if old.inode == inode {
			return old, nil // still the same: keep its identity
		}
		old.gone.Store(old.inode != nil)
	}
	return dir.add(name, inode)
}

// Lookup finds the place that name leads to from dir (see Open).
func Lookup(ctx *Context, dir Path, name string, flags LookupFlags) (Path, error) {
	if name == "" && flags&LookupEmpty != 0 {
		if dir.Dentry == nil {
			dir = ctx.Cwd
		}
		return dir, nil
	}
	var w walk
	if err := w.begin(ctx, dir, name, 0); err != nil {
		return Path{}, err
	}
	if err := w.full(name, flags&LookupFollow != 0); err != nil {
		return Path{}, err
	}
	if flags&LookupDirectory != 0 && !w.cur.Dentry.IsDir() {
		return Path{}, abi.ENOTDIR
	}
	return w.cur, nil
}

// LookupAt is Lookup with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.
func LookupAt(ctx *Context, dir Path, name string, atFlags int) (Path, error) {
	var f LookupFlags
	if atFlags&abi.AT_SYMLINK_NOFOLLOW == 0 {
		f |= LookupFollow
	}
	if atFlags&abi.AT_EMPTY_PATH != 0 {
		f |= LookupEmpty
	}
	return Lookup(ctx, dir, name, f)
}

// LookupDir finds a directory to change into (chdir, chroot): it must be one,
// and searchable (EACCES).
func LookupDir(ctx *Context, dir Path, name string) (Path, error) {
	p, err := Lookup(ctx, dir, name, LookupFollow|LookupDirectory)
	if err != nil {
		return p, err
	}
	return p, CheckChdir(ctx, p)
}

// CheckChdir checks that p is a directory to change into (fchdir).
func CheckChdir(ctx *Context, p Path) error {
	if !p.Dentry.IsDir() {
		return abi.ENOTDIR
	}
	return maySearch(ctx, p.Dentry)
}
