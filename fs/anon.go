// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync"

	"lodger/abi"
)

// AnonInode is the inode of a file outside any tree (pipe, socket, eventfd).
type AnonInode struct {
	mu   sync.Mutex
	attr Attr // guarded by mu
	name string
	pipe *pipe // of a pipe
}

// Getattr gives the attributes.
func (i *AnonInode) Getattr() (Attr, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.attr, nil
}

// Setattr changes mode, owner and times, as fchmod of a pipe does.
func (i *AnonInode) Setattr(_ *Context, sa SetAttr) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	a := &i.attr
	if sa.Valid&AttrMode != 0 {
		a.Mode = a.Mode&abi.S_IFMT | sa.Mode&abi.S_IALLUGO
	}
	if sa.Valid&AttrUID != 0 {
		a.UID = sa.UID
	}
	if sa.Valid&AttrGID != 0 {
		a.GID = sa.GID
	}
	if sa.Valid&AttrAtime != 0 {
		a.Atime = sa.Atime
	}
	if sa.Valid&AttrMtime != 0 {
		a.Mtime = sa.Mtime
	}
	a.Ctime = sa.Ctime
	return nil
}

// Dname gives the name in /proc/PID/fd.
func (i *AnonInode) Dname() string { return i.name }

// Ino gives the inode number.
func (i *AnonInode) Ino() uint64 { return i.attr.Ino } // never changes

// initAnon makes the mount that holds nameless files.
func (v *VFS) initAnon() {
	sb := v.NewSuperBlock("anon_inodefs", abi.ANON_INODE_FS_MAGIC, nil)
	v.anon = &Mount{SB: sb}
	v.anon.Root = newDentry(sb, nil, "", &AnonInode{attr: Attr{Dev: sb.Dev, Ino: 1, Mode: abi.S_IFDIR | 0o500, Nlink: 1}, name: "/"}, abi.S_IFDIR)
	sb.Root = v.anon.Root
}

// NewAnonInode makes an inode of the given mode (type and permissions) and
// name. In name, "%d" stands for the inode number, as in "socket:[%d]".
func (v *VFS) NewAnonInode(ctx *Context, name string, mode uint32) *AnonInode {
	ino := v.nextAnon.Add(1) + 1
	i := &AnonInode{name: expandIno(name, ino)}
	now := ctx.Time()
	i.attr = Attr{Dev: v.anon.SB.Dev, Ino: ino, Mode: mode, Nlink: 1, UID: ctx.Creds.FSUID, GID: ctx.Creds.FSGID,
		Blksize: 4096, Atime: now, Mtime: now, Ctime: now}
	return i
}

// NewAnonFile makes an open file outside any tree: sockets ("socket:[%d]",
// S_IFSOCK|0777), eventfds ("anon_inode:[eventfd]", 0600). flags are O_*.
// inode nil means a new AnonInode of that name and mode.
func (v *VFS) NewAnonFile(ctx *Context, name string, mode uint32, inode Inode, ops FileOps, flags int) *File {
	if inode == nil {
		inode = v.NewAnonInode(ctx, name, mode)
	}
	d := newDentry(v.anon.SB, nil, name, inode, mode)
	return NewFile(Path{v.anon, d}, ops, flags)
}

// VFS gives the guest's file system.
func (c *Context) VFS() *VFS { return c.Root.Mnt.SB.VFS }
