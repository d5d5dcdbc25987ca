// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// sample headers of every version. Version 1 is in the order of the machine that
// made it.
func samples() map[string]Header {
	mk := func(v int, broken bool, o binary.ByteOrder) Header {
		h := Header{Version: v, Broken: broken, Backing: "/images/base", Mtime: 0x5f5e1000, Size: 1 << 20, SectorSize: 512, order: o}
		if v == 3 {
			h.Align = 4096
		}
		return h
	}
	be, le := binary.BigEndian, binary.LittleEndian
	return map[string]Header{
		"v1 little": mk(1, false, le), "v1 big": mk(1, false, be), "v2": mk(2, false, be),
		"v3": mk(3, false, be), "v3 broken": mk(3, true, be),
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	for name, h := range samples() {
		raw, err := h.Encode()
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := Parse(raw)
		if err != nil || got != h {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for n := 8; n < len(raw); n += 97 {
			if _, err := Parse(raw[:n]); err == nil {
				t.Errorf("%s: %d bytes are enough", name, n)
			}
		}
	}
}

// TestHeaderLayouts: the offsets of each version, byte by byte where they matter.
func TestHeaderLayouts(t *testing.T) {
	for _, c := range []struct {
		name                      string
		size, mtime, total, path  int
		bitmap, bitmapLen, dataAt int64
	}{
		{"v1 little", 268, 264, 280, 8, 280, 256, 1024},
		{"v2", 4108, 4104, 4120, 8, 4120, 256, 4608},
		{"v3", 12, 8, 4128, 32, 8192, 256, 12288},
		{"v3 broken", 16, 8, 4136, 36, 8192, 256, 12288},
	} {
		h := samples()[c.name]
		raw, _ := h.Encode()
		o := h.order
		if len(raw) != c.total || o.Uint64(raw[c.size:]) != 1<<20 || o.Uint32(raw[c.mtime:]) != h.Mtime ||
			!bytes.HasPrefix(raw[c.path:], []byte("/images/base\x00")) {
			t.Errorf("%s: a field is at the wrong place", c.name)
		}
		if l := h.Layout(); l.BitmapOffset != c.bitmap || l.BitmapLen != c.bitmapLen || l.DataOffset != c.dataAt || l.Tail != l.Sectors {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
}

// TestRoundingOfOldVersions: UML's bitmap of versions 1 and 2 is short when the
// number of sectors is no multiple of 8; the missing bits go into the gap before
// the data if there is one.
func TestRoundingOfOldVersions(t *testing.T) {
	h := samples()["v2"]
	for _, c := range []struct{ sectors, dataOffset, tail int64 }{
		{8, 4608, 8},       // 4120+1
		{12, 4608, 12},     // 4120+1, the second byte fits into the gap
		{3904, 4608, 3904}, // 4120+488: full to the data
		{3907, 4608, 3904}, // three sectors without bits
		{3912, 5120, 3912}, // one byte more
		{3912 + 1, 5120, 3913},
	} {
		h.Size = c.sectors * 512
		if l := h.Layout(); l.DataOffset != c.dataOffset || l.Tail != c.tail || l.Sectors != c.sectors {
			t.Errorf("%d sectors: %+v", c.sectors, l)
		}
	}
}

func TestBadHeaders(t *testing.T) {
	v3 := samples()["v3"]
	for _, c := range []struct {
		name   string
		change func(b []byte)
		want   string
	}{
		{"version 0", func(b []byte) { b[7] = 0 }, "version 0"},
		{"version 4", func(b []byte) { b[7] = 4 }, "version 4"},
		{"version < 0", func(b []byte) { b[4] = 0xff }, "unknown"},
		{"align 0", func(b []byte) { copy(b[24:28], "\x00\x00\x00\x00") }, "alignment of 0"},
		{"align 3", func(b []byte) { b[27] = 3 }, "alignment"},
		{"align huge", func(b []byte) { copy(b[24:28], "\x80\x00\x00\x00") }, "alignment"},
		{"sector size 0", func(b []byte) { copy(b[20:24], "\x00\x00\x00\x00") }, "sector size of 0"},
		{"sector size 513", func(b []byte) { b[23] = 1 }, "sector size"},
		{"size huge", func(b []byte) { b[12] = 0xff }, "size of"},
		{"format", func(b []byte) { b[31] = 1 }, "format 1"},
		{"little-endian", func(b []byte) { copy(b, "MOOO\x03\x00\x00\x00") }, "little-endian"},
	} {
		raw, _ := v3.Encode()
		c.change(raw)
		_, err := Parse(raw)
		var bad *HeaderError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "flag d") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, raw := range []string{"", "OOO", "OOOM", "\x00\x00\x00\x00\x00\x00\x00\x00", "MOOM\x00\x00\x00\x03"} {
		if _, err := Parse([]byte(raw)); err != ErrNotCOW {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestLongBackingNames(t *testing.T) {
	for name, h := range samples() {
		limit := 4095
		if h.Version == 1 {
			limit = 255
		}
		h.Backing = "/" + strings.Repeat("n", limit-1)
		raw, err := h.Encode()
		if err != nil {
			t.Error(name, err)
		} else if got, err := Parse(raw); err != nil || got.Backing != h.Backing {
			t.Error(name, err)
		}
		h.Backing += "n"
		if _, err := h.Encode(); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Error(name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, h := range samples() {
		raw, _ := h.Encode()
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		l := h.Layout()
		if l.BitmapOffset < sizeV1 || l.BitmapLen < 0 || l.DataOffset < l.BitmapOffset+l.BitmapLen || h.FileSize() < 0 || l.Tail > l.Sectors || l.BitmapLen*8 < l.Tail {
			t.Fatalf("%+v %+v", h, l)
		}
		raw, err := h.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(raw); err != nil || again != h {
			t.Fatalf("%+v is %+v, %v", h, again, err)
		}
	})
}
