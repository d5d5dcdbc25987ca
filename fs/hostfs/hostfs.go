// SPDX-License-Identifier: Apache-2.0

// Package hostfs makes a directory of the host a file system: Linux's fs/hostfs.
//
// # Access
//
// The host is only ever asked for one component below a held directory
// descriptor, links never followed, so a hostile tree (links to /etc/shadow,
// "..") leads nowhere. Only regular files and directories are opened; device
// nodes of the tree become guest devices by their numbers, FIFOs and sockets
// guest ones. A descriptor is checked against the device and inode number that
// was looked up before it is used.
//
// # Freshness
//
// With Shared the tree is taken to be immutable: names and attributes are read
// once. Otherwise the guest sees what the host changes: names that lead to files,
// and names that lead nowhere, are looked up again at each use (one statx); names
// of directories are trusted for dirTTL; attributes for attrTTL, which only
// saves asking twice within one system call.
//
// # Descriptors
//
// Host descriptors are a bounded cache: an open File holds none, unless it is
// mapped or its name was removed. See fdcache.
//
// # Ownership
//
// Direct (Lodger is the host's root): everything goes through. Otherwise files of
// the invoking user look like root's, and an owner, mode or device number that
// the host does not let us set is kept in the extended attribute
// user.lodger.attr (see mapped.go).
//
// Locks: node.execMu, FS.names (renames against opens by name), node.mu, then fdcache.mu and
// FS.tableMu, which are leaves.
package hostfs

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

const (
	dirTTL  = 20 * time.Millisecond
	attrTTL = 50 * time.Microsecond
)

// Options of a new file system.
type Options struct {
	// RootFD is a host descriptor of the directory; hostfs owns it then.
	RootFD int
	// Shared promises that nobody changes the tree while it is mounted: it is
	// read-only, and names and attributes are cached for ever. For overlay
	// lowers.
	Shared bool
	// ReadOnly refuses changes (but sees those of the host, unless Shared).
	ReadOnly bool
	// Direct passes owner, mode and device numbers through to the host: Lodger
	// is the host's root. Otherwise the files of uid HostUID and gid HostGID
	// appear as the guest's 0, and what cannot be is kept in user xattrs.
	Direct           bool
	HostUID, HostGID uint32
	// MaxFDs bounds the host descriptors that are kept; 0 derives it from
	// RLIMIT_NOFILE.
	MaxFDs int
}

// FS is one host tree.
type FS struct {
	opt     Options
	sb      *fs.SuperBlock
	rootDev uint64
	root    *node
	fds     fdcache
	start   time.Time
	noexec  bool        // the host's mount forbids executable mappings
	mapped  atomic.Bool // some file has user.lodger.attr

	// names is held exclusively while names change and shared while something is
	// opened by its name, so that the guest cannot swap a file for a device
	// between the check and the open.
	names sync.RWMutex

	tableMu sync.Mutex
	table   map[nodeKey]weak.Pointer[node] // guarded by tableMu
	sweepAt int                            // size of table to sweep at; guarded by tableMu
}

type nodeKey struct{ dev, ino uint64 }

// New makes a file system of a host directory.
func New(v *fs.VFS, opt Options) (*fs.SuperBlock, error) {
	var st host.FileStat
	if err := host.StatAt(opt.RootFD, "", &st); err != nil {
		return nil, err
	}
	if st.Mode&abi.S_IFMT != abi.S_IFDIR {
		return nil, abi.ENOTDIR
	}
	f := &FS{opt: opt, rootDev: st.Dev, start: time.Now(), table: map[nodeKey]weak.Pointer[node]{}}
	f.noexec = host.NoExec(opt.RootFD)
	f.fds.max = opt.MaxFDs
	if f.fds.max <= 0 {
		f.fds.max = min(max(host.FDLimit()/8, 64), 4096)
	}
	// Not waited for: nobody needs the room yet.
	go host.GrowFDTable(opt.RootFD, f.fds.max+512)
	f.sb = v.NewSuperBlock("hostfs", 0x00c0ffee, f)
	f.sb.SetReadOnly(f.readOnly())
	f.sb.Revalidates = !opt.Shared
	f.findMapped()
	f.root = f.nodeOf(nil, "", &st)
	f.root.ro = &handle{fd: opt.RootFD, node: f.root, refs: 1} // never evicted
	f.fds.open = map[int]struct{}{opt.RootFD: {}}
	runtime.AddCleanup(f, closeFDs, f.fds.open)
	return f.sb, f.sb.SetRoot(f.root)
}

// readOnly reports whether the host's tree must not be changed. The super block's
// flag says so to the guest, whose root may change flags; what keeps the host's tree
// is asked here again at each change.
func (f *FS) readOnly() bool { return f.opt.Shared || f.opt.ReadOnly }

// Remount implements fs.Remounter.
func (f *FS) Remount(flags uint32, _ string) error {
	if f.readOnly() && flags&abi.MS_RDONLY == 0 {
		return abi.EROFS
	}
	return nil
}

// now gives monotonic nanoseconds, never 0.
func (f *FS) now() int64 { return int64(time.Since(f.start)) + 1 }

// nodeOf gives the node of a host file, new or known, and notes where it is.
func (f *FS) nodeOf(parent *node, name string, st *host.FileStat) *node {
	key := nodeKey{st.Dev, st.Ino}
	f.tableMu.Lock()
	n := f.table[key].Value()
	if n == nil || n.hostKind != st.Mode&abi.S_IFMT {
		n = &node{fs: f, key: key, hostKind: st.Mode & abi.S_IFMT}
		n.parent, n.name = parent, name
		n.kind = n.hostKind
		if len(f.table) >= max(f.sweepAt, 256) {
			f.sweepAt = 2 * fs.Sweep(f.table)
		}
		f.table[key] = weak.Make(n)
	}
	f.tableMu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n != f.root {
		n.parent, n.name = parent, name
	}
	n.setStat(st)
	return n
}

// Statfs answers statfs(2).
func (f *FS) Statfs() (abi.Statfs, error) {
	bs, blocks, bfree, bavail, files, ffree, err := host.FSStat(f.opt.RootFD)
	return abi.Statfs{Bsize: bs, Blocks: blocks, Bfree: bfree, Bavail: bavail, Files: files, Ffree: ffree, Namelen: abi.NAME_MAX}, err
}

// NoExec reports whether executable mappings are copies (lodger info says so).
func (f *FS) NoExec() bool { return f.noexec }

// ReleaseSuper closes the descriptors.
func (f *FS) ReleaseSuper() { f.fds.closeAll() }
