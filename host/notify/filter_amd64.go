// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"sort"
)

const (
	auditArch  = 0xc000003e // AUDIT_ARCH_X86_64
	x32Bit     = 0x40000000
	stubHi     = StubBase >> 32
	enosys     = 38
	guardFirst = stubHi - 1
)

// System calls that the filter has argument checks for.
const (
	nrClose           = 3
	nrMmap            = 9
	nrMprotect        = 10
	nrMunmap          = 11
	nrRtSigaction     = 13
	nrRtSigprocmask   = 14
	nrRtSigreturn     = 15
	nrMremap          = 25
	nrMadvise         = 28
	nrPrctl           = 157
	nrArchPrctl       = 158
	nrFutex           = 202
	nrSetTidAddress   = 218
	nrClockGettime    = 228
	nrRtSigtimedwait  = 128
	nrExecveat        = 322
	nrClone           = 56
	nrMseal           = 462
	mmapHarmless      = 0x2 | 0x10 | 0x20 | 0x40 | 0x100 | 0x800 | 0x1000 | 0x4000 | 0x8000 | 0x20000 | 0x100000
	mmapPrivateAnon   = 0x22
	mapPrivate        = 0x2
	mapFixed          = 0x10
	futexClockPrivate = 128 | 256
)

// buildFilter makes the seccomp program from the system call table's routes.
// sealed says that the host can mseal the stub region; where it cannot, calls
// that could change mappings there come to the kernel.
//
// What the stub may do natively, guest code may do too: it can jump to the
// stub's SYSCALL instructions with any registers. So the stub section allows
// only what touches the caller's own thread, its memory or a descriptor's end.
func buildFilter(routes map[int]Route, sealed bool) ([]bpfInsn, error) {
	p := &program{}
	// First the architecture, then x32: other numbers mean other calls.
	p.load(offArch)
	p.retUnless(bpfJeq, auditArch, retErrno|enosys)
	p.load(offNr)
	p.retIf(bpfJge, x32Bit, retErrno|enosys)

	nrs := make([]int, 0, len(routes))
	for nr := range routes {
		nrs = append(nrs, nr)
	}
	sort.Ints(nrs)
	guarded := map[int]bool{}
	if !sealed {
		for _, nr := range []int{nrMmap, nrMprotect, nrMunmap, nrMremap, nrMadvise} {
			guarded[nr] = true
		}
	}
	// Decided by number alone: the host keeps these in its bitmap and does not
	// run the filter at all.
	for _, nr := range nrs {
		if routes[nr] == RouteNative && !guarded[nr] {
			p.retIf(bpfJeq, uint32(nr), retAllow)
		}
	}

	// What is harmless for everybody, and hot; the stub needs it too, whatever the
	// routes.
	traced := routes[nrFutex] == RouteNotify
	if !traced {
		p.block(bpfJeq, nrFutex, func() { checkFutex(p) })
	}
	// From the stub's code?
	p.load(offIPHi)
	p.block(bpfJeq, stubHi, func() {
		p.load(offIPLo)
		at := len(p.insns)
		p.emit(bpfJge, 0, 0, StubEnd&0xffffffff)
		if traced {
			p.load(offNr)
			p.block(bpfJeq, nrFutex, func() { checkFutex(p) })
		}
		p.stubSection(sealed)
		p.insns[at].Jt = uint8(len(p.insns) - at - 1)
	})

	p.load(offNr)
	if traced {
		p.block(bpfJeq, nrFutex, func() { traceFutex(p) })
	}
	for _, nr := range nrs {
		switch routes[nr] {
		case RouteStub, RouteFrame:
			if nr == nrRtSigaction && !traced {
				p.block(bpfJeq, uint32(nr), func() { checkSigaction(p) })
				continue
			}
			p.retIf(bpfJeq, uint32(nr), retTrap)
		}
	}
	for _, nr := range nrs {
		switch {
		case nr == nrFutex: // done
		case routes[nr] == RouteChecked:
			check, ok := checks[nr]
			if !ok {
				return nil, fmt.Errorf("system call %d is on the checked route but the filter has no check for it", nr)
			}
			p.block(bpfJeq, uint32(nr), func() {
				if guarded[nr] {
					p.guardStub()
				}
				check(p)
			})
		case routes[nr] == RouteNative && guarded[nr]:
			p.block(bpfJeq, uint32(nr), func() {
				p.guardStub()
				p.ret(retAllow)
			})
		}
	}
	p.ret(retNotify)
	return p.insns, nil
}

// stubSection decides calls whose instruction pointer lies in the stub.
func (p *program) stubSection(sealed bool) {
	p.load(offNr)
	for _, nr := range []uint32{nrRtSigreturn, nrRtSigprocmask, nrRtSigaction, nrRtSigtimedwait, nrSetTidAddress, nrMseal} {
		p.retIf(bpfJeq, nr, retAllow)
	}
	p.block(bpfJeq, nrClose, func() {
		// Not the image that the stub execs: another file could take its number.
		p.load(argLo(0))
		p.retIf(bpfJeq, imageFD, retNotify)
		p.ret(retAllow)
	})
	p.block(bpfJeq, nrMmap, func() {
		if !sealed {
			p.guardStub()
		}
		p.load(argLo(4))
		p.block(bpfJge, execFDs, func() {
			p.load(argLo(4))
			p.emit(bpfJge, 5, 0, execFDsEnd)
			// With MAP_ANONYMOUS the host does not look at the descriptor, and
			// the other flags ask for what belongs to the whole host.
			p.load(argLo(3))
			p.emit(bpfAnd, 0, 0, ^uint32(mapFixed))
			p.retIf(bpfJeq, mapPrivate, retAllow)
			p.ret(retNotify)
		})
		checkMmap(p)
	})
	p.block(bpfJeq, nrClockGettime, func() {
		p.load(argLo(0))
		p.retIf(bpfJeq, 1, retAllow) // CLOCK_MONOTONIC
		p.ret(retNotify)
	})
	p.block(bpfJeq, nrPrctl, func() {
		p.load(argLo(0))
		p.block(bpfJeq, 35, func() { // PR_SET_MM
			p.load(argLo(1))
			p.retIf(bpfJeq, 14, retAllow) // PR_SET_MM_MAP
			p.ret(retNotify)
		})
		p.block(bpfJeq, 1, func() { // PR_SET_PDEATHSIG
			p.load(argLo(1))
			p.retIf(bpfJeq, 9, retAllow)
		})
		p.ret(retNotify)
	})
	p.ret(retNotify)
}

// guardStub sends a call on an address range that may meet the stub region to
// the kernel: args 0 and 1 are address and length.
func (p *program) guardStub() {
	p.load(argHi(0))
	p.retIf(bpfJeq, stubHi, retNotify)
	p.retIf(bpfJeq, guardFirst, retNotify)
	p.load(argHi(1))
	p.retUnless(bpfJeq, 0, retNotify)
}

// checks are the argument checks of the checked route.
var checks = map[int]func(*program){
	nrMmap:      checkMmap,
	nrMremap:    checkMremap,
	nrMadvise:   checkMadvise,
	nrArchPrctl: checkArchPrctl,
}

// checkSigaction: the host's table holds the guest's actions, but for the signals
// that the stub handles; asking for one needs nobody's help.
func checkSigaction(p *program) {
	p.load(argLo(1))
	p.retUnless(bpfJeq, 0, retTrap)
	p.load(argHi(1))
	p.retUnless(bpfJeq, 0, retTrap)
	p.load(argLo(0))
	p.retIf(bpfJgt, 64, retTrap)
	p.retIf(bpfJeq, 0, retTrap)
	for sig := uint32(1); sig <= 32; sig++ {
		if stubSignals>>(sig-1)&1 != 0 {
			p.retIf(bpfJeq, sig, retTrap)
		}
	}
	p.ret(retAllow)
}

// checkMmap: private anonymous memory without a descriptor.
func checkMmap(p *program) {
	p.load(argLo(4))
	p.retUnless(bpfJeq, 0xffffffff, retNotify)
	p.load(argHi(3))
	p.retUnless(bpfJeq, 0, retNotify)
	p.load(argLo(3))
	p.emit(bpfAnd, 0, 0, ^uint32(mmapHarmless))
	p.retUnless(bpfJeq, 0, retNotify)
	p.load(argLo(3))
	p.emit(bpfAnd, 0, 0, mmapPrivateAnon)
	p.retUnless(bpfJeq, mmapPrivateAnon, retNotify)
	p.ret(retAllow)
}

// checkMremap: only what shrinks in place. A growing file mapping would show
// what lies behind its end; an old length of 0 duplicates a shared one.
func checkMremap(p *program) {
	p.load(argLo(3))
	p.emit(bpfAnd, 0, 0, 2|4) // MREMAP_FIXED, MREMAP_DONTUNMAP
	p.retUnless(bpfJeq, 0, retTrap)
	p.load(argHi(1))
	p.emit(bpfTax, 0, 0, 0)
	p.load(argHi(2))
	p.retUnless(bpfJeqX, 0, retTrap)
	p.load(argLo(1))
	p.retIf(bpfJeq, 0, retTrap)
	p.emit(bpfTax, 0, 0, 0)
	p.load(argLo(2))
	p.retIf(bpfJgtX, 0, retTrap)
	p.ret(retAllow)
}

// checkMadvise: advice that changes nothing but the caller's own pages.
func checkMadvise(p *program) {
	p.load(argLo(2))
	p.retIf(bpfJgt, 25, retNotify)
	p.emit(bpfTax, 0, 0, 0)
	p.emit(bpfImm, 0, 0, 1)
	p.emit(bpfLshX, 0, 0, 0)
	p.emit(bpfAnd, 0, 0, madviseHarmless)
	p.retIf(bpfJeq, 0, retNotify)
	p.ret(retAllow)
}

// checkFutex: waits, wakes and requeues without PI; a relative timeout goes
// through the stub.
func checkFutex(p *program) {
	p.load(argLo(1))
	p.emit(bpfAnd, 0, 0, ^uint32(futexClockPrivate))
	for _, op := range []uint32{1, 3, 4, 5, 9, 10} {
		p.retIf(bpfJeq, op, retAllow)
	}
	p.retUnless(bpfJeq, 0, retNotify)
	p.load(argLo(3))
	p.retUnless(bpfJeq, 0, retTrap)
	p.load(argHi(3))
	p.retUnless(bpfJeq, 0, retTrap)
	p.ret(retAllow)
}

// traceFutex: all to the kernel, which lets them go on, but the waits that the stub
// has to do.
func traceFutex(p *program) {
	p.load(argLo(1))
	p.emit(bpfAnd, 0, 0, ^uint32(futexClockPrivate))
	p.retUnless(bpfJeq, 0, retNotify)
	p.load(argLo(3))
	p.retUnless(bpfJeq, 0, retTrap)
	p.load(argHi(3))
	p.retUnless(bpfJeq, 0, retTrap)
	p.ret(retNotify)
}

// checkArchPrctl: FS and GS base of the caller itself.
func checkArchPrctl(p *program) {
	p.load(argLo(0))
	p.emit(bpfAnd, 0, 0, ^uint32(7))
	p.retUnless(bpfJeq, 0x1000, retNotify) // ARCH_SET_GS .. ARCH_GET_GS
	p.load(argLo(0))
	p.retIf(bpfJgt, 0x1004, retNotify)
	p.retUnless(bpfJge, 0x1001, retNotify)
	p.ret(retAllow)
}
