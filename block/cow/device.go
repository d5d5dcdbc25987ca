// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"errors"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/block"
)

// copyUp is the aligned run that becomes owned at once.
const copyUp = 64 << 10

// Device is a disk of a COW file over a base.
type Device struct {
	file, base block.Device
	hdr        Header
	lay        Layout
	readOnly   bool
	sync       bool // each write is on the host's disk when it returns
	bits       *bitmap

	// pending: bits were set that the file does not have; set under mu.
	pending atomic.Bool
	gen     atomic.Uint64

	flushMu sync.Mutex

	mu  sync.Mutex // copy-up
	buf []byte     // one run of copyUp bytes; guarded by mu

	wmu      sync.Mutex
	watchers []*watch                 // guarded by wmu
	watched  atomic.Pointer[[]*watch] // the same, for readers
}

type watch struct{ w block.Watcher }

// New gives the disk of an open COW file over its open base. What a header says
// of the base's time and size is the caller's to check (Open does).
func New(file, base block.Device, h Header) (*Device, error) {
	d := &Device{file: file, base: base, hdr: h, lay: h.Layout(), readOnly: block.ReadOnly(file)}
	if base.Size() < h.Size {
		return nil, bad("the disk has %d bytes, its base only %d", h.Size, base.Size())
	}
	if file.Size() < d.lay.BitmapOffset+d.lay.BitmapLen {
		return nil, bad("the file ends at %d, within its bitmap", file.Size())
	}
	d.bits = newBitmap(d.lay.Sectors)
	if err := d.bits.load(file, d.lay.BitmapOffset, d.lay.BitmapLen); err != nil {
		return nil, err
	}
	return d, nil
}

// Header gives the COW file's header.
func (d *Device) Header() Header { return d.hdr }

// Owned gives the number of sectors that the COW file has.
func (d *Device) Owned() int64 { return d.bits.count() }

// OwnedRun gives how many bytes from off on, at most n, are all owned or all not.
func (d *Device) OwnedRun(off, n int64) (length int64, owned bool) {
	if off < 0 || off >= d.hdr.Size || n <= 0 {
		return 0, false
	}
	n = min(n, d.hdr.Size-off)
	ss := d.hdr.SectorSize
	first := off / ss
	sectors, owned := d.bits.run(first, (off+n-1)/ss-first+1)
	return min((first+sectors)*ss-off, n), owned
}

// Size implements block.Device.
func (d *Device) Size() int64 { return d.hdr.Size }

// ReadOnly implements block.ReadOnlyer.
func (d *Device) ReadOnly() bool { return d.readOnly }

// ReadAt implements block.Device.
func (d *Device) ReadAt(p []byte, off int64) (int, error) {
	if err := block.CheckRange(off, len(p), d.hdr.Size); err != nil {
		return 0, err
	}
	done := 0
	for done < len(p) {
		pos := off + int64(done)
		n, owned := d.OwnedRun(pos, int64(len(p)-done))
		part := p[done : done+int(n)]
		var m int
		var err error
		if owned {
			m, err = d.file.ReadAt(part, d.lay.DataOffset+pos)
		} else {
			m, err = d.base.ReadAt(part, pos)
		}
		done += m
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Flush implements block.Flusher; see the package comment for the order.
func (d *Device) Flush() error {
	if d.readOnly {
		return nil
	}
	d.flushMu.Lock()
	defer d.flushMu.Unlock()
	if !d.pending.Load() {
		return block.Flush(d.file)
	}
	d.mu.Lock()
	pieces := d.bits.takeDirty()
	d.pending.Store(false)
	d.mu.Unlock()
	err := block.Flush(d.file)
	for i := 0; err == nil && i < len(pieces); i++ {
		q := pieces[i]
		if left := d.lay.BitmapLen - q.off; int64(len(q.data)) > left {
			q.data = q.data[:left]
		}
		_, err = d.file.WriteAt(q.data, d.lay.BitmapOffset+q.off)
	}
	if err == nil {
		err = block.Flush(d.file)
	}
	if err != nil {
		d.mu.Lock()
		d.bits.putBack(pieces)
		d.pending.Store(true)
		d.mu.Unlock()
	}
	return err
}

// NextData implements block.Extents: what is owned or data of the base.
func (d *Device) NextData(off int64) (start, n int64, err error) {
	for off < d.hdr.Size {
		length, owned := d.OwnedRun(off, d.hdr.Size-off)
		end := off + length
		var from, m int64
		if owned {
			from, m, err = block.NextData(d.file, d.lay.DataOffset+off)
			from -= d.lay.DataOffset
		} else {
			from, m, err = block.NextData(d.base, off)
		}
		if err != nil {
			return 0, 0, err
		}
		if m > 0 && from < end {
			return from, min(m, end-from), nil
		}
		off = end
	}
	return d.hdr.Size, 0, nil
}

// Locate implements block.Locator.
func (d *Device) Locate(off, n int64) (block.Run, error) {
	n, owned := d.OwnedRun(off, n)
	if n == 0 {
		return block.Run{}, abi.EIO
	}
	if owned {
		return block.Locate(d.file, d.lay.DataOffset+off, n)
	}
	r, err := block.Locate(d.base, off, n)
	r.Writable = false
	return r, err
}

// Close implements block.Closer: it flushes, and closes both files.
func (d *Device) Close() error {
	return errors.Join(d.Flush(), block.Close(d.file), block.Close(d.base))
}
