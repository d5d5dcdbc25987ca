// SPDX-License-Identifier: Apache-2.0

package host

import (
	"golang.org/x/sys/unix"
)

// Files that hold disks: opened by the user's own paths, locked as UML locks
// them, punched and searched for holes.

// OpenPath opens a file of the host by its path, as the user names it on the
// command line: links are followed, O_CLOEXEC and O_NOCTTY are added.
func OpenPath(path string, flags int, mode uint32) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_LARGEFILE, mode)
		return err
	})
	return fd, err
}

// LockFile locks a whole file, for writing or reading, without waiting. holder is
// the process that has a lock in the way, 0 when the host does not say (open file
// description locks have no process). EAGAIN: somebody has.
//
// UML takes POSIX locks (os_lock_file in arch/um/os-Linux/file.c). Lodger takes
// open file description locks: they conflict with UML's in the same way, but also
// between two guests of one process, and survive the closing of another
// descriptor of the file.
func LockFile(fd int, write bool) (holder int, err error) {
	lk := unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET}
	if write {
		lk.Type = unix.F_WRLCK
	}
	probe := lk
	err = retry(func() error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lk) })
	if err == unix.EACCES {
		err = unix.EAGAIN // either may come, fcntl(2)
	}
	if err == unix.EAGAIN {
		if unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &probe) == nil && probe.Type != unix.F_UNLCK && probe.Pid > 0 {
			holder = int(probe.Pid)
		}
	}
	return holder, err
}

// PunchHole deallocates a run of a file or discards it on a block device; it reads
// as zeroes afterwards. The size stays.
func PunchHole(fd int, off, length int64) error {
	return Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
}

// ZeroRange makes a run read as zeroes and keeps it allocated where it can.
func ZeroRange(fd int, off, length int64) error {
	return Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, off, length)
}

// SeekData finds the next data at or after off; ok is false when only a hole
// follows. A file system that knows no holes says that all is data.
func SeekData(fd int, off int64) (pos int64, ok bool, err error) {
	pos, err = unix.Seek(fd, off, unix.SEEK_DATA)
	switch err {
	case nil:
		return pos, true, nil
	case unix.ENXIO:
		return 0, false, nil
	case unix.EINVAL: // block devices
		return off, true, nil
	}
	return 0, false, err
}

// SeekHole finds the next hole at or after off; the end of the file is one.
func SeekHole(fd int, off int64) (int64, error) {
	pos, err := unix.Seek(fd, off, unix.SEEK_HOLE)
	if err == unix.EINVAL {
		return unix.Seek(fd, 0, unix.SEEK_END)
	}
	return pos, err
}

// FileSize is the size of a regular file or block device.
func FileSize(fd int) (int64, error) { return unix.Seek(fd, 0, unix.SEEK_END) }
