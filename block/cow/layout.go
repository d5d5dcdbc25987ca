// SPDX-License-Identifier: Apache-2.0

package cow

// Layout is where the parts of a COW file lie (cow_sizes in cow_user.c).
type Layout struct {
	Sectors      int64 // of the disk; the last may be partial
	BitmapOffset int64
	BitmapLen    int64 // bytes that hold a bit for each sector
	DataOffset   int64
	// Tail is the first sector whose bit does not fit before the data, Sectors when
	// all do. Versions 1 and 2 round the bitmap's length down, so up to seven
	// sectors at the end may have none: UML kept them in memory only.
	Tail int64
}

// Layout works out the places; the header was checked.
func (h *Header) Layout() Layout {
	l := Layout{Sectors: (h.Size + h.SectorSize - 1) / h.SectorSize}
	l.BitmapLen = (l.Sectors + bitsPerByte - 1) / bitsPerByte
	l.Tail = l.Sectors
	if h.Version == 3 {
		size := int64(sizeV3)
		if h.Broken {
			size = sizeV3Broken
		}
		l.BitmapOffset = roundUp(size, h.Align)
		l.DataOffset = roundUp(l.BitmapOffset+l.BitmapLen, h.Align)
		return l
	}
	l.BitmapOffset = sizeV1
	if h.Version == 2 {
		l.BitmapOffset = sizeV2
	}
	short := (h.Size + h.SectorSize - 1) / (bitsPerByte * h.SectorSize)
	l.DataOffset = roundUp(l.BitmapOffset+short, h.SectorSize)
	if room := l.DataOffset - l.BitmapOffset; l.BitmapLen > room {
		l.BitmapLen = room
		l.Tail = room * bitsPerByte
	}
	return l
}

// FileSize is the whole COW file's size.
func (h *Header) FileSize() int64 { return h.Layout().DataOffset + h.Size }

func roundUp(n, to int64) int64 { return (n + to - 1) &^ (to - 1) }
