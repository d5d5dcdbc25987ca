// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is the host's memory in bytes.
type Memory struct{ Total, Free, Available, Shared, Buffers, Cached uint64 }

// ReadMemory reads /proc/meminfo, or sysinfo(2) where there is none.
func ReadMemory() Memory {
	var m Memory
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		var s unix.Sysinfo_t
		_ = unix.Sysinfo(&s)
		u := uint64(s.Unit)
		return Memory{Total: s.Totalram * u, Free: s.Freeram * u, Available: s.Freeram * u, Shared: s.Sharedram * u, Buffers: s.Bufferram * u}
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseUint(f[1], 10, 64)
		n *= 1024
		switch f[0] {
		case "MemTotal:":
			m.Total = n
		case "MemFree:":
			m.Free = n
		case "MemAvailable:":
			m.Available = n
		case "Shmem:":
			m.Shared = n
		case "Buffers:":
			m.Buffers = n
		case "Cached:":
			m.Cached = n
		}
	}
	return m
}

// LoadAvg is the host's load average over 1, 5 and 15 minutes.
func LoadAvg() (l [3]float64) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return l
	}
	for i, f := range strings.Fields(string(b)) {
		if i < 3 {
			l[i], _ = strconv.ParseFloat(f, 64)
		}
	}
	return l
}

// VMA is one line of a process's maps file.
type VMA struct {
	Start, End uint64
	Perms      string // "rwxp"
	Off        uint64
	Name       string
	Ino        uint64
}

// Maps reads a process's mappings.
func Maps(pid int32) ([]VMA, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/maps")
	if err != nil {
		return nil, err
	}
	var out []VMA
	sc := bufio.NewScanner(bytes.NewReader(b))
	for sc.Scan() {
		var v VMA
		f := strings.Fields(sc.Text())
		if len(f) < 5 {
			continue
		}
		lo, hi, _ := strings.Cut(f[0], "-")
		v.Start, _ = strconv.ParseUint(lo, 16, 64)
		v.End, _ = strconv.ParseUint(hi, 16, 64)
		v.Perms = f[1]
		v.Off, _ = strconv.ParseUint(f[2], 16, 64)
		v.Ino, _ = strconv.ParseUint(f[4], 10, 64)
		if len(f) > 5 {
			v.Name = strings.Join(f[5:], " ")
		}
		out = append(out, v)
	}
	return out, nil
}

// Mapped reports whether every page of a range is mapped in a process.
func Mapped(pid int32, addr, length uint64) bool {
	maps, err := Maps(pid)
	if err != nil {
		return false
	}
	for _, v := range maps {
		if v.End > addr && v.Start <= addr {
			if v.End >= addr+length {
				return true
			}
			length -= v.End - addr
			addr = v.End
		}
	}
	return length == 0
}

// Random fills b with random bytes.
func Random(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Getrandom(b, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// DescribeFD tells what kind of file a descriptor is: its mode and a name in the
// style of /proc/PID/fd, in which %d stands for a number.
func DescribeFD(fd int) (name string, mode uint32) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return "host:[%d]", unix.S_IFIFO | 0o600
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return "pipe:[%d]", st.Mode
	case unix.S_IFSOCK:
		return "socket:[%d]", st.Mode
	}
	return "host:[%d]", st.Mode
}

// OpenFile opens a host file for reading; the path is Lodger's own.
func OpenFile(path string) (int, error) {
	return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
}
