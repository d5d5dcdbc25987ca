// SPDX-License-Identifier: Apache-2.0

// Package fs is the virtual file system: what Linux keeps in fs/*.c.
//
// # Model
//
// Linux's own. A SuperBlock is one mounted file system; it has a tree of
// Inodes, which the file system defines (package fs/tmpfs and so on). A Dentry
// is a name that leads to an inode (or, negative, to none); dentries are the
// cache of the name space and also its identity: Mount, Path and File point at
// them. A Mount places a SuperBlock's subtree on a dentry of another mount; all
// mounts of one name space are in a MountNS. A Path is a place: mount and
// dentry. A File is an open file description.
//
// An Inode need only say its attributes. Everything else it can do is a small
// interface (Dir, DirEditor, Opener, Xattrs, ...) that the VFS finds by type
// assertion. The same holds for FileOps.
//
// Nothing in this package blocks a goroutine for another guest task: an
// operation that would block returns abi.EAGAIN (streams, whose queue Poller
// tells) or *WouldBlock (FIFO opens, file locks).
//
// A File may own a host descriptor which a guest process maps, or one day
// reads natively: nothing here assumes that it sees every read and write.
//
// # Life times
//
// Paths, dentries and inodes have no reference count: holding a pointer pins
// them, and Go's collector ends them. The dentry cache keeps a bounded number
// of dentries with strong pointers (a clock) and knows all others by weak ones,
// so that each place has one dentry as long as anybody can see it. Files do
// have a count, because their end is visible (locks, pipe ends, host
// descriptors).
//
// # Locks, outermost first
//
//	VFS.renameMu          rename of anything, mount topology changes never take it
//	  Dentry.mu           one directory's names: held over Lookup and DirEditor calls;
//	                      two only under renameMu, ancestor first
//	    (locks of the file system, taken inside its methods)
//	      MountNS.mu      mount tree
//	      Dentry.cmu      leaf: the map of cached children
//	      dcache.mu       leaf: the clock
//	File.posMu            position; held over reads and writes, outside file system locks
//	VFS.inodeMu           leaf: per-inode side tables (locks, FIFOs, write counts)
//	markTable.mu          watches (fsnotify.go): never held over a call into a file system
//	  inotify.mu          one instance's events
//	wait.Queue            leaf
//
// # Left out
//
// Leases, mount propagation, quotas, file handles, splice, fanotify, dnotify.
package fs
