// SPDX-License-Identifier: Apache-2.0

package notify

import "encoding/binary"

// The stub region of every guest process; see layout_amd64.h, which a test
// keeps equal to this file.
const (
	StubBase = 0x7f0000000000 // constants page
	stubCode = 0x7f0000001000 // the code, execute only in effect
	stubData = 0x7f000000e000 // the zygote's initialised data (zygote image only)
	StubEnd  = 0x7f0000010000 // end of what must never change
	areaBase = 0x7f0000010000 // first thread area
)

// Slots: entry points at fixed places.
const (
	slotStart = iota
	slotZygote
	slotSys
	slotKick
	slotFault
	slotRestorer
	_
	_
	_
	slotTerm
	slotFutexWait
)

func slot(n int) uint64 { return stubCode + 16*uint64(n) }

// Constants page.
const (
	cHdr      = 0x400
	cNBoot    = 0x408
	cFwLo     = 0x410
	cFwHi     = 0x418
	cPdeath   = 0x420
	cArgv     = 0x430
	cEmpty    = 0x440
	cEnvp     = 0x448
	cNZyg     = 0x450
	cZStack   = 0x458
	cZSlot    = 0x460
	cZMsg     = 0x468
	cZCmsgFD  = 0x470
	cZFlags1  = 0x478
	cZFlags2  = 0x480
	cZFprog   = 0x488
	cZInfo    = 0x490
	cZDfl     = 0x498
	cName     = 0x4a0
	cTrace    = 0x4c0
	cBatch    = 0x500
	cBatchMax = (0x1000 - 0x500) / 64
)

// Thread header.
const (
	hTID       = 0x00
	hPID       = 0x08
	hMask      = 0x10
	hPending   = 0x18
	hSigTab    = 0x20
	hKicked    = 0x28
	hResult    = 0x30
	hNBatch    = 0x38
	hBatchRes  = 0x40
	hDReady    = 0x58
	hCFlags    = 0x60
	hCToken    = 0x68
	hDSigno    = 0xb0
	hBatch     = 0x180
	hBatchMax  = (0x600 - 0x180) / 64
	hUC        = 0x600
	hMMMap     = 0x740 // struct prctl_mm_map while a program is being set up
	hOwnTab    = 0x800
	headerSize = 0x1000
)

// Op is the number of a stub call: what a guest process's stub tells the
// kernel. Guest code can issue every one of them with any arguments; it can
// only lie about itself.
type Op int32

// Stub calls. The arguments are those of Event.Args.
const (
	OpKick     Op = 0x8001  // rip, rax, rsp, rcx, rsi, in-futex-wait
	OpFault    Op = 0x8002  // signo, si_code, si_addr, rsp, error code and trap number (its upper half), rip
	OpStart    Op = 0x8003  // rsp, failed entries: a fresh image after execve
	OpChild    Op = 0x8004  // token, header: first words of a new thread
	OpBatch    Op = 0x8005  // entries not done, last result
	OpMask     Op = 0x8006  // new mask, in place, rsp: a pending signal may be deliverable
	OpBadFrame Op = 0x8007  // rsp: a signal frame could not be written or read
	OpCloned   Op = 0x8008  // token, error: the host refused the clone
	OpNoExec   Op = 0x8009  // error: the host refused the stub's own execve
	OpFrame    Op = 0x10000 // and the number of a call on the frame route
	OpTraced   Op = 0x20000 // and the number of a call that the stub answers itself, for a trace
)

// Act is an answer to a stub call.
type Act int64

// Answers. A stub call on the frame route may also be answered by the plain
// result of the guest's call.
const (
	ActResume   Act = -0x10001 // return to the guest as it was
	ActResult   Act = -0x10002 // rax = header result
	ActDeliver  Act = -0x10003 // build a signal frame
	ActRewind   Act = -0x10004 // issue the call again; header result is its number
	ActPark     Act = -0x10005 // sleep interruptibly until a kick, then OpKick again
	ActBatch    Act = -0x10006 // run the header's batch, then OpBatch
	ActBatchRes Act = -0x10007 // run the batch; one entry's result is rax
	ActClone    Act = -0x10008 // clone as the header says
	ActExec     Act = -0x10009 // execve the stub image
	ActGo       Act = -0x1000a // enter the program by the header's ucontext
	ActENOSYS   Act = -0x1000b // rax = -ENOSYS (a bare ENOSYS means a dead kernel)
)

// stubSignals are the host signals that the stub handles itself, as bits signo-1.
const stubSignals = 0x400006d8

// The descriptor numbers at which a program's files are injected for exec, and
// only then: no guest code exists in the process yet, and they are closed before
// any does. The filter lets the stub map these privately without asking. What is
// injected otherwise is behind them.
const (
	execFDs    = 200
	execFDsEnd = 216
)

// imageFD is where a guest process has the stub's image, for execveat.
const imageFD = 1

// minFDs is the least limit on open files that guest processes can live with: they
// inherit ours, and a program's files are injected at numbers up to execFDsEnd.
const minFDs = 256

// FirstFD is the first descriptor number of a guest process's host table that is
// free for files; below is what the stub itself needs.
const FirstFD = 3

// KickSignal is the host signal that makes a host thread announce its frame
// (SIGUSR1). Guests' own signals never use host signals.
const KickSignal = 10

func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
