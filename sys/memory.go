// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
	"lodger/kernel"
)

// mmap flags and protections, include/uapi/asm-generic/mman*.h.
const (
	protRead  = 1
	protWrite = 2
	protExec  = 4

	mapShared         = 1
	mapPrivate        = 2
	mapSharedValidate = 3
	mapType           = 0xf
	mapAnonymous      = 0x20
	mapGrowsdown      = 0x100
	mapLocked         = 0x2000
	mapHugetlb        = 0x40000
	mapSync           = 0x80000
)

// mmap comes here when it has a descriptor or is shared, locked or huge.
func mmap(t *kernel.Task, a Args) (uint64, error) {
	addr, length, prot, flags, off := a[0], a[1], a[2], a[3], a[5]
	if off%pageSize != 0 {
		return 0, abi.EINVAL
	}
	if flags&mapAnonymous != 0 {
		if flags&mapHugetlb != 0 {
			return 0, abi.ENOMEM // the host's huge pages are the host's
		}
		if typ := flags & mapType; typ != mapShared && typ != mapPrivate {
			return 0, abi.EINVAL
		}
		if !stubSafe(t, addr, length) {
			return 0, abi.EPERM
		}
		// Registers only, and MAP_ANONYMOUS makes the host ignore the
		// descriptor: it may go on as it stands.
		return t.Continue()
	}
	f, err := t.Files.Get(a.Int(4))
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	if f.IsPath() {
		return 0, abi.EBADF
	}
	if length == 0 {
		return 0, abi.EINVAL
	}
	if flags&mapHugetlb != 0 || flags&mapSync != 0 && flags&mapType == mapSharedValidate {
		return 0, abi.EINVAL
	}
	switch flags & mapType {
	case mapShared, mapSharedValidate:
		if prot&protWrite != 0 && !f.Writable() {
			return 0, abi.EACCES
		}
	case mapPrivate:
	default:
		return 0, abi.EINVAL
	}
	if !f.Readable() {
		return 0, abi.EACCES
	}
	if prot&protExec != 0 && mountNoExec(f) {
		return 0, abi.EPERM
	}
	if length > 1<<47 || off+length < off {
		return 0, abi.EOVERFLOW
	}
	length = (length + pageSize - 1) &^ (pageSize - 1)
	if !stubSafe(t, addr, length) {
		return 0, abi.EPERM
	}
	if _, ok := f.Ops().(fs.AnonMapper); ok {
		return t.MapAnon(addr, length, prot, flags)
	}
	return t.MapFile(f, a.Int(4), addr, length, prot, flags, off)
}

func mremap(t *kernel.Task, a Args) (uint64, error) {
	const mayMove, fixed, dontUnmap = 1, 2, 4
	flags := a[3]
	if flags&^(mayMove|fixed|dontUnmap) != 0 || flags&fixed != 0 && flags&mayMove == 0 ||
		flags&dontUnmap != 0 && (flags&mayMove == 0 || a[1] != a[2]) || a[0]%pageSize != 0 {
		return 0, abi.EINVAL
	}
	up := func(n uint64) uint64 { return (n + pageSize - 1) &^ (pageSize - 1) }
	oldLen, newLen := up(a[1]), up(a[2])
	if newLen == 0 {
		return 0, abi.EINVAL
	}
	if newLen > 1<<47 || !stubSafe(t, a[0], max(oldLen, newLen)) || flags&fixed != 0 && !stubSafe(t, a[4], newLen) {
		return 0, abi.ENOMEM
	}
	return t.Remap(a[0], oldLen, newLen, flags, a[4])
}

// stubSafe reports whether a range keeps off the stub.
func stubSafe(t *kernel.Task, addr, length uint64) bool { return t.StubSafe(addr, length) }

func madvise(t *kernel.Task, a Args) (uint64, error) {
	const hwpoison, softOffline = 100, 101
	switch a.Int(2) {
	case hwpoison, softOffline:
		return 0, abi.EPERM
	}
	if notify.HarmlessAdvice(a[2]) {
		return guarded(t, a)
	}
	return 0, abi.EINVAL
}

// guarded lets the host perform a call on a range of the caller's memory that
// keeps off the stub; EPERM, as where it is sealed.
func guarded(t *kernel.Task, a Args) (uint64, error) {
	if !stubSafe(t, a[0], a[1]) {
		return 0, abi.EPERM
	}
	return t.Continue()
}

// hostMemory lets the host perform a call on the caller's own memory whose
// arguments are registers only.
func hostMemory(t *kernel.Task, a Args) (uint64, error) { return t.Continue() }

// mincore is the host's: it reads nothing by the pointer that it is given, and writes
// to the caller's memory alone.
func mincore(t *kernel.Task, a Args) (uint64, error) {
	if a[1] < 1<<47 && !stubSafe(t, a[2], a[1]/pageSize+1) { // else the host refuses it
		return 0, abi.EFAULT
	}
	return t.Continue()
}

// archPrctl: FS and GS base are native, and come here only to be traced.
func archPrctl(t *kernel.Task, a Args) (uint64, error) {
	const setGS, getGS = 0x1001, 0x1004
	if code := a.Uint(0); code >= setGS && code <= getGS {
		return t.Continue()
	}
	return 0, abi.EINVAL
}
