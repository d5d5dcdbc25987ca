// SPDX-License-Identifier: Apache-2.0

// The zygote's part of the stub: a piece of stub_amd64.s.

	// ---- zygote --------------------------------------------------------------------
	// Init of the guest's host pid namespace. It is not filtered and never runs
	// guest code: it sets up the box, makes the first guest process and stays.
zstart:
	MOVQ $C_BATCH, R12
	MOVQ $C_NZYG, AX
	MOVQ (AX), R13
	MOVL $4, R15
	JMP  runbatch
zbatched:
	TESTQ R13, R13
	JNZ  zfail
	MOVL $0x511, DI            // CLONE_VM|CLONE_FILES; SIGCHLD at its end, and so at its forks'
	MOVQ $C_ZSTACK, AX
	MOVQ (AX), SI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $56, AX
	SYSCALL
	MOVL $1000, R14
	TESTQ AX, AX
	JLT  zfail
	JZ   zchild
	MOVQ $C_ZSLOT, AX
	MOVQ (AX), R12
zwait:
	MOVL (R12), R13
	TESTL R13, R13
	JNZ  zgot
	MOVQ R12, DI
	XORL SI, SI                // FUTEX_WAIT
	XORL DX, DX
	XORL R10, R10
	MOVL $202, AX
	SYSCALL
	JMP  zwait
zgot:
	MOVLQSX R13, AX
	MOVL $1001, R14
	TESTQ AX, AX
	JLT  zfail
	// Hand the listener to the kernel.
	MOVQ $C_ZCMSGFD, AX
	MOVQ (AX), AX
	MOVL R13, (AX)
	XORL DI, DI
	MOVQ $C_ZMSG, AX
	MOVQ (AX), SI
	XORL DX, DX
	MOVL $46, AX
	SYSCALL
	MOVL $1002, R14
	TESTQ AX, AX
	JLT  zfail
	MOVL R13, DI
	MOVL $3, AX
	SYSCALL
	// Children are reaped by the host, since SIGCHLD is ignored: a wake-up for each
	// would cost a fork a tenth of its time. Wait for the kernel's end.
	MOVQ $C_ZINFO, AX
	MOVQ (AX), R12
zidle:
	XORL DI, DI
	MOVQ R12, SI
	MOVL $8, DX
	XORL AX, AX
	SYSCALL
	CMPQ AX, $-4
	JEQ  zidle
	JMP  zexit
zfail:
	// Report entry and errno, as 16 bytes.
	PUSHQ AX
	PUSHQ R14
	XORL DI, DI
	MOVQ SP, SI
	MOVL $16, DX
	MOVL $1, AX
	SYSCALL
zexit:
	XORL DI, DI
	MOVL $231, AX
	SYSCALL
	JMP  die
zchild:
	MOVL $17, DI               // the zygote ignores SIGCHLD, guests do not
	MOVQ $C_ZDFL, AX
	MOVQ (AX), SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $13, AX
	SYSCALL
	// Without a pid namespace nothing else ends us with a zygote that dies early.
	MOVL $1, DI                // PR_SET_PDEATHSIG
	MOVL $9, SI
	MOVL $157, AX
	SYSCALL
	MOVL $1, DI                // SECCOMP_SET_MODE_FILTER
	MOVQ $C_ZFLAGS1, AX
	MOVQ (AX), SI
	MOVQ $C_ZFPROG, AX
	MOVQ (AX), DX
	MOVL $317, AX
	SYSCALL
	CMPQ AX, $-22
	JNE  zfiltered
	MOVL $1, DI
	MOVQ $C_ZFLAGS2, AX
	MOVQ (AX), SI
	MOVQ $C_ZFPROG, AX
	MOVQ (AX), DX
	MOVL $317, AX
	SYSCALL
zfiltered:
	MOVQ AX, R13
	MOVQ $C_ZSLOT, CX
	MOVQ (CX), DI
	XCHGL AX, (DI)
	MOVL $1, SI                // FUTEX_WAKE
	MOVL $1, DX
	MOVL $202, AX
	SYSCALL
	TESTQ R13, R13
	JGE  actexec
	XORL DI, DI
	MOVL $60, AX
	SYSCALL
	JMP  die
