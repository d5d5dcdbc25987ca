// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"encoding/binary"

	"lodger/abi"
)

// Offsets in journal_superblock_t.
const (
	sbBlocksize    = 12
	sbMaxlen       = 16
	sbFirst        = 20
	sbSequence     = 24
	sbStart        = 28
	sbErrno        = 32
	sbCompat       = 36
	sbIncompat     = 40
	sbROCompat     = 44
	sbUUID         = 48
	sbNrUsers      = 64
	sbChecksumType = 80
	sbNumFC        = 84
	sbHead         = 88
	sbChecksum     = 252
	superblockSize = 1024
)

// defaultFastCommitBlocks is what s_num_fc_blks of 0 means.
const defaultFastCommitBlocks = 256

// Superblock is the journal's superblock, decoded.
type Superblock struct {
	Features
	Version   int // 1 or 2
	Blocksize uint32
	Maxlen    uint32 // blocks, this one included
	First     uint32 // where the log begins
	Sequence  TID    // of the first transaction in the log
	Start     uint32 // where that one lies; 0: the log is empty
	Errno     abi.Errno
	UUID      [16]byte
	FCBlocks  uint32 // of the fast-commit area, which ends the journal
}

// Last is where the circular log ends (j_last): what lies there is no part of it.
func (s *Superblock) Last() uint32 { return s.Maxlen - s.FCBlocks }

// ParseSuperblock decodes a journal's first block and refuses what Linux
// refuses (journal_get_superblock).
func ParseSuperblock(b []byte) (*Superblock, error) {
	if len(b) < superblockSize {
		return nil, invalid("superblock of %d bytes", len(b))
	}
	h := parseHeader(b)
	if h.magic != Magic {
		if isExternal(b) {
			return nil, ErrExternal
		}
		return nil, invalid("no journal superblock found")
	}
	s := &Superblock{
		Blocksize: be32(b, sbBlocksize), Maxlen: be32(b, sbMaxlen), First: be32(b, sbFirst),
		Sequence: TID(be32(b, sbSequence)), Start: be32(b, sbStart),
	}
	// Linux keeps a negative number there.
	if e := int32(be32(b, sbErrno)); e != 0 {
		s.Errno = abi.EIO
		if e < 0 && e > -4096 {
			s.Errno = abi.Errno(-e)
		}
	}
	switch h.blocktype {
	case superblockV1:
		s.Version = 1
	case superblockV2:
		s.Version = 2
		s.Features = Features{be32(b, sbCompat), be32(b, sbIncompat), be32(b, sbROCompat)}
		copy(s.UUID[:], b[sbUUID:])
		if err := s.parseV2(b); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("unrecognised superblock format %d", h.blocktype)
	}
	return s, s.checkGeometry()
}

// parseV2 looks at what only version 2 superblocks have.
func (s *Superblock) parseV2(b []byte) error {
	if err := s.Features.check(); err != nil {
		return err
	}
	if s.csumV2or3() {
		if t := b[sbChecksumType]; t != checksumCRC32C {
			return invalid("unknown checksum type %d", t)
		}
		if be32(b, sbChecksum) != crcHole(^uint32(0), b[:superblockSize], sbChecksum) {
			return badCRC("journal checksum error in the superblock")
		}
	}
	if n := be32(b, sbNrUsers); n > 1 {
		return ErrExternal // only a journal device is shared
	}
	if s.fastCommit() {
		if s.FCBlocks = be32(b, sbNumFC); s.FCBlocks == 0 {
			s.FCBlocks = defaultFastCommitBlocks
		}
	}
	return nil
}

func (s *Superblock) checkGeometry() error {
	switch {
	case s.Blocksize < superblockSize || s.Blocksize > 65536 || s.Blocksize&(s.Blocksize-1) != 0:
		return invalid("journal block size %d", s.Blocksize)
	case s.First == 0 || s.First >= s.Maxlen:
		return invalid("start block of the log is %d of %d", s.First, s.Maxlen)
	case s.FCBlocks >= s.Maxlen-s.First:
		return invalid("fast-commit area of %d blocks in a journal of %d", s.FCBlocks, s.Maxlen)
	case s.Start != 0 && (s.Start < s.First || s.Start >= s.Last()):
		return corrupt("log starts at block %d, outside of %d to %d", s.Start, s.First, s.Last())
	}
	return nil
}

// isExternal recognises a journal device: an ext4 superblock at byte 1024 with
// the journal_dev feature, the journal's superblock behind it.
func isExternal(b []byte) bool {
	const off, magicOff, incompatOff, journalDev = 1024, 0x38, 0x60, 0x8
	le := binary.LittleEndian
	return len(b) >= off+incompatOff+4 && le.Uint16(b[off+magicOff:]) == 0xef53 &&
		le.Uint32(b[off+incompatOff:])&journalDev != 0
}

// sealSuperblock sets the checksum after a change.
func sealSuperblock(b []byte, f Features) {
	if f.csumV2or3() {
		put32(b, sbChecksum, crcHole(^uint32(0), b[:superblockSize], sbChecksum))
	}
}
