// SPDX-License-Identifier: Apache-2.0
//
// stub.h: how hostile programs make calls from the stub's own code with
// arguments of their choice, see the results and go on. The stub's batch loop
// takes its list from R12: give it ours, and an rt_sigreturn of ours at its end.

#ifndef HOSTILE_STUB_H
#define HOSTILE_STUB_H

#include "h.h"

// Stub calls and answers; host/notify/layout.go.
enum { OP_KICK = 0x8001, OP_START = 0x8003, OP_CHILD = 0x8004, OP_BATCH = 0x8005, OP_CLONED = 0x8008, OP_FRAME = 0x10000 };
enum { ACT_RESUME = -0x10001, ACT_BATCH = -0x10006, ACT_CLONE = -0x10008, ACT_EXEC = -0x10009, ACT_GO = -0x1000a };

// What the stub's constants page holds for its own execveat.
#define C_EMPTY (STUB + 0x440)
#define C_ARGV (STUB + 0x430)
#define C_ENVP (STUB + 0x448)

struct stubcall { // host/notify/image.go, batchEntry
	unsigned nr, flags;
	long a[6];
	long ret;
};

static unsigned long stub_loop;   // TESTQ R13, R13 of the batch loop
static unsigned long stub_header; // of the main thread

static void stub_find(void)
{
	const unsigned char *code = (void *)(STUB + 0x1000);
	for (int i = 0; i < 0x2000 && !stub_loop; i++)
		if (!memcmp(code + i, "\x4d\x85\xed", 3))
			for (int k = i + 3; k < i + 12; k++)
				if (!memcmp(code + k, "\x49\x8b\x7c\x24\x08", 5))
					stub_loop = (unsigned long)(code + i);
	for (unsigned long h = STUB + STUB_LEN; h < STUB + STUB_LEN + (1 << 17) && !stub_header; h += 4096)
		if (readable(h) && *(unsigned long *)(h + 0x20) == h + 0x800)
			stub_header = h;
	if (!stub_loop || !stub_header) {
		say("no batch loop or header found: this program is out of date");
		exit(1);
	}
}

static __thread jmp_buf stub_back;
static void stub_landing(void) { longjmp(stub_back, 1); }

// stub_calls makes n calls from the stub, in order. header is the thread's own:
// the alternate stack below it must stay the host's. One more entry is needed.
static void stub_calls_at(unsigned long header, struct stubcall *c, int n)
{
	struct { ucontext_t uc; char room[2048]; } f __attribute__((aligned(64)));
	static __thread char stack[1 << 16] __attribute__((aligned(64)));
	memset(&f, 0, sizeof f);
	memset(&c[n], 0, sizeof c[n]);
	c[n].nr = SYS_rt_sigreturn;
	greg_t *g = f.uc.uc_mcontext.gregs;
	g[REG_RIP] = (greg_t)stub_landing;
	g[REG_RSP] = (greg_t)(stack + sizeof stack - 8);
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] = 0x33 | (unsigned long)0x2b << 48;
	unsigned long base = STUB + STUB_LEN, size = stub_header - base;
	f.uc.uc_stack.ss_sp = (void *)(header - size);
	f.uc.uc_stack.ss_size = size;
	if (setjmp(stub_back))
		return;
	asm volatile("mov %0,%%r12; mov %1,%%r13; mov %2,%%rbx; mov %3,%%rcx; mov %4,%%rsp; xor %%r14d,%%r14d; mov $9,%%r15d; jmp *%%rcx"
		:: "r"(c), "r"((long)n + 1), "r"(header), "r"(stub_loop), "r"(&f.uc) : "memory", "r12", "r13", "r14", "r15", "rbx", "rcx");
	__builtin_unreachable();
}
static void stub_calls(struct stubcall *c, int n) { stub_calls_at(stub_header, c, n); }

static long stub_call(unsigned nr, long a, long b, long c, long d, long e, long f)
{
	struct stubcall l[2] = { { nr, 0, { a, b, c, d, e, f } } };
	stub_calls(l, 1);
	return l[0].ret;
}

#endif
