// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"lodger/abi"
)

// childAt gives the mount on dentry d of m, or nil.
func (m *Mount) childAt(d *Dentry) *Mount {
	ns := m.ns.Load()
	if ns == nil {
		return nil
	}
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return m.children[d]
}

// NS gives the mount name space that m is in; nil when detached.
func (m *Mount) NS() *MountNS { return m.ns.Load() }

// attach puts the tree m on at. ns.mu is held.
func (ns *MountNS) attach(m *Mount, at Path) {
	if at.Mnt.children == nil {
		at.Mnt.children = map[*Dentry]*Mount{}
	}
	at.Mnt.children[at.Dentry] = m
	at.Dentry.mnts.Add(1)
	m.up.Store(&at)
	ns.adopt(m)
}

func (ns *MountNS) adopt(m *Mount) {
	ns.seq++
	m.seq = ns.seq
	m.ns.Store(ns)
	for _, c := range m.children {
		ns.adopt(c)
	}
}

// detach takes m off its mountpoint. ns.mu is held.
func (ns *MountNS) detach(m *Mount) {
	at, _ := m.above()
	delete(at.Mnt.children, at.Dentry)
	at.Dentry.mnts.Add(-1)
	m.up.Store(nil)
}

// MountAt mounts sb at a place, without permission checks.
func MountAt(sb *SuperBlock, at Path, source string, flags uint32) (*Mount, error) {
	m := sb.VFS.newMount(sb, sb.Root, source, defaultAtime(flags))
	if top := at.mountTop(); top.Mnt.SB == sb && top.Dentry == top.Mnt.Root {
		sb.put()
		return nil, abi.EBUSY // the same once more on top of itself (do_add_mount)
	}
	if err := attachNew(m, at); err != nil {
		sb.put()
		return nil, err
	}
	return m, nil
}

func attachNew(m *Mount, at Path) error {
	ns := at.Mnt.ns.Load()
	if ns == nil {
		return abi.EINVAL
	}
	if m.Root.IsDir() != at.Dentry.IsDir() {
		return abi.ENOTDIR
	}
	at = at.mountTop()
	if at.Dentry.gone.Load() {
		return abi.ENOENT
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.attach(m, at)
	return nil
}

const propagation = abi.MS_SHARED | abi.MS_PRIVATE | abi.MS_SLAVE | abi.MS_UNBINDABLE

// DoMount is mount(2): new mounts, MS_BIND, MS_REMOUNT, MS_MOVE and the
// propagation types, which are accepted and have no effect: every mount is
// private. Needs CAP_SYS_ADMIN (EPERM).
func DoMount(ctx *Context, source, target, fstype string, flags uint32, data string) error {
	if flags&abi.MS_MGC_MSK == abi.MS_MGC_VAL {
		flags &^= abi.MS_MGC_MSK
	}
	at, err := Lookup(ctx, Path{}, target, LookupFollow)
	if err != nil {
		return err
	}
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	switch {
	case flags&(abi.MS_REMOUNT|abi.MS_BIND) == abi.MS_REMOUNT|abi.MS_BIND:
		return remount(at, flags, data, true)
	case flags&abi.MS_REMOUNT != 0:
		return remount(at, flags, data, false)
	case flags&abi.MS_BIND != 0:
		return bind(ctx, source, at, flags&abi.MS_REC != 0)
	case flags&propagation != 0:
		if at.Dentry != at.Mnt.Root {
			return abi.EINVAL
		}
		return nil
	case flags&abi.MS_MOVE != 0:
		return moveMount(ctx, source, at)
	}
	return newFS(ctx, source, at, fstype, flags, data)
}

func newFS(ctx *Context, source string, at Path, fstype string, flags uint32, data string) error {
	if fstype == "" {
		return abi.EINVAL
	}
	v := ctx.VFS()
	v.regMu.RLock()
	i := v.typeIndex(fstype)
	var t FSType
	if i >= 0 {
		t = v.types[i]
	}
	v.regMu.RUnlock()
	if t.Mount == nil {
		return abi.ENODEV
	}
	super, _, data := SuperFlags(flags, data)
	sb, err := t.Mount(v, ctx, source, super, data)
	if err != nil {
		return err
	}
	if sb.users.Load() > 0 { // mounted already: the type grabbed it for us
		defer sb.Ungrab()
	} else {
		sb.SetFlags(super)
	}
	if source == "" {
		source = "none"
	}
	_, err = MountAt(sb, at, source, flags)
	return err
}

func remount(at Path, flags uint32, data string, bindOnly bool) error {
	if at.Dentry != at.Mnt.Root {
		return abi.EINVAL
	}
	if !bindOnly {
		if err := at.Mnt.SB.reconfigure(flags, data); err != nil {
			return err
		}
	}
	// Without any access time flag the old ones stay (path_mount).
	const atimes = abi.MS_NOATIME | abi.MS_NODIRATIME | abi.MS_RELATIME | abi.MS_STRICTATIME
	if flags&atimes == 0 {
		flags |= at.Mnt.flags.Load() & atimes
	}
	at.Mnt.flags.Store(defaultAtime(flags) & mountFlags)
	return nil
}

// reconfigure makes a super block read-only or writable, with other options:
// reconfigure_super.
func (sb *SuperBlock) reconfigure(flags uint32, data string) error {
	flags, named, data := SuperFlags(flags, data)
	if ro := flags&abi.MS_RDONLY != 0; ro && !sb.ReadOnly() && sb.writers.Load() > 0 {
		return abi.EBUSY // sb_prepare_remount_readonly
	}
	if r, ok := sb.Ops.(Remounter); ok {
		if err := r.Remount(flags, data); err != nil {
			return err
		}
	}
	if _, never := sb.Ops.(NeverWritable); never {
		flags |= abi.MS_RDONLY
	}
	sb.change(remountFlags|named, flags)
	return nil
}

func bind(ctx *Context, source string, at Path, rec bool) error {
	if source == "" {
		return abi.EINVAL
	}
	src, err := Lookup(ctx, Path{}, source, LookupFollow)
	if err != nil {
		return err
	}
	ns := src.Mnt.ns.Load()
	if ns == nil || ns != at.Mnt.ns.Load() {
		return abi.EINVAL
	}
	ns.mu.RLock()
	m := ns.vfs.copyTree(src.Mnt, src.Dentry, rec, nil)
	ns.mu.RUnlock()
	if err := attachNew(m, at); err != nil {
		dropTree(m)
		return err
	}
	return nil
}

// copyTree copies m with root as its root, and with rec the mounts below that.
// done is told of each copy.
func (v *VFS) copyTree(m *Mount, root *Dentry, rec bool, done func(old, copied *Mount)) *Mount {
	n := v.newMount(m.SB, root, m.Source, m.flags.Load())
	if done != nil {
		done(m, n)
	}
	if !rec {
		return n
	}
	for d, c := range m.children {
		if !root.isAncestor(d) {
			continue
		}
		cc := v.copyTree(c, c.Root, true, done)
		if n.children == nil {
			n.children = map[*Dentry]*Mount{}
		}
		n.children[d] = cc
		d.mnts.Add(1)
		cc.up.Store(&Path{n, d})
	}
	return n
}

// dropTree ends a tree of mounts that is not attached.
func dropTree(m *Mount) {
	for d, c := range m.children {
		d.mnts.Add(-1)
		dropTree(c)
	}
	m.children = nil
	m.ns.Store(nil)
	m.SB.put()
}

func moveMount(ctx *Context, source string, at Path) error {
	src, err := Lookup(ctx, Path{}, source, LookupFollow)
	if err != nil {
		return err
	}
	ns := src.Mnt.ns.Load()
	if ns == nil || ns != at.Mnt.ns.Load() || src.Dentry != src.Mnt.Root {
		return abi.EINVAL
	}
	if _, ok := src.Mnt.above(); !ok {
		return abi.EINVAL
	}
	if src.Dentry.IsDir() != at.Dentry.IsDir() {
		return abi.EINVAL
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for m := at.Mnt; ; {
		if m == src.Mnt {
			return abi.ELOOP
		}
		up, ok := m.above()
		if !ok {
			break
		}
		m = up.Mnt
	}
	ns.detach(src.Mnt)
	ns.attach(src.Mnt, at)
	return nil
}

// Umount is umount2(2). A mount with open files, working directories or mounts on it
// is busy, unless MNT_DETACH is given. The caller's own root stays, and becomes
// read-only (do_umount_root): so a guest that shuts down leaves a clean disk.
func Umount(ctx *Context, name string, flags int) error {
	if flags&^(abi.MNT_FORCE|abi.MNT_DETACH|abi.MNT_EXPIRE|abi.UMOUNT_NOFOLLOW) != 0 {
		return abi.EINVAL
	}
	lf := LookupFollow
	if flags&abi.UMOUNT_NOFOLLOW != 0 {
		lf = 0
	}
	p, err := Lookup(ctx, Path{}, name, lf)
	if err != nil {
		return err
	}
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	m := p.Mnt
	ns := m.ns.Load()
	if p.Dentry != m.Root || ns == nil {
		return abi.EINVAL
	}
	if m == ctx.Root.Mnt && flags&abi.MNT_DETACH == 0 {
		if m.SB.ReadOnly() {
			return nil
		}
		return m.SB.reconfigure(abi.MS_RDONLY, "")
	}
	if _, ok := m.above(); !ok {
		return abi.EBUSY
	}
	if s, ok := ctx.VFS().Mappings.(Settler); ok && flags&abi.MNT_DETACH == 0 && m.busy.Load() != 0 {
		if !ctx.MayWait {
			return ErrMustWait
		}
		s.Settle(m)
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if flags&abi.MNT_DETACH == 0 && (m.busy.Load() != 0 || len(m.children) != 0) {
		return abi.EBUSY
	}
	ns.detach(m)
	dropTree(m)
	return nil
}

// PivotRoot is pivot_root(2) without moving other tasks' roots.
func PivotRoot(ctx *Context, newRoot, putOld string) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	n, err := Lookup(ctx, Path{}, newRoot, LookupFollow|LookupDirectory)
	if err != nil {
		return err
	}
	o, err := Lookup(ctx, Path{}, putOld, LookupFollow|LookupDirectory)
	if err != nil {
		return err
	}
	root := ctx.Root
	ns := root.Mnt.ns.Load()
	if ns == nil || n.Mnt.ns.Load() != ns || o.Mnt.ns.Load() != ns || n.Dentry != n.Mnt.Root || root.Dentry != root.Mnt.Root {
		return abi.EINVAL
	}
	if n.Mnt == root.Mnt || o.Mnt == root.Mnt {
		return abi.EBUSY
	}
	if _, ok := n.Mnt.above(); !ok || !Reachable(o, n) {
		return abi.EINVAL
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	at, hadParent := root.Mnt.above()
	ns.detach(n.Mnt)
	if hadParent {
		ns.detach(root.Mnt)
		ns.attach(n.Mnt, at)
	} else {
		ns.root = n.Mnt
	}
	ns.attach(root.Mnt, o)
	return nil
}

// Clone copies the name space (CLONE_NEWNS). translate gives, for a Path in
// the old one, the same place in the new one.
func (ns *MountNS) Clone() (n *MountNS, translate func(Path) Path) {
	n = &MountNS{vfs: ns.vfs}
	table := map[*Mount]*Mount{}
	ns.mu.RLock()
	n.root = ns.vfs.copyTree(ns.root, ns.root.Root, true, func(o, c *Mount) { table[o] = c })
	ns.mu.RUnlock()
	n.mu.Lock()
	n.adopt(n.root)
	n.mu.Unlock()
	return n, func(p Path) Path {
		if m := table[p.Mnt]; m != nil {
			p.Mnt = m
		}
		return p
	}
}
