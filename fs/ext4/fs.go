// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
	"lodger/lib/wait"
)

// Options of a mount.
type Options struct {
	ReadOnly bool
	// Errors is errors=: "continue", "remount-ro", "panic", or "" for what the
	// super block says.
	Errors string
	// NoACL is noacl: there are no POSIX ACLs.
	NoACL bool
	// NoLoad mounts (read-only) without replaying the journal: noload.
	NoLoad bool
	// ResUID and ResGID may use the reserved blocks, beside root.
	ResUID, ResGID uint32
	// Data is data=: "ordered", "writeback", "journal", or "" for what the super
	// block says.
	Data string
	// DataErrAbort ends all writing when file data cannot be written: data_err=abort.
	DataErrAbort bool
	// Commit is commit=, the age in seconds at which a transaction is committed; 0
	// means 5.
	Commit int
	// Timer is the time for that; nil: the host's.
	Timer jbd2.Timer
	// Log gets the lines of the kernel log, complete.
	Log func(printk.Level, string)
	// Name is the device's, for those.
	Name string
	// Panic stops the guest: errors=panic. nil: like remount-ro.
	Panic func(string)
	// CacheBytes bounds the clean metadata in memory; 0: 8 MiB.
	CacheBytes int
	// Dev is the device's number, for st_dev; 0: an anonymous one.
	Dev uint64
	// Type is the name to show: "ext2", "ext3" or "" for "ext4".
	Type string

	flags optFlags // options that are on or off
	abort bool     // abort, which a remount obeys
	given []numberOpt
}

// Run is a run of a file's blocks.
type Run struct {
	Logical   uint64 // first block in the file
	Physical  uint64 // first block on the device
	Len       uint64 // blocks
	Unwritten bool   // allocated, reads as zeros
}

// FS is one mounted file system.
type FS struct {
	sb  *fs.SuperBlock
	dev Device
	// waits tells that writes to dev may have to wait for another file system: changes
	// are made only where they may, lest they stop in the middle.
	waits bool
	opt   Options
	es    *super // geometry and features; counters under mu

	syncMu   sync.Mutex // see the package comment, as for mu
	mu       sync.RWMutex
	groups   []group
	zones    []zone
	cache    cache
	closed   bool
	freeBlks int64 // sum over groups, guarded by mu
	freeInos int64 // guarded by mu
	dirs     int64 // guarded by mu
	orphans  map[uint32]int
	orphan   orphanFile
	pad      []byte              // see padding; guarded by mu
	prealloc map[*inode]struct{} // inodes with preallocated blocks
	rnd      *rand.Rand          // guarded by mu for writing
	alloc    allocState

	journal     *jbd2.Journal // nil: none; settled by the mount
	recovered   bool          // it was replayed; settled by the mount
	maxCredits  int           // of one handle
	dataMode    int           // data=
	unsafeFree  []freedRun    // freed by changes that are not durable, oldest first; guarded by mu
	pendingFree int64         // blocks in unsafeFree; guarded by mu
	savedBlks   int64         // free blocks and inodes as the super block has them;
	savedInos   int64         // guarded by mu
	fresh       bool          // the operation has changed nothing yet; guarded by mu
	tried       bool          // it has waited before; guarded by mu
	wants       int           // what it must wait for: credits or wantsCommit; guarded by mu
	crew        crew

	arrivals  wait.Queue     // mappings have moved
	evictions sync.WaitGroup // inodes that are freed once no process sees them

	wrote     atomic.Uint64 // counts writes of file data
	storing   atomic.Bool   // some file was mapped shared and writable from the device
	flushed   atomic.Uint64 // those that a flush covers
	noBarrier atomic.Bool   // barrier=0
	resizing  atomic.Bool   // somebody makes it larger

	tables     []uint64 // starts of inode tables, sorted
	tablesOnce sync.Once

	inodeMu sync.Mutex
	inodes  map[uint32]fs.Ref[inode] // guarded by inodeMu
	recent  []*inode                 // held by inodes, a ring from oldest on; guarded by inodeMu
	oldest  int                      // guarded by inodeMu
	lazy    map[*inode]struct{}      // access time only in memory; guarded by inodeMu
	mapped  map[*inode]struct{}      // mapped shared and writable, by memory copy; guarded by inodeMu

	readOnly atomic.Bool
	live     atomic.Bool // the disk says that the file system is in use
	stateMu  sync.Mutex
	state    errorState // guarded by stateMu
}

// allocState is what the allocators remember between calls.
type allocState struct {
	lastDirGroup uint32
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }

// superBlock gives the block that holds the super block.
func (s *FS) superBlock() uint64 { return superOffset / uint64(s.es.blockSize) }

// Statfs answers statfs(2) (ext4_statfs): the metadata's own blocks do not count.
func (s *FS) Statfs() (abi.Statfs, error) {
	s.mu.RLock()
	defer s.runlock()
	overhead := uint64(0)
	for _, z := range s.zones {
		overhead += z.end - z.first
	}
	overhead += uint64(s.es.firstDataBlock)
	free := uint64(max(s.freeBlks, 0))
	avail := uint64(0)
	if free > s.es.rBlocksCount {
		avail = free - s.es.rBlocksCount
	}
	return abi.Statfs{Bsize: int64(s.es.blockSize), Blocks: s.es.blocksCount - min(overhead, s.es.blocksCount), Bfree: free, Bavail: avail,
		Files: uint64(s.es.inodesCount), Ffree: uint64(max(s.freeInos, 0)), Namelen: abi.NAME_MAX, Fsid: s.es.fsid()}, nil
}

// fsid is uuid_to_fsid: the same for all who mount this image.
func (es *super) fsid() [2]int32 {
	v := binary.LittleEndian.Uint64(es.uuid[:8]) ^ binary.LittleEndian.Uint64(es.uuid[8:])
	return [2]int32{int32(v), int32(v >> 32)}
}
