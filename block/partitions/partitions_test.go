// SPDX-License-Identifier: Apache-2.0

package partitions

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block/blocktest"
)

// record makes a boot record of the entries {type, start, size}.
func record(entries ...[3]uint32) []byte {
	b := make([]byte, 512)
	b[510], b[511] = 0x55, 0xaa
	for i, e := range entries {
		p := b[dosTable+16*i:]
		p[4] = byte(e[0])
		binary.LittleEndian.PutUint32(p[8:], e[1])
		binary.LittleEndian.PutUint32(p[12:], e[2])
	}
	return b
}

// assemble makes a disk of sectors with some records in it.
func assemble(sectors int, records map[int][]byte) []byte {
	b := make([]byte, sectors*512)
	for at, r := range records {
		copy(b[at*512:], r)
	}
	return b
}

func scanBytes(t testing.TB, b []byte) Table {
	t.Helper()
	tab, err := Scan(blocktest.NewMem(b))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestHostileDOS(t *testing.T) {
	ext := [3]uint32{5, 100, 800}
	for _, c := range []struct {
		name    string
		disk    []byte
		parts   int
		problem string
	}{
		{"nothing", make([]byte, 1024), 0, ""},
		{"smaller than a sector", make([]byte, 100), 0, ""},
		{"beyond the end", assemble(1000, map[int][]byte{0: record([3]uint32{0x83, 1000, 10})}), 0, "beyond EOD"},
		{"longer than the disk", assemble(1000, map[int][]byte{0: record([3]uint32{0x83, 10, 0xffffffff})}), 1, "truncated"},
		{"chain to itself", assemble(1000, map[int][]byte{0: record(ext), 100: record([3]uint32{0x83, 1, 5}, [3]uint32{5, 0, 800})}), 2, "loop"},
		{"chain of two", assemble(1000, map[int][]byte{0: record(ext),
			100: record([3]uint32{0x83, 1, 5}, [3]uint32{5, 10, 20}), 110: record([3]uint32{0x83, 1, 5}, [3]uint32{5, 0, 20})}), 3, "loop"},
		{"chain to the boot record", assemble(1000, map[int][]byte{0: record([3]uint32{5, 0, 1000})}), 1, "loop"},
		{"chain beyond the end", assemble(1000, map[int][]byte{0: record(ext), 100: record([3]uint32{0x83, 1, 5}, [3]uint32{5, 5000, 8})}), 2, "beyond EOD"},
		{"no record", assemble(1000, map[int][]byte{0: record(ext)}), 1, "no magic"},
		{"two extended ones", assemble(1000, map[int][]byte{0: record([3]uint32{5, 100, 100}, [3]uint32{0xf, 300, 100}),
			100: record([3]uint32{0x83, 1, 5}), 300: record([3]uint32{0x83, 1, 5})}), 4, ""},
		{"boot code", func() []byte {
			b := assemble(1000, map[int][]byte{0: record([3]uint32{0x83, 1, 5})})
			b[dosTable] = 0x33
			return b
		}(), 0, ""},
	} {
		tab := scanBytes(t, c.disk)
		if len(tab.Partitions) != c.parts || (c.problem == "") != (len(tab.Problems) == 0) || !strings.Contains(strings.Join(tab.Problems, "\n"), c.problem) {
			t.Errorf("%s: %+v", c.name, tab)
		}
	}
}

// TestManyLogical: numbers end at MaxParts.
func TestManyLogical(t *testing.T) {
	records := map[int][]byte{0: record([3]uint32{5, 1, 2000})}
	for i := range 400 {
		records[1+2*i] = record([3]uint32{0x83, 1, 1}, [3]uint32{5, uint32(2 * (i + 1)), 2})
	}
	tab := scanBytes(t, assemble(2001, records))
	if n := len(tab.Partitions); n != 1+MaxParts-5 || tab.Partitions[n-1].Number != MaxParts-1 {
		t.Error(n)
	}
}

// gpt makes a disk with one GPT, and lets change spoil its header before the sums
// are made.
func gptDisk(sectors int, change func(h []byte), entries ...[2]uint64) []byte {
	b := assemble(sectors, map[int][]byte{0: record([3]uint32{typeGPT, 1, uint32(sectors - 1)})})
	le := binary.LittleEndian
	table := b[1024 : 1024+128*128]
	for i, e := range entries {
		p := table[i*128:]
		p[0], p[16] = 1, byte(i+1)
		le.PutUint64(p[32:], e[0])
		le.PutUint64(p[40:], e[1])
		copy(p[56:], "n\x00a\x00m\x00e\x00")
	}
	h := b[512:1024]
	copy(h, gptSignature)
	le.PutUint32(h[12:], 92)
	le.PutUint64(h[24:], 1)
	le.PutUint64(h[32:], uint64(sectors-1))
	le.PutUint64(h[40:], 34)
	le.PutUint64(h[48:], uint64(sectors-34))
	le.PutUint64(h[72:], 2)
	le.PutUint32(h[80:], 128)
	le.PutUint32(h[84:], 128)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(table))
	if change != nil {
		change(h)
	}
	le.PutUint32(h[16:], 0)
	if n := le.Uint32(h[12:]); n <= 512 {
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:n]))
	}
	return b
}

func TestHostileGPT(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name    string
		change  func(h []byte)
		problem string
	}{
		{"header size", func(h []byte) { le.PutUint32(h[12:], 91) }, "header of 91"},
		{"huge header", func(h []byte) { le.PutUint32(h[12:], 1<<31) }, "header of"},
		{"own place", func(h []byte) { le.PutUint64(h[24:], 7) }, "says that it is at 7"},
		{"first usable", func(h []byte) { le.PutUint64(h[40:], 1<<60) }, "usable"},
		{"last usable", func(h []byte) { le.PutUint64(h[48:], 1000) }, "usable"},
		{"crossed", func(h []byte) { le.PutUint64(h[48:], 33) }, "usable"},
		{"entry size", func(h []byte) { le.PutUint32(h[84:], 0) }, "entries of 0"},
		{"entry count", func(h []byte) { le.PutUint32(h[80:], 1<<31) }, "entries"},
		{"entries' place", func(h []byte) { le.PutUint64(h[72:], 1<<63) }, "beyond EOD"},
		{"entries to the end", func(h []byte) { le.PutUint64(h[72:], 999) }, "beyond EOD"},
		{"entries' sum", func(h []byte) { h[88]++ }, "entries' CRC"},
	} {
		tab := scanBytes(t, gptDisk(1000, c.change, [2]uint64{40, 50}))
		if len(tab.Partitions) != 0 || len(tab.Problems) != 2 || !strings.Contains(tab.Problems[0], c.problem) {
			t.Errorf("%s: %+v", c.name, tab)
		}
	}
	tab := scanBytes(t, gptDisk(1000, nil, [2]uint64{40, 50}, [2]uint64{60, 59}, [2]uint64{70, 1 << 40}, [2]uint64{999, 999}))
	if len(tab.Partitions) != 2 || tab.Partitions[0].Size != 11*512 || tab.Partitions[0].Name != "name" || tab.Partitions[1].Number != 4 {
		t.Errorf("%+v", tab)
	}
	// Without a protective record there is no GPT, as in efi.c.
	b := gptDisk(1000, nil, [2]uint64{40, 50})
	clear(b[:512])
	if tab := scanBytes(t, b); tab.Scheme != None {
		t.Errorf("%+v", tab)
	}
}

func TestReadErrors(t *testing.T) {
	ext := assemble(1000, map[int][]byte{0: record([3]uint32{5, 100, 800}), 100: record([3]uint32{0x83, 1, 5})})
	for _, at := range []int64{0, 100 * 512} {
		f := blocktest.NewFaulty(blocktest.NewMem(ext))
		f.Add(blocktest.Fault{Ops: blocktest.Read, Off: at, Len: 512})
		if _, err := Scan(f); err != abi.EIO {
			t.Error(at, err)
		}
	}
}

func TestDiff(t *testing.T) {
	p := func(n int, start int64) Partition { return Partition{Number: n, Start: start, Size: 512} }
	old := Table{Partitions: []Partition{p(1, 1), p(2, 2), p(3, 3)}}
	now := Table{Partitions: []Partition{p(1, 1), p(3, 4), p(5, 5)}}
	got := Diff(old, now)
	if len(got) != 3 || got[0].Number != 3 || got[0].Old.Start != 3 || got[0].New.Start != 4 ||
		got[1].Number != 5 || got[1].Old != nil || got[2].Number != 2 || got[2].New != nil {
		t.Errorf("%+v", got)
	}
	if len(Diff(now, now)) != 0 {
		t.Error("the same table differs from itself")
	}
}

// checkTable: whatever a disk holds, partitions lie on it.
func checkTable(t *testing.T, b []byte) {
	tab := scanBytes(t, b)
	for _, p := range tab.Partitions {
		if p.Start < 0 || p.Size < 0 || p.Start+p.Size > int64(len(b)) || p.Number < 1 || p.Number >= MaxParts || p.Start%512 != 0 {
			t.Fatalf("%+v", p)
		}
		if strings.ContainsFunc(p.Name, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("%q", p.Name)
		}
		sub := p.Of(blocktest.NewMem(b))
		if sub.Size() != p.Size {
			t.Fatal(sub.Size())
		}
	}
}

// FuzzDOS has two records to play with: the boot record, and one that stands in
// every fourth sector.
func FuzzDOS(f *testing.F) {
	f.Add(record([3]uint32{5, 4, 60}, [3]uint32{0x83, 1, 3}), record([3]uint32{0x83, 1, 2}, [3]uint32{5, 8, 4}))
	f.Fuzz(func(t *testing.T, mbr, ebr []byte) {
		b := make([]byte, 64*512)
		for at := 4; at < 64; at += 4 {
			copy(b[at*512:(at+1)*512], ebr)
		}
		copy(b[:512], mbr)
		checkTable(t, b)
	})
}

// FuzzGPT mends the sums of the header and the entries that it is given.
func FuzzGPT(f *testing.F) {
	whole := gptDisk(100, nil, [2]uint64{40, 50})
	f.Add(whole[512:512+92], whole[1024:1024+256])
	f.Fuzz(func(t *testing.T, header, entries []byte) {
		if len(header) > 512 {
			return
		}
		b := gptDisk(100, func(h []byte) { copy(h, header) })
		copy(b[1024:], entries[:min(len(entries), 128*128)])
		le, h := binary.LittleEndian, b[512:1024]
		if at, n := le.Uint64(h[72:]), uint64(le.Uint32(h[80:]))*128; at < 100 && n < 100*512 && at*512+n <= uint64(len(b)) && at >= 2 {
			le.PutUint32(h[88:], crc32.ChecksumIEEE(b[at*512:at*512+n]))
		}
		if n := le.Uint32(h[12:]); n <= 512 && n >= 92 {
			le.PutUint32(h[16:], 0)
			le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:n]))
		}
		copy(b[99*512:], bytes.Clone(h)) // a second one that points elsewhere
		checkTable(t, b)
	})
}
