// SPDX-License-Identifier: Apache-2.0

package jbd2

import "encoding/binary"

// Tags of the fast-commit area (fs/ext4/fast_commit.h), of which only the first
// matters for finding out whether it holds anything.
const (
	fcTagHead = 9
	fcTagBase = 4 // le16 tag, le16 length
)

// checkFastCommit refuses a log whose fast-commit area holds what is to be
// applied after the last full commit: not applying it would lose what was
// synced. e2fsck applies it.
func (rec *recovery) checkFastCommit() error {
	first := rec.j.last + 1 // j_fc_first
	if first >= rec.j.last+rec.fcBlocks() {
		return nil
	}
	if err := rec.read(rec.block, first); err != nil {
		return err
	}
	if fcBegins(rec.block, rec.r.End) {
		return &UnsupportedError{"fast_commit (the log holds fast commits; e2fsck replays them)"}
	}
	return nil
}

func (rec *recovery) fcBlocks() uint32 {
	n := be32(rec.j.sb, sbNumFC)
	if n == 0 {
		n = defaultFastCommitBlocks
	}
	return n
}

// fcBegins reports whether a fast-commit area begins with fast commits that
// follow transaction tid-1. Without such a head Linux stops at once.
func fcBegins(b []byte, tid TID) bool {
	le := binary.LittleEndian
	const headLen = 8 // features, tid
	return le.Uint16(b) == fcTagHead && le.Uint16(b[2:]) >= headLen &&
		TID(le.Uint32(b[fcTagBase+4:])) == tid
}
