// SPDX-License-Identifier: Apache-2.0

package host

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Every path here is a single component below a held directory descriptor (or
// "." and "", the directory itself): hostfs never hands a longer path to the
// host, so no symbolic link and no ".." of a hostile tree is ever followed.

// nameBuf holds a component and its NUL; NAME_MAX is 255.
type nameBuf [264]byte

// set copies name; ENAMETOOLONG when it is longer than a component can be.
func (b *nameBuf) set(name string) error {
	if len(name) > 255 {
		return unix.ENAMETOOLONG
	}
	n := copy(b[:], name)
	b[n] = 0
	return nil
}

// FileStat is what the host tells about a file.
type FileStat struct {
	Dev, Ino, Rdev             uint64 // device numbers in makedev form
	Mode, Nlink, UID, GID      uint32
	Blksize                    uint32
	Size                       int64
	Blocks                     uint64   // 512 bytes each
	Atime, Mtime, Ctime, Btime [2]int64 // seconds, nanoseconds
}

// StatAt is statx of the component name in dirfd, links not followed; an empty
// name means the descriptor itself.
func StatAt(dirfd int, name string, st *FileStat) error {
	var b nameBuf
	if err := b.set(name); err != nil {
		return err
	}
	var x unix.Statx_t
	flags := uintptr(unix.AT_SYMLINK_NOFOLLOW | unix.AT_EMPTY_PATH | unix.AT_NO_AUTOMOUNT)
	for {
		// SAFETY: b is a NUL-ended copy of the name and x a whole struct statx; both
		// live over the call.
		_, _, e := unix.RawSyscall6(unix.SYS_STATX, uintptr(dirfd), uintptr(unsafe.Pointer(&b)), flags,
			unix.STATX_BASIC_STATS|unix.STATX_BTIME, uintptr(unsafe.Pointer(&x)), 0)
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			return e
		}
		break
	}
	*st = FileStat{
		Dev: unix.Mkdev(x.Dev_major, x.Dev_minor), Ino: x.Ino, Rdev: unix.Mkdev(x.Rdev_major, x.Rdev_minor),
		Mode: uint32(x.Mode), Nlink: x.Nlink, UID: x.Uid, GID: x.Gid, Blksize: x.Blksize, Size: int64(x.Size), Blocks: x.Blocks,
		Atime: [2]int64{x.Atime.Sec, int64(x.Atime.Nsec)}, Mtime: [2]int64{x.Mtime.Sec, int64(x.Mtime.Nsec)},
		Ctime: [2]int64{x.Ctime.Sec, int64(x.Ctime.Nsec)}, Btime: [2]int64{x.Btime.Sec, int64(x.Btime.Nsec)},
	}
	return nil
}

// OpenAt opens the component name in dirfd. O_NOFOLLOW, O_CLOEXEC, O_NOCTTY and
// O_NONBLOCK are added: opening never waits and never follows a link.
func OpenAt(dirfd int, name string, flags int, mode uint32) (int, error) {
	var b nameBuf
	if err := b.set(name); err != nil {
		return -1, err
	}
	flags |= unix.O_NOFOLLOW | unix.O_CLOEXEC
	if flags&unix.O_PATH == 0 {
		flags |= unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_LARGEFILE
	}
	for {
		// SAFETY: b is a NUL-ended copy of the name that lives over the call.
		fd, _, e := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(dirfd), uintptr(unsafe.Pointer(&b)), uintptr(flags), uintptr(mode), 0, 0)
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			return -1, e
		}
		return int(fd), nil
	}
}

// OpenDir opens a directory of the host by its path, as a root for hostfs. The
// path is the user's own, from the command line, and links in it are followed.
func OpenDir(path string) (int, error) {
	return unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// CloseFD closes a descriptor.
func CloseFD(fd int) error { return unix.Close(fd) }

// Pread reads at an offset, until p is full or the file ends.
func Pread(fd int, p []byte, off int64) (int, error) {
	return rw(unix.SYS_PREAD64, fd, p, off)
}

// Pwrite writes at an offset; a short count has no error.
func Pwrite(fd int, p []byte, off int64) (int, error) {
	return rw(unix.SYS_PWRITE64, fd, p, off)
}

// rw moves all of p; what was moved before an error counts.
func rw(nr uintptr, fd int, p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		// SAFETY: p[done] exists, and the length is what follows it in p.
		n, _, e := unix.RawSyscall6(nr, uintptr(fd), uintptr(unsafe.Pointer(&p[done])), uintptr(len(p)-done), uintptr(off+int64(done)), 0, 0)
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			if done > 0 {
				return done, nil
			}
			return 0, e
		}
		if n == 0 {
			break
		}
		done += int(n)
	}
	runtime.KeepAlive(p)
	return done, nil
}

// Append writes at the end of file whatever its flags (RWF_APPEND); end is the
// size afterwards.
func Append(fd int, p []byte) (n int, end int64, err error) {
	for {
		n, err = unix.Pwritev2(fd, [][]byte{p}, 0, 0x10) // RWF_APPEND
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return 0, 0, err
	}
	var st FileStat
	if err := StatAt(fd, "", &st); err != nil {
		return n, 0, err
	}
	return n, st.Size, nil
}

// Lseek is lseek; only useful for SEEK_DATA and SEEK_HOLE.
func Lseek(fd int, off int64, whence int) (int64, error) { return unix.Seek(fd, off, whence) }

// Ftruncate sets a file's size.
func Ftruncate(fd int, size int64) error {
	return retry(func() error { return unix.Ftruncate(fd, size) })
}

// Fallocate is fallocate.
func Fallocate(fd int, mode uint32, off, length int64) error {
	return retry(func() error { return unix.Fallocate(fd, mode, off, length) })
}

// Fsync writes a file back.
func Fsync(fd int, dataOnly bool) error {
	if dataOnly {
		return retry(func() error { return unix.Fdatasync(fd) })
	}
	return retry(func() error { return unix.Fsync(fd) })
}

// CopyRange copies between two descriptors within the host; a short count has
// no error.
func CopyRange(out int, outOff int64, in int, inOff int64, n int64) (int64, error) {
	done := int64(0)
	for done < n {
		i, o := inOff+done, outOff+done
		c, err := unix.CopyFileRange(in, &i, out, &o, int(min(n-done, 1<<30)), 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || c == 0 {
			return done, err
		}
		done += int64(c)
	}
	return done, nil
}

func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// MemfdCreate makes a memory file.
func MemfdCreate(name string) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|mfdExec)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	return fd, err
}

// mfdExec is MFD_EXEC: files of a tmpfs can be mapped executable.
const mfdExec = 0x10

// AddSeals is F_ADD_SEALS.
func AddSeals(fd int, seals int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return err
}

// Reopen gives a new description of the file behind fd with other access; it
// needs the host's /proc.
func Reopen(fd int, flags int) (int, error) {
	return unix.Open("/proc/self/fd/"+itoa(fd), flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
}

func itoa(n int) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// FDLimit raises the soft limit of descriptors to the hard one and gives it.
func FDLimit() int {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return 1024
	}
	if r.Cur < r.Max {
		n := r
		n.Cur = n.Max
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &n) == nil {
			r = n
		}
	}
	return int(min(r.Cur, 1<<30))
}

// TotalMemory gives the host's memory in bytes.
func TotalMemory() int64 {
	var si unix.Sysinfo_t
	if unix.Sysinfo(&si) != nil {
		return 1 << 30
	}
	return int64(si.Totalram) * int64(si.Unit)
}

// SendFile copies n bytes from the start of in to the start of out, within the
// host. It moves out's file offset. A short count has no error.
func SendFile(out, in int, n int64) (int64, error) {
	if _, err := unix.Seek(out, 0, unix.SEEK_SET); err != nil {
		return 0, err
	}
	off := int64(0)
	for off < n {
		c, err := unix.Sendfile(out, in, &off, int(min(n-off, 1<<30)))
		if err == unix.EINTR {
			continue
		}
		if err != nil || c == 0 {
			return off, err
		}
	}
	return off, nil
}

// GrowFDTable makes room for n descriptors at once, by a copy of from. Each later doubling of a
// shared table would cost whoever opens a file an RCU grace period (15 ms and
// more); this costs the caller one.
func GrowFDTable(from, n int) {
	fd, err := unix.FcntlInt(uintptr(from), unix.F_DUPFD_CLOEXEC, n)
	if err == nil {
		unix.Close(fd)
	}
}
