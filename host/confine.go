// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// keptCaps are the capabilities that the kernel of a guest needs when it is started
// by real root: for files of the guest's owners (hostfs), for guest processes,
// which are another user's, and for their limits and processors.
const keptCaps = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_FOWNER |
	1<<unix.CAP_FSETID | 1<<unix.CAP_KILL | 1<<unix.CAP_LINUX_IMMUTABLE | 1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_SYS_NICE |
	1<<unix.CAP_SYS_RESOURCE | 1<<unix.CAP_MKNOD | 1<<unix.CAP_LEASE | 1<<unix.CAP_SETFCAP

// DropPrivileges gives up for all threads, for good, what serving a guest does not
// need: set-user-id programs (no_new_privs), and every capability but keptCaps:
// mounting, networks, modules, devices, clocks and reboot among those that go.
func DropPrivileges() error {
	if _, _, e := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); e != 0 {
		if e == syscall.ENOTSUP { // the program uses cgo
			return errors.New("no_new_privs: only in binaries built without cgo")
		}
		return e
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&hdr, &have[0]); err != nil {
		return err
	}
	for i := range have {
		kept := uint32(uint64(keptCaps) >> (32 * i))
		have[i].Effective &= kept
		have[i].Permitted &= kept
		have[i].Inheritable = 0
	}
	// SAFETY: header and data live over the call; each thread reads them. WHY:
	// x/sys's Capset sets the calling thread alone.
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&have[0])), 0)
	if e != 0 {
		return e
	}
	return nil
}
