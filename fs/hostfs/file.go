// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// file is an open regular file. It holds no host descriptor of its own until it
// is mapped.
type file struct {
	n     *node
	write bool

	mu   sync.Mutex
	maps []*handle // handles that mappings were made of; guarded by mu
}

// Open makes the file behind a node. The descriptor is opened here, to find out
// whether the host lets us, and stays in the cache.
func (n *node) Open(_ *fs.Context, path fs.Path, flags int) (fs.FileOps, error) {
	switch n.kind {
	case abi.S_IFDIR:
		return &dirFile{n: n}, nil
	case abi.S_IFREG:
	case abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO:
		return nil, abi.ENXIO
	default:
		return nil, abi.ENXIO
	}
	f := &file{n: n, write: flags&abi.O_ACCMODE != abi.O_RDONLY}
	h, err := n.acquire(f.write, false)
	if err != nil {
		if err == abi.ESTALE {
			err = abi.ENOENT
		}
		return nil, err
	}
	n.fs.fds.put(h)
	if f.write {
		n.mu.Lock()
		n.writers++
		n.mu.Unlock()
	}
	return f, nil
}

// ReadAt reads.
func (f *file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) {
	h, err := f.n.acquire(false, false)
	if err != nil {
		return 0, err
	}
	defer f.n.fs.fds.put(h)
	return host.Pread(h.fd, p, off)
}

// WriteAt writes.
func (f *file) WriteAt(_ *fs.Context, p []byte, off int64) (int, error) {
	h, err := f.n.acquire(true, false)
	if err != nil {
		return 0, err
	}
	defer f.n.fs.fds.put(h)
	defer f.n.stale()
	return host.Pwrite(h.fd, p, off)
}

// Append writes at the end.
func (f *file) Append(_ *fs.Context, p []byte) (int, int64, error) {
	h, err := f.n.acquire(true, false)
	if err != nil {
		return 0, 0, err
	}
	defer f.n.fs.fds.put(h)
	defer f.n.stale()
	return host.Append(h.fd, p)
}

// MapFD gives a descriptor that stays open until Release.
func (f *file) MapFD(offset, _ int64, write, shared, exec bool) (int, int64, error) {
	if exec && f.n.fs.noexec && !(write && shared) {
		fd, err := f.n.execFD()
		return fd, offset, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	want := write && shared
	for _, h := range f.maps {
		if h.write == want {
			return h.fd, offset, nil
		}
	}
	h, err := f.n.acquire(want, true)
	if err != nil {
		return -1, 0, err
	}
	f.maps = append(f.maps, h)
	return h.fd, offset, nil
}

// SeekData finds data or a hole.
func (f *file) SeekData(off int64, hole bool) (int64, error) {
	h, err := f.n.acquire(false, false)
	if err != nil {
		return 0, err
	}
	defer f.n.fs.fds.put(h)
	if hole {
		return host.Lseek(h.fd, off, abi.SEEK_HOLE)
	}
	return host.Lseek(h.fd, off, abi.SEEK_DATA)
}

// Fallocate passes on to the host.
func (f *file) Fallocate(_ *fs.Context, mode int, off, length int64) error {
	h, err := f.n.acquire(true, false)
	if err != nil {
		return err
	}
	defer f.n.fs.fds.put(h)
	defer f.n.stale()
	return host.Fallocate(h.fd, uint32(mode), off, length)
}

// Fsync passes on to the host.
func (f *file) Fsync(_ *fs.Context, dataOnly bool) error {
	h, err := f.n.acquire(f.write, false)
	if err != nil {
		return err
	}
	defer f.n.fs.fds.put(h)
	return host.Fsync(h.fd, dataOnly)
}

// BorrowFD lends the host descriptor, for copies within the host.
func (f *file) BorrowFD(write bool) (fd int, done func(), err error) {
	h, err := f.n.acquire(write, false)
	if err != nil {
		return -1, nil, err
	}
	return h.fd, func() { f.n.fs.fds.put(h) }, nil
}

// Release gives the descriptors back.
func (f *file) Release() {
	for _, h := range f.maps {
		f.n.fs.fds.put(h)
	}
	f.maps = nil
	if f.write {
		f.n.mu.Lock()
		f.n.writers--
		f.n.mu.Unlock()
	}
}
