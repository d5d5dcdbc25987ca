// SPDX-License-Identifier: Apache-2.0
//
// a handler edits the interrupted registers and mask; what syscalls return

#include "t.h"

static void fix(int s, siginfo_t *si, void *u)
{
	ucontext_t *uc = u;
	uc->uc_mcontext.gregs[REG_RIP] += 2; // over ud2
	uc->uc_mcontext.gregs[REG_RAX] = 777;
}
static void setmask(int s, siginfo_t *si, void *u)
{
	sigaddset(&((ucontext_t *)u)->uc_sigmask, SIGUSR2);
}
static char page[8192] __attribute__((aligned(4096)));
static void grant(int s, siginfo_t *si, void *u)
{
	ucontext_t *uc = u;
	say("fault error code: write %d, trapno %lld", !!(uc->uc_mcontext.gregs[REG_ERR] & 2), uc->uc_mcontext.gregs[REG_TRAPNO]);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}
static void seterr(int s, siginfo_t *si, void *u)
{
	ucontext_t *uc = u;
	say("rax seen by the handler %lld", (long long)uc->uc_mcontext.gregs[REG_RAX]);
	uc->uc_mcontext.gregs[REG_RAX] = 55;
}

int main(void)
{
	on(SIGILL, fix, 0);
	long r;
	asm volatile("mov $1,%%rax; ud2; mov %%rax,%0" : "=r"(r) :: "rax");
	SHOW(r);
	on(SIGUSR1, setmask, 0);
	raise(SIGUSR1);
	sigset_t m;
	sigprocmask(SIG_BLOCK, 0, &m);
	say("mask set through the context: USR2 %d USR1 %d", sigismember(&m, SIGUSR2), sigismember(&m, SIGUSR1));
	mprotect(page, 4096, PROT_READ);
	on(SIGSEGV, grant, 0);
	page[1] = 3;
	say("write done at second try: %d", page[1]);
	// a signal during a call: the handler sees -EINTR in rax and may replace it
	on(SIGALRM, seterr, 0);
	int pp[2];
	pipe(pp);
	char c;
	ualarm(20000, 0);
	asm volatile("syscall" : "=a"(r) : "a"(SYS_read), "D"(pp[0]), "S"(&c), "d"(1) : "rcx", "r11", "memory");
	SHOW(r);
	// a signal raised by kill on oneself is handled before kill returns
	asm volatile("syscall" : "=a"(r) : "a"(SYS_getpid) : "rcx", "r11", "memory");
	on(SIGUSR1, seterr, 0);
	asm volatile("syscall" : "=a"(r) : "a"(SYS_kill), "D"(r), "S"(SIGUSR1) : "rcx", "r11", "memory");
	SHOW(r);
}
