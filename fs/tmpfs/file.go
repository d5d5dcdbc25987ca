// SPDX-License-Identifier: Apache-2.0

package tmpfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// file is an open regular file.
type file struct{ inode *inode }

// Open makes the file behind an inode.
func (i *inode) Open(ctx *fs.Context, _ fs.Path, _ int) (fs.FileOps, error) {
	switch i.kind {
	case abi.S_IFDIR:
		return dirFile{i}, nil
	case abi.S_IFREG:
		return file{i}, nil
	}
	return nil, abi.ENXIO
}

// ReadAt reads.
func (f file) ReadAt(_ *fs.Context, p []byte, off int64) (int, error) {
	i := f.inode
	i.mu.Lock()
	if off >= i.attr.Size {
		i.mu.Unlock()
		return 0, nil
	}
	if i.mem == nil {
		defer i.mu.Unlock()
		return copy(p, i.data[off:]), nil
	}
	fd := i.mem.fd
	p = p[:min(int64(len(p)), i.attr.Size-off)]
	i.mu.Unlock()
	// The open file pins the memfd; only the size may change meanwhile.
	return host.Pread(fd, p, off)
}

// WriteAt writes.
func (f file) WriteAt(ctx *fs.Context, p []byte, off int64) (int, error) {
	f.inode.mu.Lock()
	defer f.inode.mu.Unlock()
	return f.inode.write(ctx, p, off)
}

// Append writes at the end.
func (f file) Append(ctx *fs.Context, p []byte) (int, int64, error) {
	i := f.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	n, err := i.write(ctx, p, i.attr.Size)
	return n, i.attr.Size, err
}

// write is WriteAt with mu held.
func (i *inode) write(ctx *fs.Context, p []byte, off int64) (int, error) {
	if i.seals&(abi.F_SEAL_WRITE|abi.F_SEAL_FUTURE_WRITE) != 0 {
		return 0, abi.EPERM
	}
	end := off + int64(len(p))
	if end > i.attr.Size && i.seals&abi.F_SEAL_GROW != 0 {
		if off >= i.attr.Size {
			return 0, abi.EPERM
		}
		p = p[:i.attr.Size-off]
		end = i.attr.Size
	}
	if i.mem == nil && end > smallMax {
		if err := i.promote(); err != nil {
			return 0, err
		}
	}
	var err error
	if i.mem == nil {
		err = i.writeSmall(p, off)
	} else {
		p, err = i.writeMem(p, off)
	}
	if err != nil {
		return 0, err
	}
	now := ctx.Time()
	i.attr.Size = max(i.attr.Size, off+int64(len(p)))
	i.attr.Mtime, i.attr.Ctime = now, now
	return len(p), nil
}

func (i *inode) writeSmall(p []byte, off int64) error {
	end := off + int64(len(p))
	if end > int64(len(i.data)) {
		if err := i.chargeTo(pages(end)); err != nil {
			return err
		}
		i.extend(int(end))
	}
	copy(i.data[off:], p)
	return nil
}

// extend grows data to n bytes of which the new ones are zero; mu is held.
func (i *inode) extend(n int) {
	old := len(i.data)
	if n <= cap(i.data) {
		i.data = i.data[:n]
		clear(i.data[old:])
		return
	}
	c := max(n, min(2*cap(i.data), smallMax), 64)
	d := make([]byte, n, c)
	copy(d, i.data)
	i.data = d
}

// chargeTo makes the charge n bytes; mu is held.
func (i *inode) chargeTo(n int64) error {
	if n == i.alloc {
		return nil
	}
	if err := i.fs.charge(n - i.alloc); err != nil {
		return err
	}
	i.alloc = n
	return nil
}

// writeMem writes to the memfd what the size limit admits; mu is held.
func (i *inode) writeMem(p []byte, off int64) ([]byte, error) {
	end := off + int64(len(p))
	if off > i.attr.Size {
		i.sparse = true
	}
	if !i.sparse {
		if end > i.alloc {
			i.alloc += i.fs.chargeSome(pages(end) - i.alloc)
			if i.alloc <= off {
				return nil, abi.ENOSPC
			}
			p = p[:min(int64(len(p)), i.alloc-off)]
		}
	} else if err := i.fs.charge(pages(int64(len(p)))); err != nil {
		return nil, err
	} else {
		i.fs.charge(-pages(int64(len(p))))
	}
	n, err := host.Pwrite(i.mem.fd, p, off)
	if i.sparse {
		i.recount()
	}
	return p[:n], err
}

// promote moves the bytes to a memfd; mu is held.
func (i *inode) promote() error {
	if i.mem != nil {
		return nil
	}
	m, err := newMemfile("lodger")
	if err != nil {
		return abi.ENOSPC
	}
	if len(i.data) > 0 {
		if _, err := host.Pwrite(m.fd, i.data, 0); err != nil {
			m.close()
			return err
		}
	}
	if i.attr.Size > int64(len(i.data)) {
		host.Ftruncate(m.fd, i.attr.Size)
	}
	i.ownMem(m)
	i.data = nil
	return nil
}

// resize truncates or extends; mu is held.
func (i *inode) resize(n int64) error {
	if i.dead { // unlinked after the caller found it
		return abi.ENOENT
	}
	old := i.attr.Size
	if n < old && i.seals&abi.F_SEAL_SHRINK != 0 || n > old && i.seals&abi.F_SEAL_GROW != 0 {
		return abi.EPERM
	}
	if i.mem == nil && n > smallMax {
		if err := i.promote(); err != nil {
			return err
		}
	}
	if i.mem == nil {
		if n < old {
			i.data = i.data[:n]
			if cap(i.data) > 4096 && n < int64(cap(i.data)/2) {
				i.data = append([]byte(nil), i.data...)
			}
		}
		if err := i.chargeTo(pages(n)); err != nil {
			return err
		}
		i.extend(int(n))
	} else {
		if err := host.Ftruncate(i.mem.fd, n); err != nil {
			return err
		}
		if n > old {
			i.sparse = true
		}
		i.attr.Size = n
		if i.sparse {
			i.recount()
		} else {
			i.chargeTo(pages(n))
		}
	}
	i.attr.Size = n
	return nil
}

// MapFD gives the memfd.
func (f file) MapFD(offset, _ int64, write, shared, _ bool) (int, int64, error) {
	i := f.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	if shared && write && i.seals&(abi.F_SEAL_WRITE|abi.F_SEAL_FUTURE_WRITE) != 0 {
		return -1, 0, abi.EPERM
	}
	if err := i.promote(); err != nil {
		return -1, 0, err
	}
	if shared && write {
		i.maps = true
		i.sparse = true // the mapping may fill holes
		return i.mem.fd, offset, nil
	}
	if i.mem.ro < 0 {
		fd, err := host.Reopen(i.mem.fd, abi.O_RDONLY)
		if err != nil {
			return -1, 0, abi.EACCES
		}
		i.mem.ro = fd
	}
	return i.mem.ro, offset, nil
}

// BorrowFD lends the memfd; a small file has none to read from.
func (f file) BorrowFD(write bool) (int, func(), error) {
	i := f.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	if write {
		if err := i.promote(); err != nil {
			return -1, nil, err
		}
	}
	if i.mem == nil {
		return -1, nil, abi.EINVAL
	}
	return i.mem.fd, func() {}, nil
}

// SeekData finds data or a hole.
func (f file) SeekData(off int64, hole bool) (int64, error) {
	i := f.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.mem == nil {
		if hole {
			return i.attr.Size, nil
		}
		return off, nil
	}
	whence := abi.SEEK_DATA
	if hole {
		whence = abi.SEEK_HOLE
	}
	return host.Lseek(i.mem.fd, off, whence)
}

// Fallocate allocates, punches and zeroes; as on Linux tmpfs knows no collapse
// and no insert.
func (f file) Fallocate(ctx *fs.Context, mode int, off, length int64) error {
	if mode&^(abi.FALLOC_FL_KEEP_SIZE|abi.FALLOC_FL_PUNCH_HOLE) != 0 {
		return abi.EOPNOTSUPP
	}
	i := f.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	end := off + length
	punch := mode&abi.FALLOC_FL_PUNCH_HOLE != 0
	if punch {
		if i.seals&(abi.F_SEAL_WRITE|abi.F_SEAL_FUTURE_WRITE) != 0 {
			return abi.EPERM
		}
	} else {
		if mode&abi.FALLOC_FL_KEEP_SIZE == 0 && end > i.attr.Size && i.seals&abi.F_SEAL_GROW != 0 {
			return abi.EPERM
		}
		// The host knows no limit of ours: it must not be asked for more.
		need := max(pages(end)-i.alloc, 0)
		if i.sparse || off > i.attr.Size {
			need = pages(length) + pageSize
		}
		if err := i.fs.charge(need); err != nil {
			return err
		}
		i.fs.charge(-need)
	}
	if err := i.promote(); err != nil {
		return err
	}
	if err := host.Fallocate(i.mem.fd, uint32(mode), off, length); err != nil {
		return err
	}
	if !punch && mode&abi.FALLOC_FL_KEEP_SIZE == 0 {
		i.attr.Size = max(i.attr.Size, end)
	}
	i.sparse = true
	i.recount()
	now := ctx.Time()
	i.attr.Mtime, i.attr.Ctime = now, now
	return nil
}
