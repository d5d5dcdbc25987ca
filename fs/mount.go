// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync"
	"sync/atomic"

	"lodger/abi"
)

// Mount is a super block's (sub)tree at a place.
type Mount struct {
	ID     int // mount id, as in mountinfo
	SB     *SuperBlock
	Root   *Dentry // what is mounted
	Source string  // first field of /proc/mounts

	flags atomic.Uint32 // MS_RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, NODIRATIME, RELATIME, NOSYMFOLLOW
	busy  atomic.Int32  // open files, roots and working directories, for EBUSY

	// Guarded by MountNS.mu of the name space, except that above() reads up
	// without it.
	ns       atomic.Pointer[MountNS]
	up       atomic.Pointer[Path]
	children map[*Dentry]*Mount
	seq      int // order of mounting
}

// mountFlags are the MS_* bits that belong to a mount, not to the super block.
const mountFlags = abi.MS_RDONLY | abi.MS_NOSUID | abi.MS_NODEV | abi.MS_NOEXEC | abi.MS_NOATIME |
	abi.MS_NODIRATIME | abi.MS_RELATIME | abi.MS_NOSYMFOLLOW

// Flags gives the MS_* bits of the mount.
func (m *Mount) Flags() uint32 { return m.flags.Load() }

// ReadOnly reports whether mount or super block forbids writes.
func (m *Mount) ReadOnly() bool {
	return m.flags.Load()&abi.MS_RDONLY != 0 || m.SB.ReadOnly()
}

// Mountpoint gives the place that m covers; not ok for a root mount.
func (m *Mount) Mountpoint() (Path, bool) { return m.above() }

func (m *Mount) above() (Path, bool) {
	p := m.up.Load()
	if p == nil {
		return Path{}, false
	}
	return *p, true
}

// MountNS is a mount name space.
type MountNS struct {
	vfs *VFS
	mu  sync.RWMutex
	seq int // guarded by mu

	root *Mount // guarded by mu
}

// RootPath gives the root of the name space.
func (ns *MountNS) RootPath() Path {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return Path{ns.root, ns.root.Root}
}

// newMount makes a mount of sb's tree at root, not yet in any name space.
func (v *VFS) newMount(sb *SuperBlock, root *Dentry, source string, flags uint32) *Mount {
	m := &Mount{ID: int(v.nextMnt.Add(1)) + 20, SB: sb, Root: root, Source: source}
	m.flags.Store(flags & mountFlags)
	sb.users.Add(1)
	return m
}

// hold keeps the place's mount busy, until put.
func (p Path) hold() {
	p.Dentry.users.Add(1)
	p.Mnt.busy.Add(1)
	p.Mnt.SB.users.Add(1)
}

func (p Path) put() {
	if p.Dentry.users.Add(-1) == 0 && p.Dentry.gone.Load() {
		p.Dentry.unlinked()
	}
	p.Mnt.busy.Add(-1)
	p.Mnt.SB.put()
}

// Held is a place in use beyond a call, as a root or working directory: its mount
// is busy, and its inode stays when its last name goes.
type Held struct {
	Path
	pin Pinner // nil: none, or gone already
}

// Hold makes a place held, until Put.
func Hold(p Path) Held {
	p.hold()
	h := Held{Path: p}
	if pin, ok := p.Dentry.inode.(Pinner); ok && pin.Pin() == nil {
		h.pin = pin
	}
	return h
}

// Put lets go of a held place.
func (h Held) Put() {
	if h.pin != nil {
		h.pin.Unpin()
	}
	h.put()
}

// NewMountNS makes a name space whose root is sb, mounted with MS_* flags.
func (v *VFS) NewMountNS(sb *SuperBlock, source string, flags uint32) *MountNS {
	ns := &MountNS{vfs: v}
	ns.root = v.newMount(sb, sb.Root, source, defaultAtime(flags))
	ns.root.ns.Store(ns)
	return ns
}

// NewDetachedMount makes a mount outside any name space, for kernel use
// (memfds) and for tests.
func (v *VFS) NewDetachedMount(sb *SuperBlock, flags uint32) *Mount {
	return v.newMount(sb, sb.Root, "none", flags)
}

// defaultAtime settles the access time flags as path_mount does: MS_RELATIME is the
// default since Linux 2.6.30 and gives way to MS_NOATIME (which mount(8) adds to the
// options that a mount had), and MS_STRICTATIME rules both out.
func defaultAtime(flags uint32) uint32 {
	flags |= abi.MS_RELATIME
	if flags&abi.MS_NOATIME != 0 {
		flags &^= abi.MS_RELATIME
	}
	if flags&abi.MS_STRICTATIME != 0 {
		flags &^= abi.MS_RELATIME | abi.MS_NOATIME
	}
	return flags &^ abi.MS_STRICTATIME
}
