// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapID names a file as /proc/PID/maps does. On file systems with many devices of
// their own (btrfs, overlayfs) that is not what stat says.
type MapID struct {
	Dev string
	Ino uint64
}

// Mapping is one line of /proc/PID/maps that is of a file.
type Mapping struct {
	Start, End uint64
	R, W, X    bool
	Shared     bool
	Off        uint64
	ID         MapID
}

// Mappings lists the mappings of files of process pid. A process that is gone, or
// about to go, has none.
func Mappings(pid int32) ([]Mapping, error) {
	b, err := ProcFile(pid, "maps")
	if err == unix.ENOENT || os.IsNotExist(err) || err == unix.ESRCH {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Mapping
	for line := range strings.Lines(string(b)) {
		if m, ok := parseMapping(line); ok {
			out = append(out, m)
		}
	}
	return out, nil
}

// parseMapping reads "start-end perms offset dev inode path".
func parseMapping(line string) (m Mapping, ok bool) {
	var f [5]string
	rest := line
	for i := range f {
		f[i], rest, ok = strings.Cut(rest, " ")
		if !ok && i < len(f)-1 {
			return m, false
		}
	}
	f[4] = strings.TrimRight(f[4], "\n")
	lo, hi, _ := strings.Cut(f[0], "-")
	if len(f[1]) < 4 {
		return m, false
	}
	var err [4]error
	m.Start, err[0] = strconv.ParseUint(lo, 16, 64)
	m.End, err[1] = strconv.ParseUint(hi, 16, 64)
	m.Off, err[2] = strconv.ParseUint(f[2], 16, 64)
	m.ID.Ino, err[3] = strconv.ParseUint(f[4], 10, 64)
	m.ID.Dev = f[3]
	m.R, m.W, m.X, m.Shared = f[1][0] == 'r', f[1][1] == 'w', f[1][2] == 'x', f[1][3] == 's'
	return m, err == [4]error{} && m.ID.Ino != 0
}

// MapIDOf finds out how a file's mappings are named, by mapping a page of it.
func MapIDOf(fd int) (MapID, error) {
	p, err := unix.Mmap(fd, 0, pageBytes, unix.PROT_NONE, unix.MAP_SHARED)
	if err != nil {
		return MapID{}, err
	}
	defer unix.Munmap(p)
	// SAFETY: only the number is used, of memory that stays mapped until we return.
	// WHY: maps names mappings by address.
	at := uint64(uintptr(unsafe.Pointer(&p[0])))
	l, err := Mappings(int32(os.Getpid()))
	if err != nil {
		return MapID{}, err
	}
	for _, m := range l {
		if m.Start <= at && at < m.End {
			return m.ID, nil
		}
	}
	return MapID{}, unix.ENOENT
}

// MayWrite tells of each mapping of process pid, by its first address, whether
// mprotect(2) can make it writable: a shared one was made by a descriptor that is open
// for writing then.
func MayWrite(pid int32) (map[uint64]bool, error) {
	b, err := ProcFile(pid, "smaps")
	if err != nil {
		return nil, err
	}
	out, at := map[uint64]bool{}, uint64(0)
	for line := range strings.Lines(string(b)) {
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok {
			out[at] = strings.Contains(flags, " mw")
		} else if lo, _, ok := strings.Cut(line, "-"); ok && !strings.Contains(lo, ":") {
			at, _ = strconv.ParseUint(lo, 16, 64)
		}
	}
	return out, nil
}

const pageBytes = 4096

// PrivatePages tells which of n pages from addr on of a private mapping process pid
// has copies of its own of.
func PrivatePages(pid int32, addr uint64, n int) ([]bool, error) {
	// Documentation/admin-guide/mm/pagemap.rst
	const filePage, swapped, present = 1 << 61, 1 << 62, 1 << 63
	fd, err := unix.Open("/proc/"+strconv.Itoa(int(pid))+"/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 8*n)
	for done := 0; done < len(buf); {
		m, err := unix.Pread(fd, buf[done:], int64(addr/pageBytes)*8+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return nil, unix.EIO
		}
		done += m
	}
	out := make([]bool, n)
	for i := range out {
		w := binary.LittleEndian.Uint64(buf[8*i:])
		out[i] = w&filePage == 0 && w&(present|swapped) != 0
	}
	return out, nil
}
