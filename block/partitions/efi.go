// SPDX-License-Identifier: Apache-2.0

package partitions

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"unicode/utf16"

	"lodger/block"
)

// The GUID partition table, block/partitions/efi.h.
const (
	gptSignature  = "EFI PART"
	gptHeaderMin  = 92
	gptEntrySize  = 128
	gptMaxEntries = 8192 // 1 MiB of entries; sgdisk writes 128, Linux shows 255
	gptBootable   = 1 << 2
)

// protective reports whether a boot record says that the disk has a GPT: one
// entry of type 0xee that starts at sector 1 (is_pmbr_valid; hybrid ones count).
func protective(mbr *sector) bool {
	if !mbr.magic() {
		return false
	}
	for i := range 4 {
		if e := mbr.entry(i); e.kind == typeGPT && e.start == 1 {
			return true
		}
	}
	return false
}

// gptHeader is struct gpt_header, what is used of it.
type gptHeader struct {
	other, first, last, entries uint64 // sectors
	count                       uint32
	crc                         uint32
	guid                        string
}

// gpt reads a GPT: the first table, or when that is damaged the one at the
// device's end. DEVIATION(linux): efi.c uses the second only with the boot
// option gpt; a guest's disk is better read than lost.
func (s *scan) gpt() error {
	h, entries, why, err := s.gptAt(1)
	if err != nil {
		return err
	}
	if why != "" {
		s.problem("primary GPT: %s", why)
		if h, entries, why, err = s.gptAt(s.sectors - 1); err != nil {
			return err
		}
		if why != "" {
			s.problem("alternate GPT: %s", why)
			return nil
		}
		s.problem("using the alternate GPT; mend the primary one with sgdisk or sfdisk")
	} else if err := s.checkAlternate(h.other); err != nil {
		return err
	}
	s.t.Scheme, s.t.UUID = GPT, h.guid
	for i := range int(h.count) {
		s.addGPT(i+1, entries[i*gptEntrySize:][:gptEntrySize])
	}
	return nil
}

// checkAlternate looks at the second table, only to tell of its state.
func (s *scan) checkAlternate(at uint64) error {
	if at >= uint64(s.sectors) {
		s.problem("alternate GPT: sector %d is beyond EOD", at)
		return nil
	}
	if at != uint64(s.sectors-1) {
		s.problem("alternate GPT header is not at the end of the disk, but at sector %d; has the disk grown?", at)
	}
	_, _, why, err := s.gptAt(int64(at))
	if err == nil && why != "" {
		s.problem("alternate GPT: %s", why)
	}
	return err
}

// gptAt reads and checks one table (is_gpt_valid); why says what is wrong.
func (s *scan) gptAt(at int64) (h gptHeader, entries []byte, why string, err error) {
	if at < 1 || at >= s.sectors {
		return h, nil, fmt.Sprintf("no sector %d", at), nil
	}
	b, err := s.sector(at)
	if err != nil {
		return h, nil, "", err
	}
	le := binary.LittleEndian
	size := le.Uint32(b[12:])
	switch {
	case string(b[:8]) != gptSignature:
		return h, nil, "no signature", nil
	case size < gptHeaderMin || size > block.SectorSize:
		return h, nil, fmt.Sprintf("header of %d bytes", size), nil
	}
	crc := le.Uint32(b[16:])
	clear(b[16:20])
	if got := crc32.ChecksumIEEE(b[:size]); got != crc {
		return h, nil, fmt.Sprintf("header CRC %08x, should be %08x", crc, got), nil
	}
	h = gptHeader{
		other: le.Uint64(b[32:]), first: le.Uint64(b[40:]), last: le.Uint64(b[48:]), guid: guid(b[56:72]),
		entries: le.Uint64(b[72:]), count: le.Uint32(b[80:]), crc: le.Uint32(b[88:]),
	}
	last := uint64(s.sectors - 1)
	switch {
	case le.Uint64(b[24:]) != uint64(at):
		return h, nil, fmt.Sprintf("header at sector %d says that it is at %d", at, le.Uint64(b[24:])), nil
	case h.first > last || h.last > last || h.last < h.first:
		return h, nil, fmt.Sprintf("usable sectors %d to %d of %d", h.first, h.last, s.sectors), nil
	case le.Uint32(b[84:]) != gptEntrySize:
		return h, nil, fmt.Sprintf("entries of %d bytes", le.Uint32(b[84:])), nil
	case h.count > gptMaxEntries:
		return h, nil, fmt.Sprintf("%d entries", h.count), nil
	}
	n := int64(h.count) * gptEntrySize
	if h.entries > last || n > (s.sectors-int64(h.entries))*block.SectorSize {
		return h, nil, fmt.Sprintf("entries at sector %d are beyond EOD", h.entries), nil
	}
	entries = make([]byte, n)
	if _, err := s.d.ReadAt(entries, int64(h.entries)*block.SectorSize); err != nil {
		return h, nil, "", err
	}
	if got := crc32.ChecksumIEEE(entries); got != h.crc {
		return h, nil, fmt.Sprintf("entries' CRC %08x, should be %08x", h.crc, got), nil
	}
	return h, entries, "", nil
}

func (s *scan) addGPT(n int, e []byte) {
	le := binary.LittleEndian
	start, end, last := le.Uint64(e[32:]), le.Uint64(e[40:]), uint64(s.sectors-1)
	kind := guid(e[:16])
	if kind == "00000000-0000-0000-0000-000000000000" {
		return
	}
	if start > last || end > last || end < start { // is_pte_valid
		s.problem("p%d: sectors %d to %d make no sense", n, start, end)
		return
	}
	s.add(Partition{
		Number: n, UUID: guid(e[16:32]), Name: label(e[56:128]), Type: kind,
		Bootable: le.Uint64(e[48:])&gptBootable != 0,
	}, start, end-start+1)
}

// guid writes a GUID as %pUl does: the first three fields are little-endian.
func guid(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// label decodes a partition's name up to its NUL. Control characters and what is
// no UTF-16 become '!', as in utf16_le_to_7bit, which does so with all but ASCII.
func label(b []byte) string {
	var u []uint16
	for i := 0; i+1 < len(b); i += 2 {
		c := binary.LittleEndian.Uint16(b[i:])
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	runes := utf16.Decode(u)
	for i, r := range runes {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			runes[i] = '!'
		}
	}
	return string(runes)
}
