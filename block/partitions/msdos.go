// SPDX-License-Identifier: Apache-2.0

package partitions

import (
	"encoding/binary"
	"fmt"
)

// Offsets in a boot record and types, include/linux/msdos_partition.h.
const (
	dosTable     = 0x1be
	dosSignature = 0x1b8
	dosMagic     = 0x1fe
	typeGPT      = 0xee
	maxChain     = 1024 // boot records of one chain; Linux gives up after 100 empty ones
)

// dosEntry is struct msdos_partition; start and size in sectors.
type dosEntry struct {
	boot, kind  byte
	start, size uint32
}

func (b *sector) magic() bool { return b[dosMagic] == 0x55 && b[dosMagic+1] == 0xaa }

func (b *sector) entry(i int) dosEntry {
	e := b[dosTable+16*i:]
	return dosEntry{e[0], e[4], binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])}
}

// extended is is_extended_partition.
func (e *dosEntry) extended() bool { return e.kind == 0x05 || e.kind == 0x0f || e.kind == 0x85 }

// dos reads a DOS table (msdos_partition in block/partitions/msdos.c).
func (s *scan) dos(mbr *sector) error {
	if !mbr.magic() {
		return nil
	}
	for i := range 4 {
		// A file system's boot sector has the magic too, and code here.
		if e := mbr.entry(i); e.boot&0x7f != 0 || e.kind == typeGPT {
			return nil
		}
	}
	s.t.Scheme = DOS
	s.t.UUID = fmt.Sprintf("%08x", binary.LittleEndian.Uint32(mbr[dosSignature:]))
	next := 5
	for i := range 4 {
		e := mbr.entry(i)
		if e.size == 0 {
			continue
		}
		if !e.extended() {
			s.addDOS(i+1, e, uint64(e.start), uint64(e.size))
			continue
		}
		// "prevent someone doing mkfs or mkswap on an extended partition, but leave
		// room for LILO" (msdos.c)
		s.addDOS(i+1, e, uint64(e.start), min(uint64(e.size), 2))
		if err := s.chain(e, &next); err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) addDOS(n int, e dosEntry, start, size uint64) {
	s.add(Partition{
		Number: n, UUID: fmt.Sprintf("%s-%02x", s.t.UUID, n), Type: fmt.Sprintf("%02x", e.kind),
		Bootable: e.boot == 0x80, Extended: e.extended(),
	}, start, size)
}

// chain reads the logical partitions of an extended one (parse_extended).
func (s *scan) chain(ext dosEntry, next *int) error {
	first, size := uint64(ext.start), uint64(ext.size)
	here, hereSize := first, size
	seen := map[uint64]bool{}
	for range maxChain {
		if here >= uint64(s.sectors) {
			s.problem("extended boot record at sector %d is beyond EOD", here)
			return nil
		}
		if seen[here] {
			s.problem("extended boot records loop at sector %d", here)
			return nil
		}
		seen[here] = true
		b, err := s.sector(int64(here))
		if err != nil {
			return err
		}
		if !b.magic() {
			s.problem("extended boot record at sector %d has no magic", here)
			return nil
		}
		link := -1
		for i := range 4 {
			e := b.entry(i)
			if e.size == 0 {
				continue
			}
			if e.extended() {
				if link < 0 {
					link = i
				}
				continue
			}
			start := here + uint64(e.start)
			// The last two entries are seldom used, and full of rubbish (msdos.c).
			if i >= 2 && (uint64(e.start)+uint64(e.size) > hereSize || start < first || start+uint64(e.size) > first+size) {
				continue
			}
			if *next >= MaxParts {
				s.problem("only %d partitions are supported", MaxParts-1)
				return nil
			}
			s.addDOS(*next, e, start, uint64(e.size))
			*next++
		}
		if link < 0 {
			return nil
		}
		e := b.entry(link)
		here, hereSize = first+uint64(e.start), uint64(e.size)
	}
	s.problem("more than %d extended boot records", maxChain)
	return nil
}
