// SPDX-License-Identifier: Apache-2.0

// Package overlayfs joins read-only lower trees and a writable upper one:
// Linux's fs/overlayfs.
//
// # Model
//
// A node stands for one file of the union. Its real inode is a lower one until
// something changes it; then it is copied up. The upper tree belongs to the
// union alone and lives no longer than it (a tmpfs): therefore what Linux
// writes into the upper tree - whiteouts, opaque marks, redirects, the index of
// hard links, inode origins - is kept in the nodes. A directory can be renamed by
// copying up that directory alone, because its node keeps its lower parts; hard
// links of lower files stay links; st_ino does not change at copy-up.
//
// Lower trees must not change. Whiteouts (character devices 0:0) and
// trusted.overlay.opaque are honoured in them when there are several.
//
// A file that was opened for reading reads the upper copy once there is one
// (better than Linux, DEVIATION(linux)); a mapping made before keeps showing the
// lower file, as on Linux.
//
// # Locks
//
// node.copyMu (one copy-up at a time), then FS.mu (all structure: parents,
// names, whiteouts, tables, link counts; upper directory changes happen under
// it), then node.mu (open counts), then the locks of the trees below.
package overlayfs

import (
	"sync"
	"weak"

	"lodger/abi"
	"lodger/fs"
)

// FS is one union.
type FS struct {
	sb    *fs.SuperBlock
	upper *fs.SuperBlock // nil: read-only
	lower []*fs.SuperBlock

	mu      sync.Mutex
	byUpper map[fs.Inode]*node              // guarded by mu: every node that has an upper inode
	byLower map[fs.Inode]weak.Pointer[node] // guarded by mu
	sweepAt int                             // size of byLower to sweep at; guarded by mu
	index   map[fs.Inode]*node              // guarded by mu: lower inodes whose nodes hold state
}

// New makes a union of lower trees, topmost first, below upper. The super
// blocks stay usable only through the union. upper nil makes it read-only.
func New(v *fs.VFS, upper *fs.SuperBlock, lower ...*fs.SuperBlock) (*fs.SuperBlock, error) {
	if len(lower) == 0 {
		return nil, abi.EINVAL
	}
	f := &FS{upper: upper, lower: lower, byUpper: map[fs.Inode]*node{}, byLower: map[fs.Inode]weak.Pointer[node]{}, index: map[fs.Inode]*node{}}
	f.sb = v.NewSuperBlock("overlay", abi.OVERLAYFS_SUPER_MAGIC, f)
	root := &node{fs: f, kind: abi.S_IFDIR, loc: place{}}
	for i, sb := range lower {
		root.lowers = append(root.lowers, layered{sb.Root.Inode(), i})
	}
	a, err := root.lowers[0].inode.Getattr()
	if err != nil {
		return nil, err
	}
	root.ino = f.lowerIno(a.Ino, 0)
	root.real.Store(&realInode{inode: root.lowers[0].inode})
	if upper == nil {
		f.sb.SetReadOnly(true)
	} else if err := f.adoptUpperRoot(root, &a); err != nil {
		return nil, err
	}
	f.index[root.lowers[0].inode] = root
	return f.sb, f.sb.SetRoot(root)
}

// Remount implements fs.Remounter: without an upper layer there is nowhere to write.
func (f *FS) Remount(flags uint32, _ string) error {
	if f.upper == nil && flags&abi.MS_RDONLY == 0 {
		return abi.EROFS
	}
	return nil
}

// adoptUpperRoot makes the upper root look like the topmost lower one.
func (f *FS) adoptUpperRoot(root *node, a *fs.Attr) error {
	u := f.upper.Root.Inode()
	root.real.Store(&realInode{inode: u, upper: true})
	f.byUpper[u] = root
	return u.(fs.Setattrer).Setattr(nil, fs.SetAttr{Valid: fs.AttrMode | fs.AttrUID | fs.AttrGID | fs.AttrMtime | fs.AttrAtime,
		Mode: a.Mode & abi.S_IALLUGO, UID: a.UID, GID: a.GID, Mtime: a.Mtime, Atime: a.Atime})
}

// Inode numbers: those of the topmost lower tree are unchanged; others get a
// mark in the high bits.
func (f *FS) lowerIno(ino uint64, layer int) uint64 { return ino ^ uint64(layer)<<48 }
func (f *FS) upperIno(ino uint64) uint64            { return ino | 1<<56 }

// layered is an inode of the lower tree number layer.
type layered struct {
	inode fs.Inode
	layer int
}

// nodeOfUpper gives the node of an upper inode; mu is held.
func (f *FS) nodeOfUpper(u fs.Inode, parent *node, name string) (*node, error) {
	if n := f.byUpper[u]; n != nil {
		n.loc = place{parent, name}
		return n, nil
	}
	a, err := u.Getattr()
	if err != nil {
		return nil, err
	}
	n := &node{fs: f, kind: a.Mode & abi.S_IFMT, ino: f.upperIno(a.Ino), loc: place{parent, name}}
	n.real.Store(&realInode{inode: u, upper: true})
	f.byUpper[u] = n
	return n, nil
}

// nodeOfLower gives the node of what the lower trees have under a name; parts
// are more than one only for directories. mu is held.
func (f *FS) nodeOfLower(parts []layered, a *fs.Attr, parent *node, name string) *node {
	key := parts[0].inode
	n := f.index[key]
	if n == nil {
		n = f.byLower[key].Value()
	}
	if n == nil {
		n = &node{fs: f, kind: a.Mode & abi.S_IFMT, ino: f.lowerIno(a.Ino, parts[0].layer), lowers: parts}
		n.real.Store(&realInode{inode: key})
		if len(f.byLower) >= max(f.sweepAt, 256) {
			f.sweepAt = 2 * fs.Sweep(f.byLower)
		}
		f.byLower[key] = weak.Make(n)
	}
	n.loc = place{parent, name}
	n.unlinked = false
	return n
}

// Statfs answers statfs(2) with the tree that is written to.
func (f *FS) Statfs() (abi.Statfs, error) {
	sb := f.upper
	if sb == nil {
		sb = f.lower[0]
	}
	if s, ok := sb.Ops.(fs.Statfser); ok {
		return s.Statfs()
	}
	return abi.Statfs{Bsize: 4096, Namelen: abi.NAME_MAX}, nil
}

// ReleaseSuper releases the trees below.
func (f *FS) ReleaseSuper() {
	for _, sb := range append([]*fs.SuperBlock{f.upper}, f.lower...) {
		if sb == nil {
			continue
		}
		if r, ok := sb.Ops.(fs.SuperReleaser); ok {
			r.ReleaseSuper()
		}
	}
}
