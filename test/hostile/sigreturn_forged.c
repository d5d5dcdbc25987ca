// SPDX-License-Identifier: Apache-2.0
//
// frames that block all signals and spin, wrong segments, odd pointers

#include "h.h"

static volatile int never;
static void spin(void) { for (;;) never++; }

// forge restores a context of our own making.
static void forge(unsigned long rip, unsigned long rsp, unsigned long mask, unsigned short cs, void *fp, unsigned long fl, unsigned long stack)
{
	static struct { void *ret; ucontext_t uc; char room[4096]; } f __attribute__((aligned(64)));
	memset(&f, 0, sizeof f);
	greg_t *g = f.uc.uc_mcontext.gregs;
	g[REG_RIP] = rip;
	g[REG_RSP] = rsp;
	g[REG_EFL] = fl;
	g[REG_CSGSFS] = cs | (unsigned long)0x2b << 48;
	f.uc.uc_mcontext.fpregs = fp;
	memcpy(&f.uc.uc_sigmask, &mask, 8);
	f.uc.uc_stack.ss_sp = (void *)stack;
	f.uc.uc_stack.ss_size = stack ? 65536 : 0;
	f.uc.uc_stack.ss_flags = stack ? 0 : SS_DISABLE;
	asm volatile("mov %0,%%rsp; mov %1,%%eax; syscall" :: "r"(&f.uc), "i"(SYS_rt_sigreturn) : "memory");
}

static char other[65536] __attribute__((aligned(4096)));

// doomed starts a child that forges its frame and then asks signals of the
// guest, an order to stop and SIGKILL to reach it.
static void doomed(const char *name, int sig, unsigned long rip, unsigned long mask, unsigned short cs, void *fp, unsigned long fl, unsigned long stack)
{
	pid_t p = CHILD(forge(rip, (unsigned long)other + 60000, mask, cs, fp, fl, stack));
	nap(50);
	kill(p, sig);
	long long t = now_ms();
	int st = 0;
	while (waitpid(p, &st, WNOHANG) == 0 && now_ms() - t < 5000)
		nap(5);
	if (now_ms() - t >= 5000) {
		ESCAPED("%s: outlived %s by five seconds", name, sn(sig));
		kill(p, SIGKILL);
	}
}

int main(int argc, char **argv)
{
	start(argc, argv);
	unsigned long s = (unsigned long)spin;
	// The guest may block SIGTERM by right; it may not block the kernel's kick.
	// So what must work in each case is SIGKILL.
	doomed("all blocked", SIGKILL, s, -1UL, 0x33, 0, 0x202, 0);
	doomed("plain", SIGTERM, s, 0, 0x33, 0, 0x202, 0);
	doomed("blocked, stack in the stub", SIGKILL, s, -1UL, 0x33, 0, 0x202, STUB);
	doomed("blocked, own stack", SIGKILL, s, -1UL, 0x33, 0, 0x202, (unsigned long)other);
	doomed("garbage fpstate", SIGKILL, s, -1UL, 0x33, other, 0x202, 0);
	doomed("kernel fpstate", SIGKILL, s, -1UL, 0x33, (void *)0xffff800000000000UL, 0x202, 0);
	doomed("32-bit segment", SIGKILL, s & 0xffffffff, -1UL, 0x23, 0, 0x202, 0);
	doomed("kernel segment", SIGKILL, s, -1UL, 0x10, 0, 0x202, 0);
	doomed("trap flag", SIGKILL, s, -1UL, 0x33, 0, 0x302, 0);
	doomed("io privilege", SIGKILL, s, -1UL, 0x33, 0, 0x3202, 0);
	doomed("alignment check", SIGKILL, s, -1UL, 0x33, 0, 0x40202, 0);
	doomed("non-canonical rip", SIGKILL, 0x8000000000000000UL, -1UL, 0x33, 0, 0x202, 0);
	for (unsigned long a = STUB; a < STUB + STUB_LEN; a += 257)
		ATTEMPT("rip in the stub", 100, forge(a, (unsigned long)other + 60000, -1UL, 0x33, 0, 0x202, 0));
	// blocked threads must go when the group execs or exits
	pid_t p = CHILD(pthread_t t; pthread_create(&t, 0, (void *(*)(void *))(void *)spin, 0); block(0);
		sigset_t all; sigfillset(&all); sigprocmask(SIG_SETMASK, &all, 0);
		pthread_create(&t, 0, (void *(*)(void *))(void *)spin, 0); nap(50); execl("/proc/self/exe", "x", "exit", (char *)0));
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	if (await(p, 5000) == -1)
		ESCAPED("exec over blocked threads");
	return finish();
}
