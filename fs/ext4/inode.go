// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"math"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/jbd2"
)

// Flags of an inode (EXT4_*_FL).
const (
	flSync        = 0x8
	flImmutable   = 0x10
	flAppend      = 0x20
	flNodump      = 0x40
	flNoatime     = 0x80
	flEncrypt     = 0x800
	flIndex       = 0x1000
	flJournalData = 0x4000
	flDirsync     = 0x10000
	flTopdir      = 0x20000
	flHugeFile    = 0x40000
	flExtents     = 0x80000
	flVerity      = 0x100000
	flEAInode     = 0x200000
	flInlineData  = 0x10000000
	flProjInherit = 0x20000000
	flCasefold    = 0x40000000

	flInherited = flSecrm | flUnrm | flCompr | flSync | flNodump | flNoatime | flNocompr | flJournalData | flNotail | flDirsync |
		flProjInherit | flCasefold | flDAX
	flRegOnly = flDirsync | flTopdir // what is cleared on files
)

const (
	goodOldInode = 128 // bytes of the first part, which all inodes have
	iblockOff    = 0x28
	iblockLen    = 60
	linkMax      = 65000
)

// inode is a file in memory (struct ext4_inode_info). Its fields are guarded as
// the package comment says.
type inode struct {
	s    *FS
	ino  uint32
	kind uint32 // S_IFMT bits
	seed uint32 // of the checksums of what belongs to it

	mu       sync.Mutex
	raw      []byte // on-disk form; the fields below are newer
	mode     uint32
	uid, gid uint32
	links    uint32
	size     int64
	sectors  uint64 // i_blocks in 512-byte units
	flags    uint32
	gen      uint32
	fileACL  uint64 // block of extended attributes
	extra    int    // i_extra_isize, bytes
	rdev     uint64
	atime    abi.Timespec
	mtime    abi.Timespec
	ctime    abi.Timespec
	btime    abi.Timespec
	version  uint64      // counts changes of a directory; in memory only
	acls     *cachedACLs // nil: not read yet

	opens    int         // Pin count; guarded by mu
	evicting bool        // being freed: no new users; guarded by mu
	dead     bool        // unlinked, closed, freed
	linkable bool        // O_TMPFILE: may get its first name
	queried  atomic.Bool // somebody has seen ctime; changed under mu
	lazyTime bool        // atime is newer than raw; guarded by mu alone
	pa       prealloc
	lastBlk  uint64 // block after the last one allocated: where to go on
	mem      *memCopy
	isDirect bool          // processes may map it from the device
	given    []place       // what they were given of a COW disk's base
	mapped   uint64        // counts requests to map it
	arrival  chan struct{} // closed when its mappings have moved; nil: they lie still
	stored   bool          // was mapped shared and writable, from the device
	dirCache dirHint

	// lost counts failed write-backs of what mappings stored, and heard says that
	// somebody was told of the last one (errseq_t); guarded by mu.
	lost  uint64
	heard bool

	syncTID, dataTID jbd2.TID // what fsync and fdatasync wait for; guarded by mu
}

// iblock gives the 60 bytes of block map, inline data or link text.
func (i *inode) iblock() []byte { return i.raw[iblockOff : iblockOff+iblockLen] }

// body gives the bytes after the fixed fields, for attributes; empty in small
// inodes.
func (i *inode) body() []byte {
	if len(i.raw) == goodOldInode {
		return nil
	}
	return i.raw[goodOldInode+i.extra:]
}

func (i *inode) is(flag uint32) bool { return i.flags&flag != 0 }
func (i *inode) isDir() bool         { return i.kind == abi.S_IFDIR }

// inodeSeed is i_csum_seed.
func (es *super) inodeSeed(ino, gen uint32) uint32 {
	return crc32cLE32(crc32cLE32(es.csumSeed, ino), gen)
}

// inodeCsum is ext4_inode_csum: over the whole inode with its own fields zero.
// So they are afterwards.
func inodeCsum(seed uint32, raw []byte) uint32 {
	put16(raw, 0x7c, 0)
	if hasCsumHi(raw) {
		put16(raw, 0x82, 0)
	}
	return crc32c(seed, raw)
}

// setInodeCsum puts a checksum into its fields.
func setInodeCsum(raw []byte, c uint32) {
	put16(raw, 0x7c, uint16(c))
	if hasCsumHi(raw) {
		put16(raw, 0x82, uint16(c>>16))
	}
}

// hasCsumHi reports whether i_checksum_hi is part of the inode.
func hasCsumHi(raw []byte) bool { return len(raw) > goodOldInode && le16(raw, 0x80) >= 4 }

// checkInodeCsum checks raw, which nobody else uses.
func (s *FS) checkInodeCsum(ino uint32, raw []byte) bool {
	got := uint32(le16(raw, 0x7c))
	if hasCsumHi(raw) {
		got |= uint32(le16(raw, 0x82)) << 16
	}
	want := inodeCsum(s.es.inodeSeed(ino, le32(raw, 0x64)), raw)
	setInodeCsum(raw, got)
	if !hasCsumHi(raw) {
		want &= 0xffff
	}
	return got == want
}

// decodeTime joins seconds and the extra field: two more bits of epoch and the
// nanoseconds (Documentation/filesystems/ext4/inodes.rst).
func decodeTime(sec, extra uint32) abi.Timespec {
	t := abi.Timespec{Sec: int64(int32(sec)) + int64(extra&3)<<32, Nsec: int64(extra >> 2)}
	if t.Nsec >= 1e9 {
		t.Nsec = 0
	}
	return t
}

func encodeTime(t abi.Timespec) (sec, extra uint32) {
	return uint32(t.Sec), uint32((t.Sec-int64(int32(t.Sec)))>>32)&3 | uint32(t.Nsec)<<2
}

// timeFits clamps a time to what the inode can hold (timestamp_truncate).
func (i *inode) clampTime(t abi.Timespec) abi.Timespec {
	most := int64(math.MaxInt32)
	if i.hasField(0x88, 4) {
		most = math.MaxInt32 + 3<<32
	} else {
		t.Nsec = 0
	}
	if t.Sec < math.MinInt32 {
		return abi.Timespec{Sec: math.MinInt32}
	}
	if t.Sec > most {
		return abi.Timespec{Sec: most}
	}
	return t
}

// hasField reports whether a field of the large inode is there (EXT4_FITS_IN_INODE).
func (i *inode) hasField(off, n int) bool {
	return len(i.raw) > goodOldInode && off+n <= goodOldInode+i.extra
}

func (i *inode) time(off, extraOff int) abi.Timespec {
	extra := uint32(0)
	if i.hasField(extraOff, 4) {
		extra = le32(i.raw, extraOff)
	}
	return decodeTime(le32(i.raw, off), extra)
}

func (i *inode) putTime(off, extraOff int, t abi.Timespec) {
	sec, extra := encodeTime(t)
	put32(i.raw, off, sec)
	if i.hasField(extraOff, 4) {
		put32(i.raw, extraOff, extra)
	}
}

// decode fills the fields from raw.
func (i *inode) decode() {
	r := i.raw
	i.mode = uint32(le16(r, 0))
	i.kind = i.mode & abi.S_IFMT
	i.uid = uint32(le16(r, 0x2)) | uint32(le16(r, 0x78))<<16
	i.gid = uint32(le16(r, 0x18)) | uint32(le16(r, 0x7a))<<16
	i.links = uint32(le16(r, 0x1a))
	i.flags, i.gen = le32(r, 0x20), le32(r, 0x64)
	i.size = int64(uint64(le32(r, 0x4)) | uint64(le32(r, 0x6c))<<32)
	i.fileACL = uint64(le32(r, 0x68))
	if i.s.es.hasIncompat(incompat64bit) {
		i.fileACL |= uint64(le16(r, 0x76)) << 32
	}
	i.sectors = uint64(le32(r, 0x1c))
	if i.s.es.hasRO(roHugeFile) {
		i.sectors |= uint64(le16(r, 0x74)) << 32
		if i.flags&flHugeFile != 0 {
			i.sectors *= uint64(i.s.es.blockSize / 512)
		}
	}
	if len(r) > goodOldInode {
		i.extra = int(le16(r, 0x80))
		if goodOldInode+i.extra > len(r) {
			i.extra = 0 // refused by check
		}
	}
	i.atime, i.ctime, i.mtime = i.time(0x8, 0x8c), i.time(0xc, 0x84), i.time(0x10, 0x88)
	if i.hasField(0x90, 4) {
		i.btime = i.time(0x90, 0x94)
	}
	if i.kind == abi.S_IFCHR || i.kind == abi.S_IFBLK {
		i.rdev = decodeDev(i.iblock())
	}
	i.seed = i.s.es.inodeSeed(i.ino, i.gen)
}

// encode writes the fields to raw, checksum included.
func (i *inode) encode() {
	r, es := i.raw, i.s.es
	put16(r, 0, uint16(i.mode))
	put16(r, 0x2, uint16(i.uid))
	put16(r, 0x78, uint16(i.uid>>16))
	put16(r, 0x18, uint16(i.gid))
	put16(r, 0x7a, uint16(i.gid>>16))
	put16(r, 0x1a, uint16(i.links))
	put32(r, 0x4, uint32(i.size))
	put32(r, 0x6c, uint32(uint64(i.size)>>32))
	put32(r, 0x68, uint32(i.fileACL))
	if es.hasIncompat(incompat64bit) {
		put16(r, 0x76, uint16(i.fileACL>>32))
	}
	n := i.sectors
	i.flags &^= flHugeFile
	if es.hasRO(roHugeFile) {
		if n >= 1<<48 {
			i.flags |= flHugeFile
			n /= uint64(es.blockSize / 512)
		}
		put16(r, 0x74, uint16(n>>32))
	}
	put32(r, 0x1c, uint32(n))
	put32(r, 0x20, i.flags)
	put32(r, 0x64, i.gen)
	i.putTime(0x8, 0x8c, i.atime)
	i.putTime(0xc, 0x84, i.ctime)
	i.putTime(0x10, 0x88, i.mtime)
	if i.hasField(0x90, 4) {
		i.putTime(0x90, 0x94, i.btime)
	}
	if es.metadataCsum() {
		setInodeCsum(r, inodeCsum(i.seed, r))
	}
}

// decodeDev reads a device number: the old form in the first word, the new one
// in the second (old_decode_dev, new_decode_dev).
func decodeDev(b []byte) uint64 {
	if d := le32(b, 0); d != 0 {
		return abi.Makedev(d>>8&0xff, d&0xff)
	}
	d := le32(b, 4)
	return abi.Makedev(d>>8&0xfff, d&0xff|d>>12&0xfff00)
}

func encodeDev(b []byte, dev uint64) {
	major, minor := abi.Major(dev), abi.Minor(dev)
	if major < 256 && minor < 256 {
		put32(b, 0, major<<8|minor)
		put32(b, 4, 0)
		return
	}
	put32(b, 0, 0)
	put32(b, 4, minor&0xff|major<<8|minor&^0xff<<12)
	put32(b, 8, 0)
}

// Getattr gives the attributes.
func (i *inode) Getattr() (fs.Attr, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.attr(), nil
}

// StatAttr gives them to somebody who remembers them.
func (i *inode) StatAttr() (fs.Attr, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.queried.Store(true)
	return i.attr(), nil
}

// Queried makes inode an fs.Multigrain.
func (i *inode) Queried() bool { return i.queried.Load() }

func (i *inode) attr() fs.Attr {
	a := fs.Attr{Dev: i.s.sb.Dev, Ino: uint64(i.ino), Mode: i.mode, Nlink: i.links, UID: i.uid, GID: i.gid, Rdev: i.rdev,
		Size: i.size, Blocks: i.sectors, Blksize: i.s.es.blockSize, Atime: i.atime, Mtime: i.mtime, Ctime: i.ctime, Btime: i.btime,
		AttrMask: abi.STATX_ATTR_COMPRESSED | abi.STATX_ATTR_IMMUTABLE | abi.STATX_ATTR_APPEND | abi.STATX_ATTR_NODUMP |
			abi.STATX_ATTR_ENCRYPTED | abi.STATX_ATTR_VERITY}
	if i.flags&flImmutable != 0 {
		a.Attributes |= abi.STATX_ATTR_IMMUTABLE
	}
	if i.flags&flAppend != 0 {
		a.Attributes |= abi.STATX_ATTR_APPEND
	}
	if i.flags&flNodump != 0 {
		a.Attributes |= abi.STATX_ATTR_NODUMP
	}
	if i.flags&flInlineData != 0 && a.Blocks == 0 {
		a.Blocks = uint64(i.size+511) / 512 // generic_fillattr's answer for inline data
	}
	return a
}

// DirectAlign is what O_DIRECT asks for: the disk's sectors. Inline data cannot
// be transferred so (ext4_dio_alignment).
func (i *inode) DirectAlign() uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.flags&(flInlineData|flJournalData) != 0 {
		return 0
	}
	return 512
}
