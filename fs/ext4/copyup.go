// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/fs"

// Copy-up under mappings. What a COW disk has in its base moves to the COW file when it
// is written, away from the processes that map it. So before the write its neighbourhood
// is copied up as it is, and what maps it maps the new place: the rest of the file stays
// where it is and goes on being the host's one copy for all guests.

// upUnit is how much of a file moves at least: a COW disk copies up as much.
const upUnit = 64 << 10

// showsBase reports whether bytes [a, b) may be mapped from a base.
func (i *inode) showsBase(a, b int64) bool {
	for _, p := range i.given {
		if max(a, p.logical) < min(b, p.logical+p.Len) {
			return true
		}
	}
	return false
}

// writes is what a write of n bytes at off changes of the file's blocks: also what
// mappings have stored behind its end (zeroTail).
func (i *inode) writes(off int64, n int) (a, b int64) {
	if n == 0 {
		return off, off
	}
	return min(off, i.size), off + int64(n)
}

// copyUp has bytes [a, b) mapped from where writes go. FS.mu is held for writing and let
// go meanwhile. ErrMustWait.
func (i *inode) copyUp(ctx *fs.Context, a, b int64) error {
	return i.vacate(ctx, func() bool { return i.showsBase(a, b) }, func(maps fs.Mappings) error {
		lo, hi := a/upUnit*upUnit, roundTo(b, upUnit)
		from, to, err := i.owned(lo, hi)
		if err != nil {
			return err
		}
		rest := without(i.given, lo, hi)
		if from == nil || len(rest) > mostRuns {
			return i.relocate(maps)
		}
		return i.depart(func() error {
			return maps.RelocatePart(i, mapRuns(from), func() ([]fs.Moved, error) { return to, nil })
		}, func() { i.given = rest })
	})
}

// owned copies up what is given of bytes [lo, hi), and tells from where to where its
// mappings go; nil where they cannot.
func (i *inode) owned(lo, hi int64) (from []place, to []fs.Moved, err error) {
	dev := i.s.dev.(HostRanger)
	o, can := i.s.dev.(Owner)
	if !can {
		return nil, nil, nil
	}
	for _, p := range disjoint(within(i.given, lo, hi)) {
		for done := int64(0); done < p.Len; {
			at := p.logical + done
			pos, n, err := i.onDevice(at, p.Len-done)
			if err != nil {
				return nil, nil, err
			}
			if n == 0 || o.Own(pos, n) != nil {
				return nil, nil, nil
			}
			fd, host, have, ok := dev.HostRange(pos, n, false)
			_, _, store, stores := dev.HostRange(pos, n, true)
			have = min(have, store, n) &^ (pageSize - 1)
			if !ok || !stores || have == 0 || host%pageSize != 0 || len(from) == mostRuns {
				return nil, nil, nil
			}
			from = append(from, place{fs.MapRun{FD: p.FD, Off: p.Off + done, Len: have}, at})
			// Nobody stores to a base, so that nobody may store to what comes of it.
			to = append(to, fs.Moved{FD: fd, WriteFD: fd, Off: host})
			done += have
		}
	}
	return from, to, nil
}

// within cuts places to bytes [lo, hi) of the file.
func within(l []place, lo, hi int64) (out []place) {
	for _, p := range l {
		if a, b := max(lo, p.logical), min(hi, p.logical+p.Len); a < b {
			out = append(out, p.part(a, b))
		}
	}
	return out
}

// without is what is left of places outside of bytes [lo, hi) of the file.
func without(l []place, lo, hi int64) (out []place) {
	for _, p := range l {
		if end := min(lo, p.logical+p.Len); p.logical < end {
			out = append(out, p.part(p.logical, end))
		}
		if start := max(hi, p.logical); start < p.logical+p.Len {
			out = append(out, p.part(start, p.logical+p.Len))
		}
	}
	return out
}

// part is bytes [a, b) of the file, which p holds.
func (p place) part(a, b int64) place {
	return place{fs.MapRun{FD: p.FD, Off: p.Off + a - p.logical, Len: b - a}, a}
}
