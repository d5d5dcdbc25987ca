// SPDX-License-Identifier: Apache-2.0
//
// sigaltstack, SA_ONSTACK, stack overflow, nested use, fork and exec

#include "t.h"

static char *st;
static int size = 64 * 1024;
static int depth;

static int inside(void)
{
	char c;
	return &c >= st && &c < st + size;
}

static void h(int s, siginfo_t *si, void *u)
{
	stack_t o;
	sigaltstack(0, &o);
	ucontext_t *uc = u;
	say("%s on altstack %d, SS_ONSTACK %d, uc_stack size right %d", sn(s), inside(), !!(o.ss_flags & SS_ONSTACK),
	    uc->uc_stack.ss_size == (size_t)size);
	stack_t n = { .ss_sp = st, .ss_size = size };
	if (inside())
		OK(sigaltstack(&n, 0));
	if (depth++ < 2)
		raise(SIGUSR2);
}

static sigjmp_buf jb;
static void seg(int s, siginfo_t *si, void *u)
{
	say("%s overflow handled on altstack %d", sn(s), inside());
	siglongjmp(jb, 1);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int __attribute__((noinline)) deep(volatile char *p)
{
	volatile char b[4096];
	b[0] = p ? *p : 0;
	return deep(b) + b[0];
}

int main(void)
{
	stack_t s = { 0 };
	OK(sigaltstack(0, &s));
	SHOW(s.ss_flags == SS_DISABLE);
	st = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s = (stack_t){ .ss_sp = st, .ss_size = 1000 };
	OK(sigaltstack(&s, 0));
	s = (stack_t){ .ss_sp = st, .ss_size = size, .ss_flags = 77 };
	OK(sigaltstack(&s, 0));
	s.ss_flags = 0;
	OK(sigaltstack(&s, 0));
	on(SIGUSR1, h, SA_ONSTACK);
	on(SIGUSR2, h, 0);
	raise(SIGUSR2);
	depth = 0;
	raise(SIGUSR1);
	pid_t p = CHILD(stack_t o; sigaltstack(0, &o); say("child keeps it: %d", o.ss_sp == st));
	reap(p);
	struct rlimit rl = { 1 << 20, 1 << 20 };
	setrlimit(RLIMIT_STACK, &rl);
	on(SIGSEGV, seg, SA_ONSTACK);
	if (sigsetjmp(jb, 1) == 0)
		deep(0);
	say("survived");
	// overflow without an alternate stack kills
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	s.ss_flags = SS_DISABLE;
	OK(sigaltstack(&s, 0));
	on(SIGSEGV, seg, 0);
	p = CHILD(deep(0));
	reap(p);
	// SS_AUTODISARM
	s = (stack_t){ .ss_sp = st, .ss_size = size, .ss_flags = 1U << 31 };
	OK(sigaltstack(&s, 0));
	depth = 9;
	raise(SIGUSR1);
	sigaltstack(0, &s);
	SHOW(s.ss_sp == st);
}
