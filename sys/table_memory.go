// SPDX-License-Identifier: Apache-2.0

package sys

import "lodger/host/notify"

func memoryRows() []Row {
	h := newShm()
	return []Row{
		{X86: 29, ARM64: 194, Name: "shmget", Fn: h.get, Args: []Kind{Hex, Size, Hex}},
		{X86: 30, ARM64: 196, Name: "shmat", Fn: h.at, Args: []Kind{Dec, Addr, Hex}, Ret: Addr},
		{X86: 31, ARM64: 195, Name: "shmctl", Fn: h.ctl, Args: []Kind{Dec, Dec, Addr}, Level: Partial, Note: "SHM_LOCK is only noted; memory that was unmapped piece by piece counts as attached until the process ends"},
		{X86: 67, ARM64: 197, Name: "shmdt", Fn: h.dt, Args: []Kind{Addr}},
		{X86: 9, ARM64: 222, Name: "mmap", Fn: mmap, Route: notify.RouteChecked, Args: []Kind{Addr, Size, Prot, MapFlg, Fd, Hex}, Ret: Addr},
		{X86: 25, ARM64: 216, Name: "mremap", Fn: mremap, Route: notify.RouteChecked, Args: []Kind{Addr, Size, Size, Hex, Addr}, Ret: Addr},
		{X86: 28, ARM64: 233, Name: "madvise", Fn: madvise, Route: notify.RouteChecked, Args: []Kind{Addr, Size, Advice}, Level: Partial, Note: "no MADV_REMOVE, HWPOISON, MERGEABLE"},
		{X86: 26, ARM64: 227, Name: "msync", Fn: msync, Args: []Kind{Addr, Size, Hex}},
		{X86: 27, ARM64: 232, Name: "mincore", Fn: mincore, Args: []Kind{Addr, Size, Addr}},
		{X86: 149, ARM64: 228, Name: "mlock", Fn: hostMemory, Args: []Kind{Addr, Size}},
		{X86: 150, ARM64: 229, Name: "munlock", Fn: hostMemory, Args: []Kind{Addr, Size}},
		{X86: 325, ARM64: 284, Name: "mlock2", Fn: hostMemory, Args: []Kind{Addr, Size, Hex}},
		{X86: 151, ARM64: 230, Name: "mlockall", Fn: hostMemory, Args: []Kind{Hex}},
		{X86: 152, ARM64: 231, Name: "munlockall", Fn: hostMemory},
		{X86: 202, ARM64: 98, Name: "futex", Fn: futex, Route: notify.RouteChecked, Args: []Kind{Addr, Hex, Dec, Addr, Addr, Dec}, Level: Partial, Note: "no FUTEX_WAIT_REQUEUE_PI; PI futexes do not raise the owner's priority"},
		{X86: 158, ARM64: none, Name: "arch_prctl", Fn: archPrctl, Route: notify.RouteChecked, Args: []Kind{Hex, Addr}, Level: Partial, Note: "FS and GS base"},
		{X86: 218, ARM64: 96, Name: "set_tid_address", Route: notify.RouteStub, Args: []Kind{Addr}, Note: "answered in the guest process"},
	}
}

// nativeRows are calls that the host performs without asking: they touch only the
// caller's own memory or thread. Those with a handler come to the kernel all the
// same where the host cannot seal the stub and they are near it, and to be traced.
func nativeRows() []Row {
	native := notify.RouteNative
	return []Row{
		{X86: 11, ARM64: 215, Name: "munmap", Fn: guarded, Route: native, Args: []Kind{Addr, Size}},
		{X86: 10, ARM64: 226, Name: "mprotect", Fn: guarded, Route: native, Args: []Kind{Addr, Size, Prot}},
		{X86: 12, ARM64: 214, Name: "brk", Fn: hostMemory, Route: native, Args: []Kind{Addr}, Ret: Addr},
		{X86: 24, ARM64: 124, Name: "sched_yield", Fn: hostMemory, Route: native},
		{X86: 318, ARM64: 278, Name: "getrandom", Fn: hostMemory, Route: native, Args: []Kind{Addr, Size, Hex}},
		{X86: 324, ARM64: 283, Name: "membarrier", Fn: hostMemory, Route: native, Args: []Kind{Dec, Hex, Dec}},
		{X86: 334, ARM64: 293, Name: "rseq", Fn: hostMemory, Route: native, Args: []Kind{Addr, Size, Hex, Hex}},
	}
}
