// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"lodger/abi"
	"lodger/block"
	"lodger/host"
)

// MapFD implements fs.Mapper: blkdev_mmap, of what lies in one host file as it is. That
// is a whole raw disk: abi.ENODEV for partitions, whose mapping could grow into the
// next one (mremap), for COW files, whose runs move, and for stores into the first
// bytes of a disk that drivers/ubd guards.
func (f *file) MapFD(off, n int64, write, shared, _ bool) (int, int64, error) {
	d := f.dev
	if shared && f.write && d.ReadOnly() { // generic_file_readonly_mmap
		return -1, 0, abi.EINVAL
	}
	disk := bottom(d.disk.Back())
	if d.part != 0 || d.disk.moves() || disk == nil || disk.Size() != d.Size() {
		return -1, 0, abi.ENODEV
	}
	// What is behind the end raises SIGBUS in the host's file as it does here.
	fd, err := lies(disk, off, min(n, d.Size()-off), write && shared)
	if err != nil {
		return -1, 0, err
	}
	if write && shared {
		return fd, off, nil
	}
	fd, err = f.reader(fd)
	return fd, off, err
}

// lies gives the host file in which n bytes from off on lie at their own offsets.
func lies(d block.Device, off, n int64, write bool) (fd int, err error) {
	// Also when all is behind the end some byte tells which file it is.
	for at, end := min(off, d.Size()-1), max(off+n, d.Size()); ; {
		r, err := block.Locate(d, at, end-at)
		if err != nil || r.Off != at || r.Len <= 0 || write && !r.Writable {
			return -1, abi.ENODEV
		}
		if at += r.Len; at >= off+n {
			return r.FD, nil
		}
	}
}

// reader gives a descriptor of fd's file that can only read, so that no mapping of it
// can be made writable. It is the open file's until it is closed.
func (f *file) reader(fd int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readFD < 0 {
		n, err := host.Reopen(fd, abi.O_RDONLY)
		if err != nil {
			return -1, abi.ENODEV
		}
		f.readFD = n
	}
	return f.readFD, nil
}
