// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"runtime"
	"sync"

	"lodger/abi"
	"lodger/host"
)

const (
	// copyChunk is how much of a file is copied at once.
	copyChunk = 1 << 20
	// copyMax bounds a copied file: beyond, mmap says ENODEV.
	copyMax = 16 << 30
)

// Copy holds those parts of a file in a memfd that somebody maps. The zero value
// holds nothing.
type Copy struct {
	mu   sync.Mutex
	fds  *copyFDs
	done map[int64]struct{} // chunks that are filled; guarded by mu
}

// copyFDs is apart from Copy so that a cleanup can hold it.
type copyFDs struct {
	fd int // for writing
	ro int // what guests get: nobody can write through it
}

func (c *copyFDs) close() {
	host.CloseFD(c.ro)
	host.CloseFD(c.fd)
}

// Mapped implements most of fs.Mapper for the file of size bytes that read reads. owner is the
// inode that c is in: with it the copy goes.
func Mapped[T any](c *Copy, owner *T, size, offset, length int64, read func(p []byte, off int64) (int, error)) (int, int64, error) {
	if size > copyMax {
		return -1, 0, abi.ENODEV
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fds == nil {
		f, err := newCopy(size)
		if err != nil {
			return -1, 0, err
		}
		c.fds, c.done = f, map[int64]struct{}{}
		runtime.AddCleanup(owner, (*copyFDs).close, f)
	}
	end := size
	if length < size-offset {
		end = offset + length
	}
	var buf []byte
	for at := offset / copyChunk; at*copyChunk < end; at++ {
		if _, ok := c.done[at]; ok {
			continue
		}
		if buf == nil {
			buf = make([]byte, copyChunk)
		}
		if err := c.fds.fill(buf, at*copyChunk, size, read); err != nil {
			return -1, 0, err
		}
		c.done[at] = struct{}{}
	}
	return c.fds.ro, offset, nil
}

func newCopy(size int64) (*copyFDs, error) {
	fd, err := host.MemfdCreate("rofs")
	if err != nil {
		return nil, err
	}
	f := &copyFDs{fd: fd, ro: -1}
	if err = host.Ftruncate(fd, size); err == nil {
		f.ro, err = host.Reopen(fd, abi.O_RDONLY)
	}
	if err != nil {
		host.CloseFD(fd)
		return nil, err
	}
	return f, nil
}

// fill copies one chunk; pages of zeroes stay holes.
func (c *copyFDs) fill(buf []byte, off, size int64, read func(p []byte, off int64) (int, error)) error {
	buf = buf[:min(int64(len(buf)), size-off)]
	for n := 0; n < len(buf); {
		m, err := read(buf[n:], off+int64(n))
		if err == nil && m == 0 {
			err = abi.EIO
		}
		if err != nil {
			return err
		}
		n += m
	}
	const page = 4096
	for n := 0; n < len(buf); {
		end := n
		for end < len(buf) && !allZero(buf[end:min(end+page, len(buf))]) {
			end = min(end+page, len(buf))
		}
		if end > n {
			if m, err := host.Pwrite(c.fd, buf[n:end], off+int64(n)); err != nil || m != end-n {
				return abi.ENOMEM
			}
		}
		n = end + page
	}
	return nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
