// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"slices"
	"sync"
	"sync/atomic"

	"lodger/abi"
)

// VFS is one guest's virtual file system: what Linux keeps in global variables.
// Make it with New.
type VFS struct {
	renameMu  sync.Mutex // see the package comment
	dcache    dcache
	nextDev   atomic.Uint32 // minor number of the next anonymous device
	swapFiles atomic.Int32  // len(swaps)
	fileCaps  atomic.Uint64 // how often a file was given capabilities
	nextMnt   atomic.Int32
	nextAnon  atomic.Uint64 // inode numbers of anonymous files
	renames   atomic.Uint32 // cookies of renames that were told
	floor     stampFloor

	regMu sync.RWMutex
	types []FSType               // in the order in which they were registered; guarded by regMu
	sbs   []*SuperBlock          // live ones with a SuperReleaser or SuperSyncer, oldest first; guarded by regMu
	chr   map[uint64]*CharDevice // guarded by regMu
	blk   BlockDevices           // nil: none; guarded by regMu

	inodeMu sync.Mutex
	writers map[Inode]int        // guarded by inodeMu: >0 open for write, <0 denied (i_writecount)
	swaps   map[Inode]bool       // guarded by inodeMu
	fifos   map[Inode]*fifo      // guarded by inodeMu
	locks   map[Inode]*fileLocks // guarded by inodeMu
	posix   lockGraph            // who waits for whom, guarded by inodeMu

	marks        markTable
	queuedEvents atomic.Int64 // of all inotify instances
	Notify       NotifyLimits

	anon *Mount // holds pipes, sockets and other nameless files

	// Mappings is set by the kernel before its first process runs; nil: nobody maps.
	Mappings Mappings
}

// New makes an empty VFS. maxDentries bounds the dentry cache; 0 means 8192.
func New(maxDentries int) *VFS {
	if maxDentries <= 0 {
		maxDentries = 8192
	}
	v := &VFS{
		chr:     map[uint64]*CharDevice{},
		writers: map[Inode]int{},
		fifos:   map[Inode]*fifo{},
		locks:   map[Inode]*fileLocks{},
		marks:   markTable{conns: map[Inode]*connector{}, users: map[uint32]*notifyUser{}},
	}
	v.Notify.setDefaults()
	v.dcache.ring = make([]*Dentry, maxDentries)
	v.initAnon()
	return v
}

// FSType is a kind of file system that mount(2) knows.
type FSType struct {
	Name  string
	NoDev bool // needs no block device ("nodev" in /proc/filesystems)
	// Mount makes a super block, or gives one that is mounted already, with a user for
	// the caller (Grab). source and data are mount(2)'s; flags are MS_*.
	Mount func(v *VFS, ctx *Context, source string, flags uint32, data string) (*SuperBlock, error)
}

// RegisterFS makes t known to Mount.
func (v *VFS) RegisterFS(t FSType) {
	v.regMu.Lock()
	defer v.regMu.Unlock()
	if i := v.typeIndex(t.Name); i >= 0 {
		v.types[i] = t
		return
	}
	v.types = append(v.types, t)
}

// typeIndex finds a type; -1: none. Called with regMu held.
func (v *VFS) typeIndex(name string) int {
	return slices.IndexFunc(v.types, func(t FSType) bool { return t.Name == name })
}

// Single is the Mount of a type that has one instance, whatever the mounts are: the
// one that make returns at the first.
func Single(make func(v *VFS) (*SuperBlock, error)) func(*VFS, *Context, string, uint32, string) (*SuperBlock, error) {
	var once sync.Once
	var sb *SuperBlock
	var err error
	return func(v *VFS, _ *Context, _ string, _ uint32, _ string) (*SuperBlock, error) {
		once.Do(func() {
			if sb, err = make(v); err == nil {
				sb.users.Add(1) // it outlives its mounts
			}
		})
		if err != nil {
			return nil, err
		}
		sb.users.Add(1)
		return sb, nil
	}
}

// FSTypes lists the known types, for /proc/filesystems.
func (v *VFS) FSTypes() []FSType {
	v.regMu.RLock()
	defer v.regMu.RUnlock()
	return slices.Clone(v.types)
}

// SuperBlock is one file system instance.
type SuperBlock struct {
	VFS   *VFS
	Type  string // "tmpfs"
	Dev   uint64 // st_dev of its inodes
	Root  *Dentry
	Magic int64
	// Ops has the abilities Statfser, OptionShower, Remounter, SuperSyncer and
	// SuperReleaser.
	Ops any
	// Revalidates tells that directories implement Revalidator.
	Revalidates bool
	// OnRelease, when not nil, is called when the super block has ended: the device
	// that it lies on is free.
	OnRelease func()
	// NoNegatives tells that a missing name is ENOENT even for who wants to make
	// it (procfs, whose lookups leave no negative dentry).
	NoNegatives bool

	flags      atomic.Uint32 // superFlags
	released   atomic.Bool
	writers    atomic.Int32 // files open for writing
	connectors atomic.Int32 // watched inodes (s_fsnotify_connectors)
	users      atomic.Int32 // mounts of it, and what keeps mounts busy (s_active)
}

// put drops a user; the last one ends the super block.
func (sb *SuperBlock) put() {
	if sb.users.Add(-1) == 0 {
		sb.release()
	}
}

// NewSuperBlock makes a super block with a new anonymous device number. The
// file system makes its root inode with that number and calls SetRoot.
func (v *VFS) NewSuperBlock(typ string, magic int64, ops any) *SuperBlock {
	return &SuperBlock{VFS: v, Type: typ, Magic: magic, Ops: ops, Dev: v.NewDev()}
}

// release ends a super block whose last mount went: kill_sb.
func (sb *SuperBlock) release() {
	if sb.released.Swap(true) {
		return
	}
	v := sb.VFS
	v.marks.dropSuper(sb)
	v.regMu.Lock()
	if i := slices.Index(v.sbs, sb); i >= 0 {
		v.sbs = slices.Delete(v.sbs, i, i+1)
	}
	v.regMu.Unlock()
	if r, ok := sb.Ops.(SuperReleaser); ok {
		r.ReleaseSuper()
	}
	if sb.OnRelease != nil {
		sb.OnRelease()
	}
}

// Grab makes one more user of a super block that has some, for a second mount of a
// device; the user goes with Ungrab. False: it is ending.
func (sb *SuperBlock) Grab() bool {
	for {
		n := sb.users.Load()
		if n <= 0 {
			return false
		}
		if sb.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Ungrab drops a user.
func (sb *SuperBlock) Ungrab() { sb.put() }

// live lists the super blocks that can be synced or released, newest first: what
// lies on others comes before them.
func (v *VFS) live() []*SuperBlock {
	v.regMu.RLock()
	defer v.regMu.RUnlock()
	l := slices.Clone(v.sbs)
	slices.Reverse(l)
	return l
}

// SyncAll is sync(2): everything of all file systems.
func (v *VFS) SyncAll() {
	for _, sb := range v.live() {
		if s, ok := sb.Ops.(SuperSyncer); ok {
			_ = s.Sync() // sync(2) has no errors
		}
	}
}

// ReleaseAll ends all file systems, mounted or not: the guest is gone.
func (v *VFS) ReleaseAll() {
	for _, sb := range v.live() {
		sb.release()
	}
}

// NewDev gives an unused anonymous device number (major 0).
func (v *VFS) NewDev() uint64 { return abi.Makedev(0, v.nextDev.Add(1)+15) }

// SetRoot gives sb its root directory, with which a mount has succeeded: from then on
// it is synced and released.
func (sb *SuperBlock) SetRoot(root Inode) error {
	a, err := root.Getattr()
	if err != nil {
		return err
	}
	sb.Root = newDentry(sb, nil, "", root, a.Mode)
	_, syncs := sb.Ops.(SuperSyncer)
	if _, ends := sb.Ops.(SuperReleaser); ends || syncs {
		sb.VFS.regMu.Lock()
		defer sb.VFS.regMu.Unlock()
		sb.VFS.sbs = append(sb.VFS.sbs, sb)
	}
	return nil
}

// Statfser answers statfs(2); Type, Flags and, where it is zero, Fsid are filled by
// the VFS.
type Statfser interface {
	Statfs() (abi.Statfs, error)
}

// OptionShower gives the file system's own mount options for /proc/mounts,
// with a leading comma each (",size=64k").
type OptionShower interface {
	ShowOptions() string
}

// Remounter is asked before a remount changes flags and options.
type Remounter interface {
	Remount(flags uint32, data string) error
}

// NeverWritable marks file systems that can only be read: whatever a remount asks
// for, their super block stays read-only (SB_RDONLY set anew in reconfigure).
type NeverWritable interface {
	NeverWritable()
}

// SuperSyncer is the ability of syncfs(2).
type SuperSyncer interface {
	Sync() error
}

// SuperReleaser is told when the last mount went, and the last open file of mounts
// that were detached.
type SuperReleaser interface {
	ReleaseSuper()
}
