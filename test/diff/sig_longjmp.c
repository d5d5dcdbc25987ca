// SPDX-License-Identifier: Apache-2.0
//
// leaving handlers by siglongjmp, again and again, in and out of syscalls

#include "t.h"

static sigjmp_buf jb;
static void h(int s, siginfo_t *si, void *u) { siglongjmp(jb, s); }
static void h2(int s, siginfo_t *si, void *u) { longjmp(jb, s); }

int main(void)
{
	on(SIGSEGV, h, 0);
	volatile int n = 0;
	for (volatile int i = 0; i < 1000; i++)
		if (sigsetjmp(jb, 1) == 0)
			*(volatile int *)8 = 1;
		else
			n++;
	SHOW(n);
	on(SIGALRM, h, 0);
	int pp[2];
	pipe(pp);
	n = 0;
	char c;
	beat(5);
	for (volatile int i = 0; i < 20; i++)
		if (sigsetjmp(jb, 1) == 0)
			read(pp[0], &c, 1);
		else
			n++;
	beat(0);
	SHOW(n);
	on(SIGUSR1, h2, 0);
	if (sigsetjmp(jb, 0) == 0)
		raise(SIGUSR1);
	sigset_t m;
	sigprocmask(SIG_BLOCK, 0, &m);
	say("longjmp leaves it blocked: %d", sigismember(&m, SIGUSR1));
}
