// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bytes"
	"math"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// firstBite is how much of a path is read at first. Nearly every path is
// shorter, and the host copies a short piece faster than the rest of the page.
const firstBite = 256

// userPath reads a path name: EFAULT, ENAMETOOLONG.
func userPath(t *kernel.Task, addr uint64) (string, error) {
	var small [firstBite]byte
	toPageEnd := pageSize - addr&(pageSize-1)
	n, err := t.CopyInSome(addr, small[:min(firstBite, toPageEnd)])
	if err != nil {
		return "", err
	}
	if i := bytes.IndexByte(small[:n], 0); i >= 0 {
		return string(small[:i]), nil
	}
	b, err := userString(t, addr, abi.PATH_MAX)
	if err == abi.E2BIG {
		err = abi.ENAMETOOLONG
	}
	return string(b), err
}

// userString reads a string of at most most bytes, its NUL included; E2BIG when
// it is longer.
func userString(t *kernel.Task, addr uint64, most int) ([]byte, error) {
	b := make([]byte, most)
	n, err := t.CopyInSome(addr, b)
	if err != nil {
		return nil, err
	}
	i := bytes.IndexByte(b[:n], 0)
	switch {
	case i >= 0:
		return b[:i], nil
	case n < most:
		return nil, abi.EFAULT
	}
	return nil, abi.E2BIG
}

// atDir gives the directory that relative names of an *at call start from: the
// zero Path for AT_FDCWD and for absolute names, else that of the descriptor,
// which may be any file (AT_EMPTY_PATH). EBADF; a walk from what is no directory
// gives ENOTDIR.
func atDir(t *kernel.Task, dirfd int, name string) (fs.Path, error) {
	if dirfd == abi.AT_FDCWD || name != "" && name[0] == '/' {
		return fs.Path{}, nil
	}
	f, err := t.Files.Get(dirfd)
	if err != nil {
		return fs.Path{}, err
	}
	defer f.DecRef()
	return f.Path, nil
}

// userAt reads a path and finds where it starts.
func userAt(t *kernel.Task, dirfd int, addr uint64) (fs.Path, string, error) {
	name, err := userPath(t, addr)
	if err != nil {
		return fs.Path{}, "", err
	}
	dir, err := atDir(t, dirfd, name)
	return dir, name, err
}

// userAtEmpty is userAt for calls that take AT_EMPTY_PATH, which also allows a
// null path (Linux 6.11).
func userAtEmpty(t *kernel.Task, dirfd int, addr uint64, flags int) (fs.Path, string, error) {
	if addr == 0 && flags&abi.AT_EMPTY_PATH != 0 {
		dir, err := atDir(t, dirfd, "")
		return dir, "", err
	}
	return userAt(t, dirfd, addr)
}

// withFile runs f on the file of descriptor fd.
func withFile(t *kernel.Task, fd int, f func(*fs.File) error) (uint64, error) {
	file, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	err = f(file)
	file.DecRef()
	return 0, err
}

// decodeTimespec reads a struct timespec.
func decodeTimespec(b []byte) abi.Timespec {
	return abi.Timespec{Sec: int64(le.Uint64(b)), Nsec: int64(le.Uint64(b[8:]))}
}

// validTimespec is timespec64_valid.
func validTimespec(ts abi.Timespec) bool { return ts.Sec >= 0 && ts.Nsec >= 0 && ts.Nsec < 1e9 }

// timespecNano gives nanoseconds, at most half of what fits, so that a present
// time can be added.
func timespecNano(ts abi.Timespec) int64 {
	if ts.Sec >= math.MaxInt64/2/1_000_000_000 {
		return math.MaxInt64 / 2
	}
	return ts.Nano()
}

// userTimeout reads the struct timespec of a timeout into nanoseconds; set is
// false for a null pointer. EFAULT, EINVAL.
func userTimeout(t *kernel.Task, addr uint64) (ns int64, set bool, err error) {
	if addr == 0 {
		return 0, false, nil
	}
	var b [16]byte
	if err := t.CopyIn(addr, b[:]); err != nil {
		return 0, false, err
	}
	ts := decodeTimespec(b[:])
	if !validTimespec(ts) {
		return 0, false, abi.EINVAL
	}
	return timespecNano(ts), true, nil
}

// span is a run of guest memory.
type span struct {
	addr uint64
	len  uint64
}

const (
	iovMax = 1024
	// maxRW is MAX_RW_COUNT: no call moves more bytes.
	maxRW = math.MaxInt32 &^ (pageSize - 1)
)

// userIovec reads an array of struct iovec: EINVAL for too many or too long
// ones, EFAULT.
func userIovec(t *kernel.Task, addr, count uint64) ([]span, error) {
	if count > iovMax {
		return nil, abi.EINVAL
	}
	b := make([]byte, 16*count)
	if err := t.CopyIn(addr, b); err != nil {
		return nil, err
	}
	return decodeIovec(b)
}

// decodeIovec is __import_iovec of lib/iov_iter.c: lengths beyond MAX_RW_COUNT in
// all are cut off.
func decodeIovec(b []byte) ([]span, error) {
	v := make([]span, len(b)/16)
	total := uint64(0)
	for i := range v {
		s := span{le.Uint64(b[16*i:]), le.Uint64(b[16*i+8:])}
		if int64(s.len) < 0 {
			return nil, abi.EINVAL
		}
		if !userRange(s.addr, s.len) {
			return nil, abi.EFAULT
		}
		s.len = min(s.len, maxRW-total)
		total += s.len
		v[i] = s
	}
	return v, nil
}

// userRange is access_ok: whether a run of memory lies in user space.
func userRange(addr, n uint64) bool { return n <= taskSize && addr <= taskSize-n }
