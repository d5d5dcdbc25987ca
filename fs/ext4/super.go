// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"

	"lodger/abi"
)

const (
	superOffset = 1024 // bytes from the device's start
	superSize   = 1024
	superMagic  = 0xef53

	rootIno    = 2
	maxLogSize = 6 // 64 KiB blocks

	stateValid  = 0x1 // cleanly unmounted
	stateErrors = 0x2
	stateOrphan = 0x4

	flagUnsignedHash = 0x2 // EXT2_FLAGS_UNSIGNED_HASH
	flagSignedHash   = 0x1
	defmAcl          = 0x8 // EXT4_DEFM_ACL
)

// Values of s_errors.
const (
	errorsContinue = 1
	errorsRO       = 2
	errorsPanic    = 3
)

// super is struct ext4_super_block, and the geometry that follows from it.
type super struct {
	inodesCount    uint32
	blocksCount    uint64
	rBlocksCount   uint64 // for root alone
	firstDataBlock uint32
	logBlockSize   uint32
	logClusterSize uint32
	blocksPerGroup uint32
	clustersPerGrp uint32
	inodesPerGroup uint32
	mtime, wtime   uint32
	mntCount       uint16
	maxMntCount    uint16
	state          uint16
	errors         uint16
	creatorOS      uint32
	revLevel       uint32
	defResuid      uint16
	defResgid      uint16
	firstIno       uint32
	inodeSize      uint32 // bytes
	compat         uint32
	incompat       uint32
	roCompat       uint32
	uuid           [16]byte
	volumeName     string
	lastMounted    string
	reservedGDT    uint32 // blocks
	journalInum    uint32
	journalDev     uint32
	journalUUID    [16]byte
	lastOrphan     uint32
	hashSeed       [4]uint32
	defHashVersion uint8
	descSize       uint32 // bytes
	defaultMntOpts uint32
	firstMetaBG    uint32
	mkfsTime       uint32
	minExtraIsize  uint16
	wantExtraIsize uint16
	flags          uint32
	logFlexGroups  uint8
	checksumType   uint8
	usrQuotaInum   uint32
	grpQuotaInum   uint32
	prjQuotaInum   uint32
	backupBGs      [2]uint32
	checksumSeed   uint32
	orphanFileInum uint32
	errorCount     uint32
	freeInodes     uint32
	overhead       uint32 // blocks of metadata; 0: not known
	freeBlocks     uint64

	// Geometry.
	blockSize     uint32 // bytes
	groups        uint32
	inodesPerBlk  uint32
	itableBlocks  uint32 // per group
	descPerBlock  uint32
	descBlocks    uint32
	csumSeed      uint32 // of all metadata checksums
	hashUnsigned  bool
	addrPerBlock  uint32 // block numbers in an indirect block
	largestExtent uint32
}

func (es *super) hasCompat(f uint32) bool   { return es.compat&f != 0 }
func (es *super) hasIncompat(f uint32) bool { return es.incompat&f != 0 }
func (es *super) hasRO(f uint32) bool       { return es.roCompat&f != 0 }
func (es *super) metadataCsum() bool        { return es.roCompat&roMetadataCsum != 0 }

// groupCsum reports whether descriptors have checksums and uninit flags.
func (es *super) groupCsum() bool { return es.roCompat&(roMetadataCsum|roGDTCsum) != 0 }

// RefusedError says why an image is not mounted. It is an abi.EINVAL (what
// ext4_fill_super returns) unless Errno says otherwise.
type RefusedError struct {
	Reason string
	Errno  abi.Errno
}

// Error gives the reason.
func (e *RefusedError) Error() string { return "ext4: " + e.Reason }

// Unwrap gives the errno.
func (e *RefusedError) Unwrap() error {
	if e.Errno != 0 {
		return e.Errno
	}
	return abi.EINVAL
}

func refuse(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// parseSuper decodes and checks a super block; size is the device's, in bytes.
func parseSuper(b []byte, size int64) (*super, error) {
	if len(b) < superSize {
		return nil, refuse("super block is cut off")
	}
	if le16(b, 0x38) != superMagic {
		return nil, refuse("VFS: Can't find ext4 filesystem")
	}
	es := decodeSuper(b)
	if err := es.checkFeatures(); err != nil {
		return nil, err
	}
	if err := es.checkChecksum(b); err != nil {
		return nil, err
	}
	return es, es.checkGeometry(size)
}

func decodeSuper(b []byte) *super {
	es := &super{
		inodesCount: le32(b, 0x0), blocksCount: uint64(le32(b, 0x4)), rBlocksCount: uint64(le32(b, 0x8)),
		freeBlocks: uint64(le32(b, 0xc)), freeInodes: le32(b, 0x10),
		firstDataBlock: le32(b, 0x14), logBlockSize: le32(b, 0x18), logClusterSize: le32(b, 0x1c),
		blocksPerGroup: le32(b, 0x20), clustersPerGrp: le32(b, 0x24), inodesPerGroup: le32(b, 0x28),
		mtime: le32(b, 0x2c), wtime: le32(b, 0x30), mntCount: le16(b, 0x34), maxMntCount: le16(b, 0x36),
		state: le16(b, 0x3a), errors: le16(b, 0x3c), creatorOS: le32(b, 0x48), revLevel: le32(b, 0x4c),
		defResuid: le16(b, 0x50), defResgid: le16(b, 0x52), firstIno: 11, inodeSize: 128,
	}
	if es.revLevel == 0 { // EXT4_GOOD_OLD_REV: the rest is not defined
		es.descSize = 32
		return es
	}
	es.firstIno, es.inodeSize = le32(b, 0x54), uint32(le16(b, 0x58))
	es.compat, es.incompat, es.roCompat = le32(b, 0x5c), le32(b, 0x60), le32(b, 0x64)
	copy(es.uuid[:], b[0x68:])
	es.volumeName, es.lastMounted = cString(b[0x78:0x88]), cString(b[0x88:0xc8])
	es.reservedGDT = uint32(le16(b, 0xce))
	copy(es.journalUUID[:], b[0xd0:])
	es.journalInum, es.journalDev, es.lastOrphan = le32(b, 0xe0), le32(b, 0xe4), le32(b, 0xe8)
	for i := range es.hashSeed {
		es.hashSeed[i] = le32(b, 0xec+4*i)
	}
	es.defHashVersion, es.descSize = b[0xfc], uint32(le16(b, 0xfe))
	es.defaultMntOpts, es.firstMetaBG, es.mkfsTime = le32(b, 0x100), le32(b, 0x104), le32(b, 0x108)
	if es.hasIncompat(incompat64bit) {
		es.blocksCount |= uint64(le32(b, 0x150)) << 32
		es.rBlocksCount |= uint64(le32(b, 0x154)) << 32
		es.freeBlocks |= uint64(le32(b, 0x158)) << 32
	} else {
		es.descSize = 32
	}
	es.minExtraIsize, es.wantExtraIsize, es.flags = le16(b, 0x15c), le16(b, 0x15e), le32(b, 0x160)
	es.logFlexGroups, es.checksumType = b[0x174], b[0x175]
	es.errorCount = le32(b, 0x194)
	es.usrQuotaInum, es.grpQuotaInum, es.prjQuotaInum = le32(b, 0x240), le32(b, 0x244), le32(b, 0x26c)
	es.overhead = le32(b, 0x248)
	es.backupBGs = [2]uint32{le32(b, 0x24c), le32(b, 0x250)}
	es.checksumSeed, es.orphanFileInum = le32(b, 0x270), le32(b, 0x280)
	return es
}

// checkFeatures refuses what would be misread, by name (ext4_feature_set_ok).
func (es *super) checkFeatures() error {
	switch {
	case es.revLevel > 1:
		return refuse("unknown revision %d", es.revLevel)
	case es.hasIncompat(incompatJournalDev):
		return refuse("this is an external journal device, no file system")
	}
	if unknown := es.incompat &^ incompatKnown; unknown != 0 {
		return refuse("unsupported feature: %s", featureNames(unknown, incompatName))
	}
	if es.hasRO(roVerity) {
		return refuse("unsupported feature: %s", roName(roVerity))
	}
	if es.metadataCsum() && es.checksumType != 1 {
		return refuse("unknown metadata checksum type %d", es.checksumType)
	}
	return nil
}

func (es *super) checkChecksum(b []byte) error {
	switch {
	case es.hasIncompat(incompatCsumSeed):
		es.csumSeed = es.checksumSeed
	default:
		es.csumSeed = crc32c(^uint32(0), es.uuid[:])
	}
	if es.metadataCsum() && superCsum(b) != le32(b, 0x3fc) {
		return &RefusedError{Reason: "super block: wrong checksum", Errno: abi.EBADMSG}
	}
	return nil
}

func superCsum(b []byte) uint32 { return crc32c(^uint32(0), b[:0x3fc]) }

// checkGeometry is what ext4_fill_super, ext4_block_group_meta_init and
// ext4_geometry_check refuse.
func (es *super) checkGeometry(size int64) error {
	if es.logBlockSize > maxLogSize {
		return refuse("block size 2^%d is too large", es.logBlockSize+10)
	}
	es.blockSize = 1024 << es.logBlockSize
	bs := es.blockSize
	es.addrPerBlock = bs / 4
	switch {
	case es.firstIno < 11:
		return refuse("first inode %d", es.firstIno)
	case es.inodeSize < 128 || es.inodeSize&(es.inodeSize-1) != 0 || es.inodeSize > bs:
		return refuse("inode size %d", es.inodeSize)
	case es.hasIncompat(incompat64bit) && (es.descSize < 64 || es.descSize > 1024 || es.descSize > bs || es.descSize&(es.descSize-1) != 0):
		return refuse("group descriptor size %d", es.descSize)
	case !es.hasRO(roBigalloc) && es.logClusterSize != es.logBlockSize && es.revLevel > 0,
		es.hasRO(roBigalloc) && (es.logClusterSize < es.logBlockSize || es.logClusterSize > 20):
		return refuse("cluster size 2^%d", es.logClusterSize+10)
	case es.firstDataBlock > 1 || bs == 1024 && es.firstDataBlock == 0 && !es.hasRO(roBigalloc) || bs > 1024 && es.firstDataBlock != 0:
		return refuse("first data block %d", es.firstDataBlock)
	case es.hasIncompat(incompatCsumSeed) && !es.metadataCsum():
		return refuse("metadata_csum_seed without metadata_csum")
	case es.metadataCsum() && es.hasRO(roGDTCsum):
		return refuse("both uninit_bg and metadata_csum")
	}
	if !es.hasRO(roBigalloc) {
		es.clustersPerGrp = es.blocksPerGroup
	} else if uint64(es.clustersPerGrp)<<(es.logClusterSize-es.logBlockSize) != uint64(es.blocksPerGroup) {
		return refuse("%d blocks but %d clusters per group", es.blocksPerGroup, es.clustersPerGrp)
	}
	ipb := bs / es.inodeSize
	es.inodesPerBlk = ipb
	switch {
	case es.clustersPerGrp == 0 || es.clustersPerGrp > bs*8 || es.blocksPerGroup%8 != 0 || es.blocksPerGroup < 256:
		return refuse("%d blocks per group", es.blocksPerGroup)
	case es.inodesPerGroup == 0 || es.inodesPerGroup < ipb || es.inodesPerGroup > bs*8 || es.inodesPerGroup%8 != 0:
		return refuse("%d inodes per group", es.inodesPerGroup)
	case es.blocksCount <= uint64(es.firstDataBlock) || es.blocksCount > uint64(size)/uint64(bs):
		return refuse("%d blocks of %d bytes do not fit a device of %d bytes", es.blocksCount, bs, size)
	case es.blocksCount >= 1<<48:
		return refuse("%d blocks", es.blocksCount)
	case es.rBlocksCount > es.blocksCount:
		return refuse("%d reserved blocks", es.rBlocksCount)
	}
	es.itableBlocks = uint32(divUp(uint64(es.inodesPerGroup), uint64(ipb)))
	groups := divUp(es.blocksCount-uint64(es.firstDataBlock), uint64(es.blocksPerGroup))
	if groups*uint64(es.inodesPerGroup) != uint64(es.inodesCount) {
		return refuse("%d inodes in %d groups of %d", es.inodesCount, groups, es.inodesPerGroup)
	}
	es.groups = uint32(groups)
	es.descPerBlock = bs / es.descSize
	es.descBlocks = uint32(divUp(groups, uint64(es.descPerBlock)))
	if es.hasIncompat(incompatMetaBG) && es.firstMetaBG > es.descBlocks {
		return refuse("first meta block group %d", es.firstMetaBG)
	}
	if es.reservedGDT > bs/4 || uint64(es.descBlocks)+uint64(es.reservedGDT)+2 > uint64(es.blocksPerGroup) && !es.hasIncompat(incompatMetaBG) {
		return refuse("%d reserved descriptor blocks", es.reservedGDT)
	}
	es.hashUnsigned = es.flags&flagUnsignedHash != 0
	return nil
}

// readOnlyReason tells why the file system cannot be written; "" if it can.
func (es *super) readOnlyReason() string {
	switch {
	case es.roCompat&^roWritable != 0:
		return "read-only feature: " + featureNames(es.roCompat&^roWritable, roName)
	case es.hasIncompat(incompatMMP):
		return "feature mmp"
	}
	return ""
}

// groupFirst gives a group's first block.
func (es *super) groupFirst(g uint32) uint64 {
	return uint64(es.firstDataBlock) + uint64(g)*uint64(es.blocksPerGroup)
}

// groupLen gives the number of blocks in a group; the last one may be short.
func (es *super) groupLen(g uint32) uint32 {
	return uint32(min(uint64(es.blocksPerGroup), es.blocksCount-es.groupFirst(g)))
}

// groupOf gives the group and the place in it of a block.
func (es *super) groupOf(block uint64) (g, bit uint32) {
	n := block - uint64(es.firstDataBlock)
	return uint32(n / uint64(es.blocksPerGroup)), uint32(n % uint64(es.blocksPerGroup))
}

// groupHasSuper is ext4_bg_has_super.
func (es *super) groupHasSuper(g uint32) bool {
	switch {
	case g == 0:
		return true
	case es.hasCompat(compatSparseSuper2):
		return g == es.backupBGs[0] || g == es.backupBGs[1]
	case g <= 1 || !es.hasRO(roSparseSuper):
		return true
	case g&1 == 0:
		return false
	}
	for _, p := range [...]uint64{3, 5, 7} {
		n := p
		for n < uint64(g) {
			n *= p
		}
		if n == uint64(g) {
			return true
		}
	}
	return false
}

// baseMeta gives how many blocks at a group's start hold copies of super block
// and descriptors (ext4_num_base_meta_blocks).
func (es *super) baseMeta(g uint32) uint32 {
	n := uint32(0)
	if es.groupHasSuper(g) {
		n = 1
	}
	metaBG := es.hasIncompat(incompatMetaBG)
	if !metaBG || uint64(g) < uint64(es.firstMetaBG)*uint64(es.descPerBlock) {
		if n != 0 {
			gdb := es.descBlocks
			if metaBG {
				gdb = es.firstMetaBG
			}
			n += gdb + es.reservedGDT
		}
		return n
	}
	switch g % es.descPerBlock {
	case 0, 1, es.descPerBlock - 1:
		n++
	}
	return n
}

// descBlock gives the place of the nth block of group descriptors
// (descriptor_loc).
func (es *super) descBlock(n uint32) uint64 {
	if !es.hasIncompat(incompatMetaBG) || n < es.firstMetaBG {
		return uint64(es.firstDataBlock) + 1 + uint64(n)
	}
	g := n * es.descPerBlock
	first := es.groupFirst(g)
	if es.groupHasSuper(g) {
		first++
	}
	if es.blockSize == 1024 && n == 0 && es.firstDataBlock == 0 {
		first++
	}
	return first
}
