// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"errors"
	"fmt"

	"lodger/abi"
	"lodger/block"
)

// ErrTail: the last sectors of a version 1 or 2 disk have no bit in the file, so a
// write there could not be kept.
var ErrTail = errors.New("the COW format (version 1 or 2) has no bitmap bit for the disk's last sectors; convert the disk")

// WriteAt implements block.Device.
func (d *Device) WriteAt(p []byte, off int64) (int, error) {
	if err := d.writable(off, int64(len(p))); err != nil {
		return 0, err
	}
	done := 0
	for done < len(p) {
		pos := off + int64(done)
		n, owned := d.OwnedRun(pos, int64(len(p)-done))
		var m int
		var err error
		if owned {
			m, err = d.file.WriteAt(p[done:done+int(n)], d.lay.DataOffset+pos)
		} else {
			m, err = d.writeNew(p[done:done+int(n)], pos)
		}
		done += m
		if err != nil {
			return done, err
		}
	}
	return done, d.settle()
}

// settle ends a write of a synchronous disk: its data is on the host's disk by
// O_SYNC, the bits that it set are not.
func (d *Device) settle() error {
	if d.sync && d.pending.Load() {
		return d.Flush()
	}
	return nil
}

func (d *Device) writable(off, n int64) error {
	if d.readOnly {
		return abi.EROFS
	}
	if off < 0 || n < 0 || off > d.hdr.Size || n > d.hdr.Size-off {
		return abi.EIO
	}
	if n > 0 && off+n > d.lay.Tail*d.hdr.SectorSize {
		return fmt.Errorf("%w: %w", ErrTail, abi.EIO)
	}
	return nil
}

// limit is where a copy-up must end.
func (d *Device) limit() int64 { return min(d.hdr.Size, d.lay.Tail*d.hdr.SectorSize) }

// writeNew writes where, at the last look, nothing was owned.
func (d *Device) writeNew(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, to := off&^(copyUp-1), min(roundUp(off+int64(len(p)), copyUp), d.limit())
	ws := d.begin(from, to-from)
	defer d.end(ws, from, to-from)
	done := 0
	for done < len(p) {
		pos := off + int64(done)
		start := pos &^ (copyUp - 1)
		n := len(p) - done
		whole := pos == start && n >= copyUp
		if whole {
			n &^= copyUp - 1
		} else {
			n = min(n, int(start+copyUp-pos))
		}
		var err error
		if whole {
			var m int
			if m, err = d.file.WriteAt(p[done:done+n], d.lay.DataOffset+pos); err == nil {
				d.own(pos, int64(m))
			}
		} else {
			err = d.around(p[done:done+n], pos)
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// around writes p, which lies within one run of copyUp bytes, and makes that run
// owned; when the host is too full for the run, only p's sectors. mu is held.
func (d *Device) around(p []byte, pos int64) error {
	start, ss := pos&^(copyUp-1), d.hdr.SectorSize
	err := d.chunk(start, min(start+copyUp, d.limit()), p, pos)
	if err == abi.ENOSPC || err == abi.EDQUOT {
		err = d.chunk(pos&^(ss-1), min(roundUp(pos+int64(len(p)), ss), d.limit()), p, pos)
	}
	return err
}

// chunk makes the run from start to end, at most copyUp bytes, owned, with p over
// it at pos. Sectors that are owned already keep what p does not cover. mu is held.
func (d *Device) chunk(start, end int64, p []byte, pos int64) error {
	pend := pos + int64(len(p))
	for at := start; at < end; {
		n, owned := d.OwnedRun(at, end-at)
		var err error
		if owned {
			if lo, hi := max(at, pos), min(at+n, pend); lo < hi {
				_, err = d.file.WriteAt(p[lo-pos:hi-pos], d.lay.DataOffset+lo)
			}
		} else {
			err = d.lift(at, n, p, pos)
		}
		if err != nil {
			return err
		}
		at += n
	}
	d.own(start, end-start)
	return nil
}

// lift writes one unowned run of at most copyUp bytes to the COW file: the base's
// bytes with p over them. mu is held.
func (d *Device) lift(at, n int64, p []byte, pos int64) error {
	lo, hi := max(at, pos), min(at+n, pos+int64(len(p)))
	if lo == at && hi == at+n {
		_, err := d.file.WriteAt(p[lo-pos:hi-pos], d.lay.DataOffset+at)
		return err
	}
	if d.buf == nil {
		d.buf = make([]byte, copyUp)
	}
	b := d.buf[:n]
	if _, err := d.base.ReadAt(b, at); err != nil {
		return err
	}
	if lo < hi {
		copy(b[lo-at:], p[lo-pos:hi-pos])
	}
	_, err := d.file.WriteAt(b, d.lay.DataOffset+at)
	return err
}

// own sets the bits of a run whose ends are those of sectors, or of the disk.
func (d *Device) own(off, n int64) {
	ss := d.hdr.SectorSize
	d.bits.set(off/ss, (off+n+ss-1)/ss-off/ss)
	d.pending.Store(true)
}

// Own implements block.Mover.
func (d *Device) Own(off, n int64) error {
	if err := d.writable(off, n); err != nil || n == 0 {
		return err
	}
	if m, owned := d.OwnedRun(off, n); owned && m == n {
		return nil
	}
	from, to := off&^(copyUp-1), min(roundUp(off+n, copyUp), d.limit())
	d.mu.Lock()
	defer d.mu.Unlock()
	ws := d.begin(from, to-from)
	defer d.end(ws, from, to-from)
	for at := from; at < to; at += copyUp {
		if err := d.chunk(at, min(at+copyUp, to), nil, at); err != nil {
			return err
		}
	}
	return nil
}

// Discard implements block.Discarder: what is owned is punched out of the COW
// file and reads as zeroes; the base shows through elsewhere, as before.
func (d *Device) Discard(off, n int64) error {
	if err := d.writable(off, n); err != nil {
		return err
	}
	for n > 0 {
		m, owned := d.OwnedRun(off, n)
		if owned {
			if err := block.Discard(d.file, d.lay.DataOffset+off, m); err != nil {
				return err
			}
		}
		off, n = off+m, n-m
	}
	return nil
}

// WriteZeroes implements block.Zeroer: whole sectors become owned holes without
// any copying.
func (d *Device) WriteZeroes(off, n int64) error {
	if err := d.writable(off, n); err != nil || n == 0 {
		return err
	}
	ss, end := d.hdr.SectorSize, off+n
	from, to := roundUp(off, ss), end&^(ss-1)
	if end == d.hdr.Size {
		to = end // the last sector may be partial
	}
	if from >= to {
		_, err := d.WriteAt(make([]byte, n), off)
		return err
	}
	if from > off {
		if _, err := d.WriteAt(make([]byte, from-off), off); err != nil {
			return err
		}
	}
	if to < end {
		if _, err := d.WriteAt(make([]byte, end-to), to); err != nil {
			return err
		}
	}
	if err := d.zero(from, to-from); err != nil {
		return err
	}
	return d.settle()
}

// zero makes whole sectors owned holes.
func (d *Device) zero(off, n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m, owned := d.OwnedRun(off, n); owned && m == n {
		return block.WriteZeroes(d.file, d.lay.DataOffset+off, n) // nothing moves
	}
	ws := d.begin(off, n)
	defer d.end(ws, off, n)
	if err := block.WriteZeroes(d.file, d.lay.DataOffset+off, n); err != nil {
		return err
	}
	d.own(off, n)
	return nil
}
