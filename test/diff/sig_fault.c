// SPDX-License-Identifier: Apache-2.0
//
// SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP: codes and addresses

#include "t.h"

static sigjmp_buf jb;
static siginfo_t last;
static volatile void *want;
static void h(int s, siginfo_t *si, void *u) { last = *si; siglongjmp(jb, 1); }

static const char *code(void)
{
	int s = last.si_signo, c = last.si_code;
	if (s == SIGSEGV)
		return c == SEGV_MAPERR ? "MAPERR" : c == SEGV_ACCERR ? "ACCERR" : c == SI_KERNEL ? "KERNEL" : "?";
	if (s == SIGBUS)
		return c == BUS_ADRERR ? "ADRERR" : c == BUS_ADRALN ? "ADRALN" : "?";
	if (s == SIGFPE)
		return c == FPE_INTDIV ? "INTDIV" : c == FPE_FLTDIV ? "FLTDIV" : c == FPE_FLTINV ? "FLTINV" : "?";
	if (s == SIGILL)
		return c == ILL_ILLOPN ? "ILLOPN" : c == ILL_ILLOPC ? "ILLOPC" : "?";
	if (s == SIGTRAP)
		return c == TRAP_BRKPT ? "BRKPT" : c == TRAP_TRACE ? "TRACE" : c == SI_KERNEL ? "KERNEL" : "?";
	return "?";
}

#define TRY(what, addr, ...) do { want = (void *)(addr); \
	if (sigsetjmp(jb, 1) == 0) { __VA_ARGS__; say("%s: no signal", what); } \
	else say("%s: %s %s addr right %d", what, sn(last.si_signo), code(), last.si_addr == want); } while (0)

int main(void)
{
	int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	for (int i = 0; i < 5; i++)
		on(sigs[i], h, 0);
	volatile char *m = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap((void *)(m + 4096), 4096);
	TRY("null read", 0, (void)*(volatile char *)want);
	TRY("null write", 8, *(volatile char *)want = 1);
	TRY("hole read", m + 4100, (void)*(volatile char *)want);
	mprotect((void *)m, 4096, PROT_READ);
	TRY("write to read-only", m + 5, *(volatile char *)want = 1);
	mprotect((void *)m, 4096, PROT_NONE);
	TRY("read of PROT_NONE", m + 9, (void)*(volatile char *)want);
	TRY("jump to data", m + 8192, ((void (*)(void))want)());
	TRY("jump to nowhere", m + 4096, ((void (*)(void))want)());
	TRY("write to code", main, *(volatile char *)want = 1);
	TRY("non-canonical", 0, *(volatile char *)0x8000000000000000UL = 1);
	TRY("kernel address", 0xffff800000000000UL, (void)*(volatile char *)want);
	int fd = open("short", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 100);
	volatile char *f = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TRY("in the last page past EOF", f + 4000, (void)*(volatile char *)want);
	TRY("page past EOF", f + 4096, (void)*(volatile char *)want);
	TRY("write past EOF", f + 4098, *(volatile char *)want = 1);
	ftruncate(fd, 0);
	TRY("truncated away", f, (void)*(volatile char *)want);
	volatile int zero = 0, one = 1;
	TRY("integer division", want, one = one / zero);
	say("  (address is in code: %d)", last.si_addr != 0);
	TRY("hlt", 0, asm volatile("hlt"));
	TRY("ud2", 0, asm volatile("ud2"));
	TRY("int3", 0, asm volatile("int3"));
	TRY("int 0x81", 0, asm volatile("int $0x81"));
	// trap flag
	TRY("single step", 0, asm volatile("pushfq; orq $0x100,(%%rsp); popfq; nop; nop" ::: "memory", "cc"));
	// floating point exception unmasked
	TRY("sse divide", 0, unsigned mx = 0x1f80 & ~0x200; asm volatile("ldmxcsr %0" :: "m"(mx));
		volatile double a = 1, b = 0; a = a / b);
	// the same faults without a handler kill
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	pid_t p = CHILD(signal(SIGSEGV, SIG_DFL); *(volatile char *)0 = 1);
	reap(p);
	// blocked or ignored, they kill all the same
	p = CHILD(block(SIGSEGV); *(volatile char *)0 = 1);
	reap(p);
	p = CHILD(signal(SIGFPE, SIG_IGN); one = one / zero);
	reap(p);
	p = CHILD(signal(SIGILL, SIG_DFL); asm volatile("ud2"));
	reap(p);
}
