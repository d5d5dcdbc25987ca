// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"
	"strings"
)

// Feature bits of the journal's superblock.
const (
	FeatureCompatChecksum = 0x1 // commit blocks hold a CRC32 of the transaction

	FeatureIncompatRevoke      = 0x1
	FeatureIncompat64Bit       = 0x2
	FeatureIncompatAsyncCommit = 0x4
	FeatureIncompatCsumV2      = 0x8
	FeatureIncompatCsumV3      = 0x10
	FeatureIncompatFastCommit  = 0x20

	knownIncompat = FeatureIncompatRevoke | FeatureIncompat64Bit | FeatureIncompatAsyncCommit |
		FeatureIncompatCsumV2 | FeatureIncompatCsumV3 | FeatureIncompatFastCommit
)

// Features is what a journal's superblock says of its format.
type Features struct {
	Compat, Incompat, ROCompat uint32
}

func (f Features) checksumV1() bool  { return f.Compat&FeatureCompatChecksum != 0 }
func (f Features) csumV2() bool      { return f.Incompat&FeatureIncompatCsumV2 != 0 }
func (f Features) csumV3() bool      { return f.Incompat&FeatureIncompatCsumV3 != 0 }
func (f Features) csumV2or3() bool   { return f.csumV2() || f.csumV3() }
func (f Features) is64bit() bool     { return f.Incompat&FeatureIncompat64Bit != 0 }
func (f Features) revoke() bool      { return f.Incompat&FeatureIncompatRevoke != 0 }
func (f Features) asyncCommit() bool { return f.Incompat&FeatureIncompatAsyncCommit != 0 }
func (f Features) fastCommit() bool  { return f.Incompat&FeatureIncompatFastCommit != 0 }

// tail is the number of bytes that checksums take at the end of descriptor and
// revoke blocks.
func (f Features) tail() int {
	if f.csumV2or3() {
		return tailSize
	}
	return 0
}

// incompatName names one incompat bit as dumpe2fs does.
func incompatName(bit uint32) string {
	switch bit {
	case FeatureIncompatRevoke:
		return "journal_incompat_revoke"
	case FeatureIncompat64Bit:
		return "journal_64bit"
	case FeatureIncompatAsyncCommit:
		return "journal_async_commit"
	case FeatureIncompatCsumV2:
		return "journal_checksum_v2"
	case FeatureIncompatCsumV3:
		return "journal_checksum_v3"
	case FeatureIncompatFastCommit:
		return "fast_commit"
	}
	return fmt.Sprintf("FEATURE_I%d", log2(bit))
}

// String lists the features as dumpe2fs does.
func (f Features) String() string {
	var names []string
	if f.checksumV1() {
		names = append(names, "journal_checksum")
	}
	names = append(names, incompatNames(f.Incompat)...)
	if len(names) == 0 {
		return "(none)"
	}
	return strings.Join(names, " ")
}

func incompatNames(bits uint32) []string {
	var names []string
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if bits&bit != 0 {
			names = append(names, incompatName(bit))
		}
	}
	return names
}

func log2(v uint32) int {
	n := 0
	for v > 1 {
		v >>= 1
		n++
	}
	return n
}

// check refuses what this package does not know, as journal_check_superblock
// and jbd2_journal_check_used_features do. Unknown compat bits are harmless.
func (f Features) check() error {
	if bad := f.Incompat &^ knownIncompat; bad != 0 {
		return &UnsupportedError{strings.Join(incompatNames(bad), " ")}
	}
	if f.ROCompat != 0 {
		return &UnsupportedError{fmt.Sprintf("ro_compat %#x", f.ROCompat)}
	}
	if f.csumV2() && f.csumV3() {
		return invalid("journal has both checksum versions 2 and 3")
	}
	if f.csumV2or3() && f.checksumV1() {
		return invalid("journal has both checksum versions 1 and 2 or 3")
	}
	return nil
}
