// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"bytes"
	"runtime"

	"lodger/abi"
	"lodger/host"
)

const pageSize = 4096

// memCopy is a memfd that stands for a file whose pages cannot be mapped from
// the device: blocks smaller than a page, holes, several runs, a device that is
// no host file. While it is there, reads come from it; writes go to both; what
// mappings stored is written back at sync and at the last close. Guarded by
// FS.mu; stores of mappings are nobody's to guard.
type memCopy struct {
	fd       int
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

// reload fills the copy from the device anew.
func (m *memCopy) reload(i *inode) error {
	if err := host.Ftruncate(m.fd, 0); err != nil {
		return err
	}
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
	err := i.runs(0, i.s.es.blocksIn(i.size), func(r Run) bool { // holes are holes of the copy too
		if !r.Unwritten {
			failed = fill(int64(r.Logical)*bs, min(int64(r.Logical+r.Len)*bs, i.size))
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// openFile makes an open file.
func (i *inode) openFile(flags int) (*file, error) {
	write := flags&abi.O_ACCMODE != abi.O_RDONLY
	switch {
	case write && i.is(flImmutable):
		return nil, abi.EPERM
	case write && i.is(flAppend) && flags&abi.O_APPEND == 0, i.is(flAppend) && flags&abi.O_TRUNC != 0:
		return nil, abi.EPERM
	}
	return &file{i: i, write: write, sync: flags&abi.O_SYNC == abi.O_SYNC, dsync: flags&abi.O_DSYNC != 0}, nil
}

// MapFD gives the device's own host file where [offset, offset+length) is one
// run of it, and the memory copy elsewhere.
func (f *file) MapFD(offset, length int64, write, shared, _ bool) (int, int64, error) {
	i := f.i
	s := i.s
	s.mu.Lock()
	defer s.mu.Unlock()
	store := write && shared
	if i.mem == nil && !i.is(flInlineData) && !i.logged() {
		if fd, at, ok := i.direct(offset, length, store); ok {
			return fd, at, nil
		}
	}
	if i.mem == nil {
		fd, err := host.MemfdCreate("ext4")
		if err != nil {
			return -1, 0, err
		}
		m := &memCopy{fd: fd}
		if err := m.reload(i); err != nil {
			host.CloseFD(fd)
			return -1, 0, err
		}
		i.mem = m
		runtime.AddCleanup(i, func(m *memCopy) { m.close() }, m)
	}
	if store && !i.mem.writable {
		i.mem.writable = true
		s.inodeMu.Lock()
		s.mapped[i] = struct{}{}
		s.inodeMu.Unlock()
	}
	return i.mem.fd, offset, nil
}

// direct finds the place of whole pages on the host. What a mapping stores behind
// the file's end, in its last block, is made zero when the file grows
// (zeroTail).
func (i *inode) direct(offset, length int64, write bool) (fd int, at int64, ok bool) {
	r, is := i.s.dev.(HostRanger)
	bs := int64(i.s.es.blockSize)
	length = (length + pageSize - 1) &^ (pageSize - 1)
	if !is || bs < pageSize || offset%bs != 0 || length <= 0 || offset > i.roundUp(i.size)-length {
		return -1, 0, false
	}
	n := divUp(uint64(length), uint64(bs))
	run, err := i.mapBlocks(uint32(offset/bs), uint32(n))
	if err != nil || run.Physical == noPhys || run.Unwritten || run.Len < n {
		return -1, 0, false
	}
	fd, at, have, ok := r.HostRange(int64(run.Physical)*bs, length, write)
	if !ok || have < length || at%pageSize != 0 {
		return -1, 0, false
	}
	i.stored = i.stored || write
	return fd, at, true
}

// zeroTail clears what mappings may have stored behind the end of a file that is
// about to grow.
func (i *inode) zeroTail(h *handle) error {
	if !i.stored {
		return nil
	}
	return i.zeroRange(h, i.size, i.roundUp(i.size))
}

func (m *memCopy) close() {
	if m.fd >= 0 {
		host.CloseFD(m.fd)
		m.fd = -1
	}
}

// syncMem writes back what mappings stored: the pages that differ. FS.mu is held
// for writing.
func (i *inode) syncMem() error {
	m := i.mem
	if m == nil || !m.writable || i.dead {
		return nil
	}
	a, b := make([]byte, pageSize), make([]byte, pageSize)
	for off := int64(0); off < i.size; off += pageSize {
		at, err := host.Lseek(m.fd, off, abi.SEEK_DATA)
		if err != nil || at >= i.size {
			return nil // ENXIO: only holes follow
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
			if _, err := i.write(nil, a[:n], off); err != nil {
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
	for _, i := range l {
		if err := i.syncMem(); err != nil {
			return err
		}
	}
	return nil
}

// releaseMem ends the copy of a file that nobody has open.
func (i *inode) releaseMem() {
	if i.mem == nil {
		return
	}
	if err := i.syncMem(); err != nil {
		i.s.log("inode %d: write-back: %v", i.ino, err)
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
