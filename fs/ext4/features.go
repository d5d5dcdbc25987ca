// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"
	"strings"
)

// Compatible features: harmless to who does not know them.
const (
	compatDirPrealloc  = 0x1
	compatHasJournal   = 0x4
	compatExtAttr      = 0x8
	compatResizeInode  = 0x10
	compatDirIndex     = 0x20
	compatSparseSuper2 = 0x200
	compatFastCommit   = 0x400
	compatStableInodes = 0x800
	compatOrphanFile   = 0x1000
)

// Incompatible features: who does not know one must not mount.
const (
	incompatCompression = 0x1
	incompatFiletype    = 0x2
	incompatRecover     = 0x4
	incompatJournalDev  = 0x8
	incompatMetaBG      = 0x10
	incompatExtents     = 0x40
	incompat64bit       = 0x80
	incompatMMP         = 0x100
	incompatFlexBG      = 0x200
	incompatEAInode     = 0x400
	incompatDirdata     = 0x1000
	incompatCsumSeed    = 0x2000
	incompatLargeDir    = 0x4000
	incompatInlineData  = 0x8000
	incompatEncrypt     = 0x10000
	incompatCasefold    = 0x20000

	incompatKnown = incompatFiletype | incompatRecover | incompatMetaBG | incompatExtents | incompat64bit |
		incompatMMP | incompatFlexBG | incompatEAInode | incompatCsumSeed | incompatLargeDir | incompatInlineData
)

// Features that forbid writing to who does not know them.
const (
	roSparseSuper  = 0x1
	roLargeFile    = 0x2
	roBtreeDir     = 0x4
	roHugeFile     = 0x8
	roGDTCsum      = 0x10
	roDirNlink     = 0x20
	roExtraIsize   = 0x40
	roHasSnapshot  = 0x80
	roQuota        = 0x100
	roBigalloc     = 0x200
	roMetadataCsum = 0x400
	roReplica      = 0x800
	roReadonly     = 0x1000
	roProject      = 0x2000
	roSharedBlocks = 0x4000
	roVerity       = 0x8000
	roOrphanPres   = 0x10000

	roWritable = roSparseSuper | roLargeFile | roBtreeDir | roHugeFile | roGDTCsum | roDirNlink | roExtraIsize |
		roMetadataCsum | roOrphanPres
)

// incompatName gives e2fsprogs' name of an incompatible feature.
func incompatName(bit uint32) string {
	switch bit {
	case incompatCompression:
		return "compression"
	case incompatFiletype:
		return "filetype"
	case incompatRecover:
		return "needs_recovery"
	case incompatJournalDev:
		return "journal_dev"
	case incompatMetaBG:
		return "meta_bg"
	case incompatExtents:
		return "extent"
	case incompat64bit:
		return "64bit"
	case incompatMMP:
		return "mmp"
	case incompatFlexBG:
		return "flex_bg"
	case incompatEAInode:
		return "ea_inode"
	case incompatDirdata:
		return "dirdata"
	case incompatCsumSeed:
		return "metadata_csum_seed"
	case incompatLargeDir:
		return "large_dir"
	case incompatInlineData:
		return "inline_data"
	case incompatEncrypt:
		return "encrypt"
	case incompatCasefold:
		return "casefold"
	}
	return fmt.Sprintf("FEATURE_I%d", bitNumber(bit))
}

// roName gives e2fsprogs' name of a read-only compatible feature.
func roName(bit uint32) string {
	switch bit {
	case roHasSnapshot:
		return "has_snapshot"
	case roQuota:
		return "quota"
	case roBigalloc:
		return "bigalloc"
	case roReplica:
		return "replica"
	case roReadonly:
		return "read-only"
	case roProject:
		return "project"
	case roSharedBlocks:
		return "shared_blocks"
	case roVerity:
		return "verity"
	}
	return fmt.Sprintf("FEATURE_R%d", bitNumber(bit))
}

func bitNumber(bit uint32) int {
	n := 0
	for ; bit > 1; bit >>= 1 {
		n++
	}
	return n
}

// featureNames lists the bits of set by name.
func featureNames(set uint32, name func(uint32) string) string {
	var l []string
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if set&bit != 0 {
			l = append(l, name(bit))
		}
	}
	return strings.Join(l, ", ")
}
