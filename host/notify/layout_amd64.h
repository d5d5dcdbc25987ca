// SPDX-License-Identifier: Apache-2.0

// Layout of the stub region, shared by the assembly and (by name, in
// layout.go, checked by a test) by the Go side.

#define STUB_BASE   0x7f0000000000
#define STUB_CODE   0x7f0000001000
#define STUB_END    0x7f0000010000

// Slots of 16 bytes at STUB_CODE whose addresses are known to both sides.
#define SLOT(n)     (STUB_CODE + 16*n)

// Constants page (read-only, at STUB_BASE).
#define C_HDR       0x7f0000000400
#define C_NBOOT     0x7f0000000408
#define C_FWLO      0x7f0000000410
#define C_FWHI      0x7f0000000418
#define C_PDEATH    0x7f0000000420
#define C_ARGV      0x7f0000000430
#define C_EMPTY     0x7f0000000440
#define C_ENVP      0x7f0000000448
#define C_NZYG      0x7f0000000450
#define C_ZSTACK    0x7f0000000458
#define C_ZSLOT     0x7f0000000460
#define C_ZMSG      0x7f0000000468
#define C_ZCMSGFD   0x7f0000000470
#define C_ZFLAGS1   0x7f0000000478
#define C_ZFLAGS2   0x7f0000000480
#define C_ZFPROG    0x7f0000000488
#define C_ZINFO     0x7f0000000490
#define C_ZDFL      0x7f0000000498
#define C_TRACE     0x7f00000004c0
#define C_BATCH     0x7f0000000500

// Thread header (one page, directly above the thread's alternate stack).
#define H_TID       0x00
#define H_PID       0x08
#define H_MASK      0x10
#define H_PENDING   0x18
#define H_SIGTAB    0x20
#define H_KICKED    0x28
#define H_RESULT    0x30
#define H_NBATCH    0x38
#define H_BATCHRES  0x40
#define H_DEADLINE  0x48  // struct timespec
#define H_CFLAGS    0x60  // clone command
#define H_CTOKEN    0x68
#define H_CPID      0x70
#define H_CHDR      0x78
#define H_CBASE     0x80
#define H_CMAPLEN   0x88
#define H_CSP       0x90
#define H_CTID      0x98
#define H_CTLS      0xa0
#define H_CSIGTAB   0xa8
#define H_DSIGNO    0xb0  // delivery descriptor
#define H_DHANDLER  0xb8
#define H_DRESTORER 0xc0
#define H_DTOP      0xc8
#define H_DOLDMASK  0xd0
#define H_DNEWMASK  0xd8
#define H_DRESTART  0xe0
#define H_DSTACK    0xe8  // stack_t, 24 bytes
#define H_DREADY    0x58  // nonzero: the descriptor is for the next kick
#define H_DINFO     0x100 // siginfo, 128 bytes
#define H_BATCH     0x180
#define H_UC        0x600
#define H_OWNTAB    0x800
#define SIGTAB_SIZE 2048

// ucontext offsets.
#define U_SS_SP     16
#define U_SS_FLAGS  24
#define U_SS_SIZE   32
#define U_R8        40
#define U_R9        48
#define U_R10       56
#define U_R15       96
#define U_RDI       104
#define U_RSI       112
#define U_RDX       136
#define U_RAX       144
#define U_RCX       152
#define U_RSP       160
#define U_RIP       168
#define U_FLAGS     176
#define U_ERR       192
#define U_TRAPNO    200
#define U_FP        224
#define U_MASK      296
#define UC_WORDS    38

// Stub calls: system call numbers that only the stub issues.
#define OP_KICK     0x8001
#define OP_FAULT    0x8002
#define OP_START    0x8003
#define OP_CHILD    0x8004
#define OP_BATCH    0x8005
#define OP_MASK     0x8006
#define OP_BADFRAME 0x8007
#define OP_CLONED   0x8008
#define OP_NOEXEC   0x8009
#define OP_FRAME    0x10000
#define OP_TRACED   0x20000

// What the kernel answers to a stub call, outside any result's range.
#define ACT_MAX     -0x10000
#define ACT_RESUME  -0x10001
#define ACT_RESULT  -0x10002
#define ACT_DELIVER -0x10003
#define ACT_REWIND  -0x10004
#define ACT_PARK    -0x10005
#define ACT_BATCH   -0x10006
#define ACT_BATCHRES -0x10007
#define ACT_CLONE   -0x10008
#define ACT_EXEC    -0x10009
#define ACT_GO      -0x1000a
#define ACT_ENOSYS  -0x1000b

#define STUB_SIGNALS 0x400006d8 // ILL TRAP BUS FPE USR1 SEGV SYS, as bits signo-1
#define UNMASKABLE  0x40100   // SIGKILL, SIGSTOP
#define KICK_BIT    0x200     // SIGUSR1
#define SA_KNOWN    0xdc000807 // the sa_flags that Linux keeps
