// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ProcFile reads file name of the host's /proc directory of process (or thread)
// pid; pid 0 means a file of /proc itself.
func ProcFile(pid int32, name string) ([]byte, error) {
	if pid == 0 {
		return os.ReadFile("/proc/" + name)
	}
	return os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/" + name)
}

// FileID gives the device (major, minor) and inode number of a host descriptor,
// as /proc/PID/maps shows them.
func FileID(fd int) (major, minor uint32, ino uint64, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, 0, 0, err
	}
	return unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino, nil
}
