// SPDX-License-Identifier: Apache-2.0

// Package kernfs helps to write synthetic file systems (procfs, sysfs):
// Linux's fs/kernfs and fs/seq_file.c.
//
// A tree is made of three sorts of inodes: directories, whose entries are a
// fixed list, a function, or both (DirNode); files, whose text is generated when
// it is first read and may accept writes (FileNode); and links, ordinary or magic
// (LinkNode). Inode numbers are handed out by FS.
//
// A file's text is made at the first read of an open file and again when it is
// read from offset 0, as seq_file does, so that a reader sees one consistent
// state and a poller can rewind.
//
// Locks: a node has none but that of its attributes; an open file's text is
// guarded by a leaf lock.
package kernfs

import (
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
)

// FS hands out inode numbers for one synthetic super block.
type FS struct {
	SB   *fs.SuperBlock
	next atomic.Uint64
	born abi.Timespec
}

// New makes a synthetic file system. root makes its root directory inode.
func New(v *fs.VFS, typ string, magic int64, root func(*FS) fs.Inode) (*fs.SuperBlock, error) {
	var ctx *fs.Context
	f := &FS{born: ctx.Time()}
	f.SB = v.NewSuperBlock(typ, magic, f)
	f.SB.Revalidates = true
	return f.SB, f.SB.SetRoot(root(f))
}

// Ino gives a new inode number.
func (f *FS) Ino() uint64 { return f.next.Add(1) }

// Node is what all sorts of nodes share: the attributes. Owner, when not nil,
// tells uid and gid at each stat (/proc/PID belongs to the task's user).
type Node struct {
	fs    *FS
	ino   uint64
	mode  uint32
	Owner func() (uid, gid uint32)
	// Time, when not nil, tells the time stamps; otherwise the mount's time.
	Time func() abi.Timespec
}

// NewNode makes the common part of a node of type and permissions mode.
func (f *FS) NewNode(mode uint32) Node { return Node{fs: f, ino: f.Ino(), mode: mode} }

// Getattr gives the attributes.
func (n *Node) Getattr() (fs.Attr, error) {
	t := n.fs.born
	if n.Time != nil {
		t = n.Time()
	}
	a := fs.Attr{Dev: n.fs.SB.Dev, Ino: n.ino, Mode: n.mode, Nlink: 1, Blksize: 1024, Atime: t, Mtime: t, Ctime: t}
	if a.IsDir() {
		a.Nlink = 2
	}
	if n.Owner != nil {
		a.UID, a.GID = n.Owner()
	}
	return a, nil
}

// Ino gives the inode number.
func (n *Node) Ino() uint64 { return n.ino }

// Setattr accepts nothing, but lets O_TRUNC of a writable file pass.
func (n *Node) Setattr(_ *fs.Context, sa fs.SetAttr) error {
	if sa.Valid&(fs.AttrMode|fs.AttrUID|fs.AttrGID) != 0 {
		return abi.EPERM
	}
	return nil
}
