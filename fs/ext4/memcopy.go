// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/lib/printk"
)

// memCopy is a memfd that stands for a file whose pages cannot be mapped from
// the device: blocks smaller than a page, holes, many runs, a device that is
// no host file, or a file that changed while it was mapped. While it is there, reads
// come from it; writes go to both; what mappings stored is written back at sync and
// at the last close. Guarded by FS.mu; stores of mappings are nobody's to guard.
type memCopy struct {
	fd       int
	ro       int  // the same, read-only: who maps it cannot make the mapping writable
	writable bool // was mapped shared and writable
}

func (m *memCopy) readAt(p []byte, off, size int64) (int, error) {
	if off >= size {
		return 0, nil
	}
	return host.Pread(m.fd, p[:min(int64(len(p)), size-off)], off)
}

func (m *memCopy) writeAt(p []byte, off int64) { host.Pwrite(m.fd, p, off) }
func (m *memCopy) resize(size int64)           { host.Ftruncate(m.fd, size) }

// zeroTail clears what was stored behind the end, in its page.
func (m *memCopy) zeroTail(size int64) {
	if in := size % pageSize; in != 0 {
		host.PunchHole(m.fd, size, pageSize-in)
	}
}

// store notes that mappings store into the copy.
func (m *memCopy) store(i *inode) {
	if m.writable {
		return
	}
	m.writable = true
	i.s.inodeMu.Lock()
	i.s.mapped[i] = struct{}{}
	i.s.inodeMu.Unlock()
}

// copyNow makes the copy of an inode that nobody maps; a large one not while others
// wait.
func (i *inode) copyNow(ctx *fs.Context) error {
	if i.size > copyAtOnce && !i.mayWait(ctx) {
		return fs.ErrMustWait
	}
	return i.makeCopy()
}

func (i *inode) makeCopy() error {
	fd, err := host.MemfdCreate("ext4")
	if err != nil {
		return err
	}
	m := &memCopy{fd: fd, ro: -1}
	if m.ro, err = host.Reopen(fd, abi.O_RDONLY); err == nil {
		err = m.fill(i)
	}
	if err != nil {
		m.close()
		return err
	}
	i.mem = m
	if i.stored {
		m.store(i) // by mappings of the blocks until now
	}
	runtime.AddCleanup(i, func(m *memCopy) { m.close() }, m)
	return nil
}

// fill reads the file's data from the device.
func (m *memCopy) fill(i *inode) error {
	if err := host.Ftruncate(m.fd, i.size); err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	fill := func(off, end int64) (err error) {
		for off < end && err == nil {
			var n int
			if n, err = i.readData(buf[:min(int64(len(buf)), end-off)], off); n == 0 {
				return err
			}
			if err == nil && !allZero(buf[:n]) {
				_, err = host.Pwrite(m.fd, buf[:n], off)
			}
			off += int64(n)
		}
		return err
	}
	if i.is(flInlineData) {
		return fill(0, i.size)
	}
	bs := int64(i.s.es.blockSize)
	var failed error
	left := i.s.es.blocksCount
	err := i.runs(0, i.s.es.blocksIn(i.size), func(r Run) bool { // holes are holes of the copy too
		if !r.Unwritten {
			// One block can be made to serve many places of the file. The copy would
			// take as much memory as the file pretends to have.
			if uint64(r.Len) > left {
				failed = i.s.corrupt(i.ino, 0, "maps more blocks than the file system has")
				return false
			}
			left -= uint64(r.Len)
			failed = fill(int64(r.Logical)*bs, min(int64(r.Logical+r.Len)*bs, i.size))
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// fallocate does to the copy what was done to the file; old is its size before.
func (m *memCopy) fallocate(i *inode, mode int, off, length, old int64) {
	switch mode &^ abi.FALLOC_FL_KEEP_SIZE {
	case abi.FALLOC_FL_PUNCH_HOLE, abi.FALLOC_FL_ZERO_RANGE:
		host.PunchHole(m.fd, off, length)
	case abi.FALLOC_FL_COLLAPSE_RANGE:
		m.shift(off+length, old, off)
	case abi.FALLOC_FL_INSERT_RANGE:
		m.resize(i.size)
		m.shift(off, old, off+length)
		host.PunchHole(m.fd, off, length)
	}
	m.resize(i.size)
}

// shift moves bytes [from, end) to to; both ways. Holes stay holes: a file may have any
// size, and there may be next to nothing in it.
func (m *memCopy) shift(from, end, to int64) {
	type run struct {
		off, end int64
		data     bool
	}
	var runs []run
	for off := from; off < end; {
		data, err := host.Lseek(m.fd, off, abi.SEEK_DATA)
		if err != nil || data > end { // ENXIO: only holes follow
			data = end
		}
		if data > off {
			runs = append(runs, run{off, data, false})
		}
		if off = data; off < end {
			hole, err := host.Lseek(m.fd, off, abi.SEEK_HOLE)
			if err != nil || hole > end {
				hole = end
			}
			runs = append(runs, run{off, hole, true})
			off = hole
		}
	}
	by := to - from
	if by > 0 { // what is behind makes room first
		slices.Reverse(runs)
	}
	buf := make([]byte, 1<<20)
	for _, r := range runs {
		if !r.data {
			host.PunchHole(m.fd, r.off+by, r.end-r.off)
			continue
		}
		for left := r.end - r.off; left > 0; {
			n := min(left, int64(len(buf)))
			at := r.end - left // upwards, or from the end
			if by > 0 {
				at = r.off + left - n
			}
			if k, err := host.Pread(m.fd, buf[:n], at); err != nil || int64(k) < n {
				clear(buf[max(k, 0):n])
			}
			host.Pwrite(m.fd, buf[:n], at+by)
			left -= n
		}
	}
}

func (m *memCopy) close() {
	for _, fd := range []*int{&m.fd, &m.ro} {
		if *fd >= 0 {
			host.CloseFD(*fd)
			*fd = -1
		}
	}
}

// syncMem writes back what mappings stored. FS.mu is held for writing.
func (i *inode) syncMem() error {
	err := i.writeBack()
	if err != nil {
		i.mu.Lock()
		i.lost, i.heard = i.lost+1, false
		i.mu.Unlock()
	}
	return err
}

// lostSample is what a new file starts with: an error that nobody was told of is told
// whoever syncs first (errseq_sample).
func (i *inode) lostSample() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.lost > 0 && !i.heard {
		return i.lost - 1
	}
	return i.lost
}

// lostSince tells each open file once that a write-back has failed, whoever asked for
// that (file_check_and_advance_wb_err).
func (f *file) lostSince() error {
	i := f.i
	i.mu.Lock()
	defer i.mu.Unlock()
	if f.told == i.lost {
		return nil
	}
	f.told, i.heard = i.lost, true
	return abi.EIO
}

// writeBack writes the pages that differ.
func (i *inode) writeBack() error {

	m := i.mem
	if m == nil || !m.writable || i.dead {
		return nil
	}
	a, b := make([]byte, pageSize), make([]byte, pageSize)
	for off := int64(0); off < i.size; off += pageSize {
		at, err := host.Lseek(m.fd, off, abi.SEEK_DATA)
		if err == abi.ENXIO || err == nil && at >= i.size {
			return nil // only holes follow
		}
		if err != nil {
			return err
		}
		off = at &^ (pageSize - 1)
		n, err := m.readAt(a, off, i.size)
		if err != nil {
			return err
		}
		if _, err := i.readData(b[:n], off); err != nil {
			return err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			// Not to the copy too: somebody may have stored there since.
			if _, err := i.writeTo(nil, a[:n], off, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeMapped writes back all files.
func (s *FS) writeMapped() error {
	s.inodeMu.Lock()
	var l []*inode
	for i := range s.mapped {
		l = append(l, i)
	}
	s.inodeMu.Unlock()
	var failed error
	for _, i := range l {
		if err := i.syncMem(); failed == nil {
			failed = err
		}
	}
	return failed
}

// releaseMem ends the copy of a file that nobody has open.
func (i *inode) releaseMem() {
	if i.mem == nil {
		return
	}
	if err := i.syncMem(); err != nil {
		i.s.log(printk.Err, "inode %d: write-back: %v", i.ino, err)
	}
	i.dropMem()
}

func (i *inode) dropMem() {
	if i.mem == nil {
		return
	}
	i.s.inodeMu.Lock()
	delete(i.s.mapped, i)
	i.s.inodeMu.Unlock()
	i.mem.close()
	i.mem = nil
}

// disjoint sorts pieces by their places and cuts off what is in two.
func disjoint(l []place) []place {
	slices.SortFunc(l, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.FD, b.FD), cmp.Compare(a.Off, b.Off), cmp.Compare(b.Len, a.Len))
	})
	out := l[:0]
	for _, p := range l {
		if k := len(out) - 1; k >= 0 && out[k].FD == p.FD {
			if cut := out[k].Off + out[k].Len - p.Off; cut > 0 {
				p.Off, p.Len, p.logical = p.Off+cut, p.Len-cut, p.logical+cut
			}
		}
		if p.Len > 0 {
			out = append(out, p)
		}
	}
	return out
}
