// SPDX-License-Identifier: Apache-2.0

package image

import (
	"errors"
	"fmt"
	"math/bits"

	"lodger/block"
	"lodger/block/cow"
)

// Report is what Check found.
type Report struct {
	Info     Info
	Problems []string // what loses data or refuses to open
	Notes    []string // what is only odd
	// Loose is bytes of data in the COW file of sectors that it does not own: left
	// by a crash before a flush. They are never shown.
	Loose int64
}

// Check looks at an image's consistency. It changes nothing; an error is only
// what kept it from looking.
func Check(path string, p Progress) (Report, error) {
	var r Report
	f, err := block.OpenFile(path, block.Options{ReadOnly: true})
	if err != nil {
		return r, err
	}
	defer f.Close()
	var bad *cow.HeaderError
	if r.Info, err = Inspect(path); errors.As(err, &bad) {
		r.problem("%v", err)
		return r, nil
	} else if err != nil {
		return r, err
	}
	if r.Info.Size%block.SectorSize != 0 {
		r.note("the disk's size %d is no multiple of %d: its end is not shown to guests", r.Info.Size, block.SectorSize)
	}
	if r.Info.Format == "raw" {
		p.tell(1, 1)
		return r, nil
	}
	return r, r.cow(f, p)
}

func (r *Report) cow(f *block.File, p Progress) error {
	i := &r.Info
	if i.BaseState != nil {
		r.problem("base: %v", i.BaseState)
	}
	if i.Interrupted {
		r.problem("%v", cow.Interrupted(i.Path))
	}
	if i.Header.Broken {
		r.note("version 3 in the 64-bit layout of 2005; convert it when you can")
	}
	if i.Layout.Tail < i.Layout.Sectors {
		r.note("version %d has no bits for the last %d sectors: they cannot be written", i.Header.Version, i.Layout.Sectors-i.Layout.Tail)
	}
	if want := i.Header.FileSize(); i.FileSize != want {
		r.note("the file has %d bytes, not %d", i.FileSize, want)
	}
	if err := r.strayBits(f); err != nil {
		return err
	}
	d, err := cow.New(f, sized(i.Size), i.Header)
	if err != nil {
		return err
	}
	for off := int64(0); off < i.Size; {
		n, owned := d.OwnedRun(off, i.Size-off)
		if at := i.Layout.DataOffset + off; owned && at+n > i.FileSize {
			r.problem("sectors %d to %d are owned, but lie beyond the file's end", max(off, i.FileSize-i.Layout.DataOffset)/i.Header.SectorSize, (off+n-1)/i.Header.SectorSize)
		} else if !owned {
			if err := r.loose(f, at, n); err != nil {
				return err
			}
		}
		off += n
		p.tell(off, i.Size)
	}
	if r.Loose > 0 {
		r.note("%d bytes of data without bits, left by a crash; harmless", r.Loose)
	}
	return nil
}

// loose counts data between at and at+n of the file. The last block of a new COW
// file is there since UML sets the size by a byte of it.
func (r *Report) loose(f *block.File, at, n int64) error {
	for end := at + n; at < end; {
		start, m, err := f.NextData(at)
		if err != nil || m == 0 || start >= end {
			return err
		}
		m = min(m, end-start)
		if start+m < r.Info.Header.FileSize() {
			r.Loose += m
		}
		at = start + m
	}
	return nil
}

// strayBits looks for bits behind the last sector's.
func (r *Report) strayBits(f *block.File) error {
	l := r.Info.Layout
	if l.BitmapLen == 0 || l.Sectors%8 == 0 || l.Tail < l.Sectors {
		return nil
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], l.BitmapOffset+l.BitmapLen-1); err != nil {
		return err
	}
	if n := bits.OnesCount8(b[0] >> uint(l.Sectors%8)); n > 0 {
		r.note("%d bits are set behind the last sector's; they mean nothing", n)
	}
	return nil
}

func (r *Report) problem(format string, args ...any) {
	const most = 1000
	if len(r.Problems) < most {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
