// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"
#include "layout_amd64.h"

// func stubStart() unsafe.Pointer
TEXT ·stubStart(SB), NOSPLIT, $0-8
	LEAQ ·stub(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// stub is the code that every guest process holds at STUB_CODE. It is copied
// there by way of an ELF image, never run in place, so it refers to nothing
// outside itself but absolute addresses of the stub region.
//
// Registers inside the handlers: BX = this thread's header, BP = the ucontext
// of the interrupted guest code. A nonzero R15 while guest memory is touched is
// the slot where a fault continues.
//
// It must run correctly whatever the guest wrote into its header: a wrong value
// there may only hurt the guest process itself. Nothing here is a check that
// the host's safety rests on.
TEXT ·stub(SB), NOSPLIT|NOFRAME, $0-0
	// SLOT(0): entry after the host's execve
	JMP start
	PCALIGN $16
	// SLOT(1): the zygote's entry
	JMP zstart
	PCALIGN $16
	// SLOT(2): SIGSYS
	JMP hsys
	PCALIGN $16
	// SLOT(3): kick
	JMP hkick
	PCALIGN $16
	// SLOT(4): faults
	JMP hfault
	PCALIGN $16
	// SLOT(5): restorer; handlers never return through it
	MOVL $15, AX
	SYSCALL
	PCALIGN $16
	// SLOT(6): a guest pointer given to a stub call was bad
	JMP efault
	PCALIGN $16
	// SLOT(7): no room for a signal frame, or a bad frame to return from
	JMP badframe
	PCALIGN $16
	// SLOT(8): a kick met the timed futex wait before it slept
	JMP fwintr
	PCALIGN $16
	// SLOT(9): the zygote's SIGTERM, without a pid namespace: its process group,
	// which no guest process can leave, goes with it
	XORL DI, DI
	MOVL $9, SI
	MOVL $62, AX
	SYSCALL
	PCALIGN $16
	// SLOT(10): the timed futex wait: unblock the kick, then wait. The Go side
	// finds the second SYSCALL and tells hkick the window between them.
	SYSCALL
	MOVQ U_RDI(BP), DI
	MOVL R12, SI
	MOVQ U_RDX(BP), DX
	LEAQ H_DEADLINE(BX), R10
	XORL R8, R8
	MOVL $-1, R9
	MOVL $202, AX
	SYSCALL
	JMP fwdone

	// ---- SIGSYS: a call on the stub or frame route -----------------------
hsys:
	MOVQ DX, BP
	MOVQ U_SS_SP(DX), BX
	ADDQ U_SS_SIZE(DX), BX
	MOVL 24(SI), AX            // si_syscall
	XORL R15, R15
	MOVQ $C_TRACE, CX
	CMPQ (CX), $0
	JNE  traced
untraced:
	CMPL AX, $13
	JEQ  sigaction
	CMPL AX, $14
	JEQ  sigprocmask
	CMPL AX, $15
	JEQ  sigreturn
	CMPL AX, $39
	JEQ  getpid
	CMPL AX, $186
	JEQ  gettid
	CMPL AX, $202
	JEQ  futexrel
	CMPL AX, $218
	JEQ  settidaddr
	MOVL $17, DI               // SIGCHLD
	CMPL AX, $57
	JEQ  fork
	CMPL AX, $56
	JNE  frame
	MOVQ U_RDI(BP), DI
	TESTQ $~0x12000ff, DI      // more than a signal, CLEARTID and SETTID
	JNZ  frame
	CMPQ U_RSI(BP), $0
	JEQ  fork

	// Everything else: tell the kernel, with the guest's own arguments.
frame:
	ADDL $OP_FRAME, AX
	MOVQ U_RDI(BP), DI
	MOVQ U_RSI(BP), SI
	MOVQ U_RDX(BP), DX
	MOVQ U_R10(BP), R10
	MOVQ U_R8(BP), R8
	MOVQ U_RSP(BP), R9         // no framed call has six arguments
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	CMPQ AX, $ACT_MAX
	JLT  action
setrax:
	MOVQ AX, U_RAX(BP)

	// Return to the guest through the frame that BP points into.
sigret:
	MOVQ BP, SP
	MOVL $15, AX
	SYSCALL
	JMP  die

	// A trace shows what is answered here, too.
traced:
	CMPL AX, $13
	JEQ  tell
	CMPL AX, $14
	JEQ  tell
	CMPL AX, $15
	JEQ  tell
	CMPL AX, $218
	JEQ  tell
	CMPL AX, $202
	JNE  untraced
tell:
	MOVL AX, R12
	ADDL $OP_TRACED, AX
	MOVQ U_RDI(BP), DI
	MOVQ U_RSI(BP), SI
	MOVQ U_RDX(BP), DX
	MOVQ U_R10(BP), R10
	MOVQ U_R8(BP), R8
	MOVQ U_R9(BP), R9
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	MOVL R12, AX
	JMP  untraced

	// What the kernel wants done (AX).
action:
	CMPQ AX, $ACT_RESUME
	JEQ  sigret
	CMPQ AX, $ACT_RESULT
	JEQ  actresult
	CMPQ AX, $ACT_DELIVER
	JEQ  deliver
	CMPQ AX, $ACT_REWIND
	JEQ  actrewind
	CMPQ AX, $ACT_CLONE
	JEQ  actclone
	CMPQ AX, $ACT_EXEC
	JEQ  actexec
	CMPQ AX, $ACT_BATCH
	JEQ  actbatch
	CMPQ AX, $ACT_BATCHRES
	JEQ  actbatchres
	CMPQ AX, $ACT_PARK
	JEQ  actpark
	CMPQ AX, $ACT_GO
	JEQ  actgo
	CMPQ AX, $ACT_ENOSYS
	JEQ  actenosys
die:
	// The kernel is gone or the header is garbage. All signals but SIGSEGV are
	// blocked here, so an illegal instruction ends the process at once.
	BYTE $0x0f; BYTE $0x0b
	JMP  die

actenosys:
	MOVQ $-38, AX
	JMP  setrax
actresult:
	MOVQ H_RESULT(BX), AX
	JMP  setrax
actrewind:
	// Let the guest issue its call again: H_RESULT is the call's number.
	MOVQ H_RESULT(BX), AX
	SUBQ $2, U_RIP(BP)
	JMP  setrax

actgo:
	// Into a fresh program: the kernel wrote a whole ucontext.
	LEAQ H_UC(BX), SP
	MOVL $15, AX
	SYSCALL
	JMP  die

actpark:
	// Wait where a cgroup freezer finds us: interruptibly, for the kick.
	MOVQ $KICK_BIT, AX
	PUSHQ AX
	MOVQ SP, DI
	XORL SI, SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $128, AX              // rt_sigtimedwait
	SYSCALL
	POPQ CX
	CMPQ AX, $-38
	JEQ  die
	TESTQ AX, AX
	JLT  actpark
	JMP  announcekick

	// ---- batches ---------------------------------------------------------
actbatchres:
	MOVL $2, R15
	JMP  runheader
actbatch:
	MOVL $1, R15
runheader:
	LEAQ H_BATCH(BX), R12
	MOVQ H_NBATCH(BX), R13
	// R12 = entry, R13 = how many, R14 = index, R15 = who asks.
runbatch:
	XORL R14, R14
	XORL AX, AX
batchloop:
	TESTQ R13, R13
	JZ   batchdone
	MOVQ 8(R12), DI
	TESTL $0x100, 4(R12)
	JZ   direct
	MOVQ (DI), DI
direct:
	MOVQ 16(R12), SI
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	MOVQ 48(R12), R9
	MOVL (R12), AX
	SYSCALL
	MOVL 4(R12), CX
	TESTL $4, CX
	JNZ  stored
	TESTL $2, CX
	JZ   storeself
	MOVQ 56(R12), R8
	MOVQ AX, (R8)
	JMP  stored
storeself:
	MOVQ AX, 56(R12)
stored:
	TESTL $1, CX
	JZ   batchnext
	CMPQ AX, $-4095
	JCC  batchdone             // unsigned: an error; R14 says which entry
batchnext:
	ADDQ $64, R12
	DECQ R13
	INCQ R14
	JMP  batchloop
batchdone:
	CMPL R15, $1
	JEQ  batchtell
	CMPL R15, $2
	JEQ  batchresult
	CMPL R15, $3
	JEQ  started
	JMP  zbatched
batchtell:
	XORL R15, R15
	MOVQ R13, DI               // entries not done
	MOVQ AX, SI                // the last result
	MOVL $OP_BATCH, AX
	SYSCALL
	JMP  action
batchresult:
	XORL R15, R15
	TESTQ R13, R13
	JNZ  setrax
	MOVQ H_BATCHRES(BX), CX
	SHLQ $6, CX
	ANDQ $0x7ff, CX
	ADDQ BX, CX
	MOVQ (H_BATCH+56)(CX), AX
	JMP  setrax

	// ---- calls answered here -------------------------------------------
getpid:
	MOVQ H_PID(BX), AX
	JMP  setrax
gettid:
	MOVQ H_TID(BX), AX
	JMP  setrax
settidaddr:
	MOVQ U_RDI(BP), DI
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	MOVQ H_TID(BX), AX
	JMP  setrax
einval:
	MOVQ $-22, AX
	JMP  setrax
efault:
	XORL R15, R15
	MOVQ $-14, AX
	JMP  setrax

	// rt_sigprocmask(how, set, oldset, 8)
sigprocmask:
	CMPQ U_R10(BP), $8
	JNE  einval
	MOVQ H_MASK(BX), R8
	MOVQ U_RSI(BP), SI
	TESTQ SI, SI
	JZ   oldmask
	MOVQ $SLOT(6), R15
	MOVQ (SI), R9
	MOVL U_RDI(BP), AX
	CMPL AX, $0
	JEQ  maskblock
	CMPL AX, $1
	JEQ  maskunblock
	CMPL AX, $2
	JNE  einval
	JMP  maskset
maskblock:
	ORQ  R8, R9
	JMP  maskset
maskunblock:
	NOTQ R9
	ANDQ R8, R9
maskset:
	ANDQ $~UNMASKABLE, R9
	XCHGQ R9, H_MASK(BX)       // a full barrier before H_PENDING is read
oldmask:
	MOVQ U_RDX(BP), DI
	TESTQ DI, DI
	JZ   maskdone
	MOVQ $SLOT(6), R15
	MOVQ R8, (DI)
maskdone:
	XORL R15, R15
	MOVQ $0, U_RAX(BP)
	MOVQ H_MASK(BX), DI
	MOVQ DI, AX
	NOTQ AX
	TESTQ AX, H_PENDING(BX)
	JEQ  sigret
tellmask:
	MOVL $1, SI                // a handler may be entered from here
	MOVQ U_RSP(BP), DX
	MOVL $OP_MASK, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	JMP  action

	// rt_sigaction(sig, act, oldact, 8)
sigaction:
	CMPQ U_R10(BP), $8
	JNE  einval
	MOVL U_RDI(BP), AX
	DECL AX
	CMPL AX, $64
	JCC  einval
	SHLL $5, AX
	MOVQ H_SIGTAB(BX), R12
	ADDQ AX, R12
	MOVQ $SLOT(6), R15
	MOVQ 0(R12), R8
	MOVQ 8(R12), R9
	MOVQ 16(R12), R10
	MOVQ 24(R12), R13
	MOVQ U_RSI(BP), SI
	TESTQ SI, SI
	JZ   oldaction
	CMPL AX, $(8*32)
	JEQ  einval
	CMPL AX, $(18*32)
	JEQ  einval
	MOVQ 0(SI), AX
	MOVQ 8(SI), CX
	MOVQ 16(SI), DX
	MOVQ 24(SI), DI
	ANDQ $~UNMASKABLE, DI
	MOVQ $SA_KNOWN, R14
	ANDQ R14, CX
	MOVQ DI, 24(R12)
	MOVQ DX, 16(R12)
	MOVQ CX, 8(R12)
	XCHGQ AX, 0(R12)
	// Keep the host's own table alike, so that questions need no trap. The
	// signals that the stub handles stay the stub's.
	MOVL U_RDI(BP), DI
	LEAL -1(DI), CX
	MOVQ $STUB_SIGNALS, AX
	BTQ  CX, AX
	JCS  oldaction
	MOVQ R12, SI
	MOVQ R10, R14
	XORL DX, DX
	MOVL $8, R10
	MOVL $13, AX
	SYSCALL
	MOVQ R14, R10
oldaction:
	MOVQ U_RDX(BP), DI
	TESTQ DI, DI
	JZ   actiondone
	MOVQ R8, 0(DI)
	MOVQ R9, 8(DI)
	MOVQ R10, 16(DI)
	MOVQ R13, 24(DI)
actiondone:
	// A pending signal may be one to ignore now.
	XORL R15, R15
	MOVQ $0, U_RAX(BP)
	MOVL U_RDI(BP), CX
	DECL CX
	MOVQ H_PENDING(BX), AX
	BTQ  CX, AX
	JCC  sigret
	MOVQ H_MASK(BX), DI
	JMP  tellmask

	// rt_sigreturn: the guest's frame has the host's own layout, so the host
	// restores from it, once mask and alternate stack are the stub's own.
sigreturn:
	MOVQ U_RSP(BP), R8
	MOVQ $SLOT(7), R15
	MOVQ U_MASK(R8), AX
	ANDQ $~UNMASKABLE, AX
	MOVQ $0, U_MASK(R8)
	MOVQ U_SS_SP(BP), CX
	MOVQ CX, U_SS_SP(R8)
	MOVQ $0, U_SS_FLAGS(R8)
	MOVQ U_SS_SIZE(BP), CX
	MOVQ CX, U_SS_SIZE(R8)
	XORL R15, R15
	XCHGQ AX, H_MASK(BX)
	MOVQ R8, BP
	MOVQ H_MASK(BX), DI
	MOVQ DI, AX
	NOTQ AX
	TESTQ AX, H_PENDING(BX)
	JEQ  sigret
	XORL SI, SI
	MOVL $OP_MASK, AX
	SYSCALL
	JMP  sigret
badframe:
	XORL R15, R15
	MOVQ U_RSP(BP), DI
	MOVL $OP_BADFRAME, AX
	SYSCALL
	JMP  action

	// ---- futex with a relative timeout ------------------------------------
	// FUTEX_WAIT counts its timeout from the call; an interrupted wait could
	// not be resumed. So wait for the same moment as FUTEX_WAIT_BITSET does.
futexrel:
	MOVQ U_R10(BP), SI
	MOVQ $SLOT(6), R15
	MOVQ 0(SI), R13
	MOVQ 8(SI), R14
	XORL R15, R15
	TESTQ R13, R13
	JLT  einval
	CMPQ R14, $1000000000
	JCC  einval
	LEAQ H_DEADLINE(BX), SI
	MOVL $1, DI                // CLOCK_MONOTONIC
	MOVL $228, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	ADDQ H_DEADLINE(BX), R13
	JCS  fwforever
	JMI  fwforever
	ADDQ (H_DEADLINE+8)(BX), R14
	CMPQ R14, $1000000000
	JCS  fwset
	SUBQ $1000000000, R14
	INCQ R13
	JMP  fwset
fwforever:
	MOVQ $0x7fffffffffff, R13
fwset:
	MOVQ R13, H_DEADLINE(BX)
	MOVQ R14, (H_DEADLINE+8)(BX)
fwagain:
	MOVL U_RSI(BP), R12
	ANDL $128, R12             // keep FUTEX_PRIVATE_FLAG
	ORL  $9, R12               // FUTEX_WAIT_BITSET
	MOVQ $0, H_KICKED(BX)
	MOVQ $KICK_BIT, AX
	PUSHQ AX
	MOVL $1, DI                // SIG_UNBLOCK
	MOVQ SP, SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $14, AX
	MOVQ $SLOT(10), CX
	JMP  CX
fwintr:
	MOVQ $-4, AX
fwdone:
	MOVQ AX, R13
	MOVL $0, DI                // SIG_BLOCK
	MOVQ SP, SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $14, AX
	SYSCALL
	POPQ CX
	MOVQ R13, U_RAX(BP)
	CMPQ H_KICKED(BX), $0
	JEQ  fwfinish
	MOVL $1, H_KICKED(BX)
	JMP  announcekick
fwfinish:
	CMPQ R13, $-4
	JEQ  fwagain               // EINTR without a kick: not the guest's business
	JMP  sigret

	// ---- kick ----------------------------------------------------------------
hkick:
	MOVQ DX, BP
	MOVQ U_SS_SP(DX), BX
	ADDQ U_SS_SIZE(DX), BX
	XORL R15, R15
	MOVQ U_RIP(BP), AX
	MOVQ $STUB_END, CX
	CMPQ AX, CX
	JCC  hkickguest
	MOVQ $STUB_BASE, CX
	CMPQ AX, CX
	JCS  hkickguest
	// Inside the timed futex wait: note it; do not let the wait start.
	MOVQ $1, H_KICKED(BX)
	MOVQ $C_FWLO, CX
	CMPQ AX, (CX)
	JCS  sigret
	MOVQ $C_FWHI, CX
	CMPQ (CX), AX
	JCS  sigret
	MOVQ $SLOT(8), AX
	MOVQ AX, U_RIP(BP)
	JMP  sigret
hkickguest:
	MOVQ $0, H_KICKED(BX)
	// Has the kernel prepared the delivery with its last answer?
	CMPQ H_DREADY(BX), $0
	JEQ  announcekick
	MOVQ $0, H_DREADY(BX)
	JMP  deliver
announcekick:
	MOVQ U_RIP(BP), DI
	MOVQ U_RAX(BP), SI
	MOVQ U_RSP(BP), DX
	MOVQ U_RCX(BP), R10
	MOVQ U_RSI(BP), R8
	MOVQ H_KICKED(BX), R9      // 1: out of a timed futex wait
	MOVL $OP_KICK, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	CMPQ AX, $ACT_RESUME
	JNE  action
	CMPQ H_KICKED(BX), $0
	JEQ  sigret
	CMPQ U_RAX(BP), $-4
	JEQ  fwagain
	JMP  sigret

	// ---- faults ----------------------------------------------------------------
hfault:
	MOVQ DX, BP
	MOVQ U_SS_SP(DX), BX
	ADDQ U_SS_SIZE(DX), BX
	XORL R15, R15
	MOVQ U_RIP(BP), AX
	MOVQ $STUB_END, CX
	CMPQ AX, CX
	JCC  faultguest
	MOVQ $STUB_BASE, CX
	CMPQ AX, CX
	JCS  faultguest
	// In the stub: a guest pointer was bad, if a fix-up is set.
	MOVQ U_R15(BP), AX
	TESTQ AX, AX
	JZ   die
	MOVQ AX, U_RIP(BP)
	JMP  sigret
faultguest:
	MOVLQSX 0(SI), DI
	MOVQ U_TRAPNO(BP), R8
	SHLQ $32, R8
	MOVL U_ERR(BP), AX
	ORQ AX, R8
	MOVQ U_RIP(BP), R9
	MOVQ U_RSP(BP), R10
	MOVQ 16(SI), DX
	MOVLQSX 8(SI), SI
	MOVL $OP_FAULT, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	JMP  action

	// ---- signal delivery --------------------------------------------------------
	// Build the guest's frame from our own: it has the native layout already.
deliver:
	MOVQ H_DRESTART(BX), AX
	CMPQ AX, $-2
	JEQ  interruptwait
	CMPQ AX, $-3
	JEQ  showresult
	TESTQ AX, AX
	JLT  norestart
	MOVQ AX, U_RAX(BP)
	SUBQ $2, U_RIP(BP)
	JMP  norestart
showresult:
	MOVQ H_RESULT(BX), AX
	MOVQ AX, U_RAX(BP)
	JMP  norestart
interruptwait:
	// A native futex wait is about to be restarted by the host: end it.
	MOVQ $-4, U_RAX(BP)
	ADDQ $2, U_RIP(BP)
norestart:
	MOVQ $SLOT(7), R15
	MOVQ H_DTOP(BX), R8
	TESTQ R8, R8
	JNZ  hastop
	MOVQ U_RSP(BP), R8
	SUBQ $128, R8
hastop:
	MOVQ U_FP(BP), SI
	MOVQ SI, R9
	TESTQ SI, SI
	JZ   nofp
	MOVL $512, CX
	CMPL 464(SI), $0x46505853  // FP_XSTATE_MAGIC1
	JNE  legacyfp
	MOVL 468(SI), CX           // extended_size
legacyfp:
	SUBQ CX, R8
	ANDQ $~63, R8
	MOVQ R8, R9
	MOVQ R8, DI
	REP; MOVSB
nofp:
	SUBQ $440, R8
	ANDQ $~15, R8
	SUBQ $8, R8
	MOVQ H_DRESTORER(BX), AX
	MOVQ AX, 0(R8)
	LEAQ 8(R8), DI
	MOVQ BP, SI
	MOVL $UC_WORDS, CX
	REP; MOVSQ
	LEAQ H_DINFO(BX), SI
	MOVL $16, CX
	REP; MOVSQ
	MOVQ R9, (8+U_FP)(R8)
	MOVQ H_DOLDMASK(BX), AX
	MOVQ AX, (8+U_MASK)(R8)
	MOVQ H_DSTACK(BX), AX
	MOVQ AX, (8+U_SS_SP)(R8)
	MOVQ (H_DSTACK+8)(BX), AX
	MOVQ AX, (8+U_SS_FLAGS)(R8)
	MOVQ (H_DSTACK+16)(BX), AX
	MOVQ AX, (8+U_SS_SIZE)(R8)
	XORL R15, R15
	MOVQ H_DHANDLER(BX), AX
	MOVQ AX, U_RIP(BP)
	MOVQ R8, U_RSP(BP)
	MOVLQZX H_DSIGNO(BX), AX
	MOVQ AX, U_RDI(BP)
	LEAQ 312(R8), AX
	MOVQ AX, U_RSI(BP)
	LEAQ 8(R8), AX
	MOVQ AX, U_RDX(BP)
	MOVQ $0, U_RAX(BP)
	MOVQ H_DSIGNO(BX), DI
	BTQ  $32, DI
	JCC  keepaction
	// SA_RESETHAND: the kernel has changed the table; tell the host's.
	MOVL DI, DI
	MOVL DI, AX
	DECL AX
	SHLL $5, AX
	MOVQ H_SIGTAB(BX), SI
	ADDQ AX, SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $13, AX
	SYSCALL
keepaction:
	MOVQ $0, U_FP(BP)          // a handler starts with a fresh FPU
	ANDQ $~0x10500, U_FLAGS(BP) // RF, DF, TF
	MOVQ H_DNEWMASK(BX), AX
	XCHGQ AX, H_MASK(BX)
	CMPQ H_PENDING(BX), $0
	JEQ  sigret
	MOVQ H_MASK(BX), DI
	XORL SI, SI
	MOVL $OP_MASK, AX
	SYSCALL
	JMP  sigret

	// ---- fork --------------------------------------------------------------------
	// The plain case goes to the host's clone at once: the kernel sees the guest's
	// flags in r8 (which the host ignores), and stores token and id of the child in
	// our header before it lets the call go on.
fork:
	MOVQ DI, R8
	ANDL $0x200000, DI         // CLONE_CHILD_CLEARTID
	ORL  $0x8000, DI           // CLONE_PARENT
	XORL SI, SI
	XORL DX, DX
	MOVQ U_R10(BP), R10
	XORL R9, R9
	MOVQ BX, R13
	MOVQ BP, R14
	MOVL $56, AX
	SYSCALL
	MOVQ H_CPID(BX), R12
	TESTQ AX, AX
	JZ   child
	JLT  clonefailed
	MOVQ R12, AX
	JMP  setrax

	// ---- clone -------------------------------------------------------------------
actclone:
	MOVQ H_CMAPLEN(BX), SI
	TESTQ SI, SI
	JZ   clonemapped
	MOVQ H_CBASE(BX), DI
	MOVL $3, DX
	MOVL $0x100022, R10        // MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE
	MOVQ $-1, R8
	XORL R9, R9
	MOVL $9, AX
	SYSCALL
	CMPQ AX, $-4095
	JCC  clonefailed
clonemapped:
	MOVQ BX, R13               // the child's header and ucontext: by default
	MOVQ BP, R14               // its own copies of ours
	XORL SI, SI
	MOVQ H_CHDR(BX), AX
	TESTQ AX, AX
	JZ   docla
	// The child shares our memory: give it a header and a copy of our frame.
	MOVQ AX, R13
	LEAQ -8(BP), SI
	MOVQ BX, CX
	SUBQ SI, CX                // frame's length up to the header
	MOVQ R13, DI
	SUBQ CX, DI
	MOVQ DI, R12               // child's frame
	LEAQ 8(DI), R14
	SHRQ $3, CX
	REP; MOVSQ
	MOVQ U_FP(BP), AX
	TESTQ AX, AX
	JZ   childnofp
	SUBQ BX, AX
	ADDQ R13, AX
	MOVQ AX, U_FP(R14)
childnofp:
	MOVQ H_CBASE(BX), AX
	MOVQ AX, U_SS_SP(R14)
	MOVQ $0, U_SS_FLAGS(R14)
	SUBQ R13, AX
	NEGQ AX
	MOVQ AX, U_SS_SIZE(R14)
	MOVQ H_MASK(BX), AX
	MOVQ AX, H_MASK(R13)
	MOVQ $0, H_PENDING(R13)
	MOVQ H_CTOKEN(BX), AX
	MOVQ AX, H_CTOKEN(R13)
	MOVQ H_CPID(BX), AX
	MOVQ AX, H_CPID(R13)
	MOVQ H_SIGTAB(BX), SI
	MOVQ H_CSIGTAB(BX), DI
	MOVQ DI, H_SIGTAB(R13)
	CMPQ DI, SI
	JEQ  sametab
	MOVL $(SIGTAB_SIZE/8), CX
	REP; MOVSQ
sametab:
	MOVQ H_PID(BX), AX
	TESTQ $0x10000, H_CFLAGS(BX) // CLONE_THREAD
	JNZ  childpid
	MOVQ H_CPID(BX), AX
childpid:
	MOVQ AX, H_PID(R13)
	MOVQ R12, SI
docla:
	MOVQ H_CSP(BX), R9
	MOVQ H_CPID(BX), R12
	MOVQ H_CFLAGS(BX), DI
	XORL DX, DX
	MOVQ H_CTID(BX), R10
	MOVQ H_CTLS(BX), R8
	MOVL $56, AX
	SYSCALL
	TESTQ AX, AX
	JZ   child
	JLT  clonefailed
	MOVQ R12, AX
	JMP  setrax
clonefailed:
	CMPQ AX, $-38
	JEQ  die
	MOVQ H_CTOKEN(BX), DI
	MOVQ AX, SI
	MOVL $OP_CLONED, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	CMPQ AX, $ACT_MAX
	JLT  action
	JMP  setrax
child:
	CMPQ R13, BX
	JNE  childtid
	MOVQ R12, H_PID(BX)        // a fork: the header is our own copy
	MOVQ $0, H_PENDING(BX)
childtid:
	MOVQ R13, BX
	MOVQ R14, BP
	LEAQ -8(BP), SP
	MOVQ R12, H_TID(BX)
	TESTQ R9, R9
	JZ   childsp
	MOVQ R9, U_RSP(BP)
childsp:
	MOVQ $C_PDEATH, AX
	CMPQ (AX), $0
	JEQ  childtell
	MOVL $1, DI                // PR_SET_PDEATHSIG
	MOVL $9, SI
	MOVL $157, AX
	SYSCALL
childtell:
	MOVQ H_CTOKEN(BX), DI
	MOVQ BX, SI
	MOVL $OP_CHILD, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	MOVQ $0, U_RAX(BP)
	CMPQ AX, $ACT_MAX
	JLT  action
	JMP  sigret

	// ---- exec --------------------------------------------------------------------
actexec:
	MOVL $1, DI                // the stub image
	MOVQ $C_EMPTY, SI
	MOVQ $C_ARGV, DX
	MOVQ $C_ENVP, R10
	MOVL $0x1000, R8           // AT_EMPTY_PATH
	MOVL $322, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	MOVQ AX, DI
	MOVL $OP_NOEXEC, AX
	SYSCALL
	JMP  action

	// A fresh image: run the constant set-up batch, then ask for the program.
start:
	MOVQ $C_HDR, AX
	MOVQ (AX), BX
	MOVQ $C_BATCH, R12
	MOVQ $C_NBOOT, AX
	MOVQ (AX), R13
	MOVL $3, R15
	JMP  runbatch
started:
	XORL R15, R15
	LEAQ H_OWNTAB(BX), AX
	MOVQ AX, H_SIGTAB(BX)
	MOVQ SP, DI
	MOVQ R13, SI
	MOVQ AX, DX
	MOVL $OP_START, AX
	SYSCALL
	CMPQ AX, $-38
	JEQ  die
	JMP  action

#include "zygote_amd64.h"

	// The end, for the Go side to find.
	PCALIGN $16
	BYTE $'L'; BYTE $'o'; BYTE $'d'; BYTE $'g'; BYTE $'e'; BYTE $'r'; BYTE $'E'; BYTE $'n'
