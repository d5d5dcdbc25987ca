// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Inode is a file of a file system. Implementations are pointers, comparable,
// and one file has one Inode value as long as anybody holds it. The type bits
// of its mode never change. All methods may be called concurrently.
type Inode interface {
	// Getattr gives the attributes. It must be cheap: stat and the permission
	// checks of path walks use it.
	Getattr() (Attr, error)
}

// Dir is the ability of directories.
type Dir interface {
	// Lookup finds name, never "." or ".."; abi.ENOENT when there is none.
	// Called with the directory's Dentry.mu held.
	Lookup(ctx *Context, name string) (Inode, error)
}

// DirEditor is the ability of directories whose entries can change. All are
// called with the directory locked and after permission checks; name is one
// valid component.
type DirEditor interface {
	// Mknod makes a file of any type but directory and symbolic link;
	// abi.EEXIST when name exists.
	Mknod(ctx *Context, name string, na NewAttr) (Inode, error)
	Mkdir(ctx *Context, name string, na NewAttr) (Inode, error)
	Symlink(ctx *Context, name, target string, na NewAttr) (Inode, error)
	// Link makes name another name of target, an inode of the same super block.
	Link(ctx *Context, name string, target Inode) error
	// Unlink removes a name of victim, which is not a directory.
	Unlink(ctx *Context, name string, victim Inode) error
	// Rmdir removes the directory victim; abi.ENOTEMPTY.
	Rmdir(ctx *Context, name string, victim Inode) error
}

// Renamer is the ability of directories to rename entries. Called on the old
// parent. target is nil when newName does not exist. flags are RENAME_*; a file
// system that does not know one returns abi.EINVAL.
type Renamer interface {
	Rename(ctx *Context, oldName string, victim Inode, newDir Inode, newName string, target Inode, flags uint32) error
}

// Tmpfiler is the ability to make unnamed files (O_TMPFILE).
type Tmpfiler interface {
	Tmpfile(ctx *Context, na NewAttr) (Inode, error)
}

// Revalidator is the ability of directories whose cached names can become
// stale behind the VFS's back.
type Revalidator interface {
	// Revalidate reports whether name still leads to child (nil: to nothing).
	Revalidate(ctx *Context, name string, child Inode) bool
}

// SymlinkInode is the ability of symbolic links.
type SymlinkInode interface {
	Readlink(ctx *Context) (string, error)
}

// MagicLink is the ability of links that lead to a place rather than to a name
// (/proc/PID/fd/N). The inode is a symbolic link with Readlink too.
type MagicLink interface {
	Follow(ctx *Context) (Path, error)
}

// Setattrer is the ability to change attributes.
type Setattrer interface {
	Setattr(ctx *Context, sa SetAttr) error
}

// Opener is the ability to be opened, of regular files and directories. Device
// nodes and FIFOs are opened by the VFS. flags are O_*; access was checked.
// path is the zero Path when another file system (overlayfs) opens. The VFS
// creates and truncates; O_TRUNC only tells what is about to happen.
type Opener interface {
	Open(ctx *Context, path Path, flags int) (FileOps, error)
}

// Xattrs is the ability to hold extended attributes. The VFS has checked the
// name space's permission; names are complete ("user.x"), and never those of
// ACLs, which ACLHolder is for.
type Xattrs interface {
	// Getxattr gives the value; abi.ENODATA.
	Getxattr(ctx *Context, name string) ([]byte, error)
	// Setxattr obeys XATTR_CREATE and XATTR_REPLACE.
	Setxattr(ctx *Context, name string, value []byte, flags int) error
	Removexattr(ctx *Context, name string) error
	Listxattr(ctx *Context) ([]string, error)
}

// Permissioner replaces the ordinary mode bit check.
type Permissioner interface {
	// Permission checks mask, of abi.R_OK, W_OK and X_OK.
	Permission(ctx *Context, mask uint32) error
}

// Pinner is the ability of inodes which want to know when no open file uses
// them any more, to free the data of unlinked files. Pin fails with abi.ENOENT
// when the data is gone already. O_PATH files pin too.
type Pinner interface {
	Pin() error
	Unpin()
}

// Accesser is the ability to keep access times.
type Accesser interface {
	// Accessed sets the access time; with relatime only when the rule of
	// relatime says so.
	Accessed(now abi.Timespec, relatime bool)
}
