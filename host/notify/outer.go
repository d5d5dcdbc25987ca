// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"maps"
	"os"

	"golang.org/x/sys/unix"
)

// oftenRefused are calls that container managers' seccomp profiles refuse with an
// errno. A refusal goes before our notification, so guests would get the
// container's EPERM; a trap goes before the refusal.
var oftenRefused = [...]int{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_REBOOT, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_ACCT,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_QUOTACTL, unix.SYS_PTRACE, unix.SYS_SYSLOG,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_PIDFD_GETFD, unix.SYS_KCMP, unix.SYS_VHANGUP, unix.SYS_PERSONALITY,
	unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY, unix.SYS_GET_MEMPOLICY, unix.SYS_MOVE_PAGES,
}

// filtered reports whether we ourselves run under a seccomp filter.
func filtered() bool {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, ok := bytes.Cut(b, []byte("\nSeccomp:\t"))
	return ok && bytes.HasPrefix(rest, []byte("2"))
}

// underFilter gives the routes for a host that runs us under a filter.
func underFilter(routes map[int]Route) map[int]Route {
	out := maps.Clone(routes)
	for _, nr := range oftenRefused {
		if r, ok := out[nr]; ok && r == RouteNotify {
			out[nr] = RouteFrame
		}
	}
	return out
}
