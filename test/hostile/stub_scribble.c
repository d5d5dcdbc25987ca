// SPDX-License-Identifier: Apache-2.0
//
// garbage over every writable byte of the stub's region, by one thread and by a racing one

#include "h.h"

static sigjmp_buf jb;
static void bad(int s, siginfo_t *si, void *u) { siglongjmp(jb, 1); }
static volatile int kind;

static unsigned char byte(void) { return kind == 0 ? 0 : kind == 1 ? 0xff : kind == 2 ? 0x41 : rnd(); }

static void scribble(void)
{
	for (volatile unsigned long a = STUB; a < STUB + STUB_LEN; a += 4096) {
		if (sigsetjmp(jb, 1))
			continue; // read-only page
		for (volatile int i = 0; i < 4096; i++)
			((volatile unsigned char *)a)[i] = byte();
	}
}

static void calls(void)
{
	for (int i = 0; i < 50; i++) {
		struct sigaction sa = { .sa_handler = SIG_IGN };
		sigaction(1 + rnd() % 64, &sa, 0);
		sigset_t s = set1(1 + rnd() % 31);
		sigprocmask(SIG_BLOCK, &s, 0);
		kill(getpid(), SIGWINCH);
		if (is_canary(open(canary, O_RDONLY)))
			ESCAPED("canary opened after scribbling");
		pid_t p = fork();
		if (p == 0)
			_exit(0);
		if (p > 0)
			waitpid(p, 0, 0);
		mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
}
static void *forever(void *a) { for (;;) scribble(); return 0; }
static void *thread(void *a) { calls(); return 0; }

int main(int argc, char **argv)
{
	start(argc, argv);
	for (int k = 0; k < 4; k++) {
		kind = k;
		ATTEMPT("scribble", 2000, on(SIGSEGV, bad, SA_NODEFER); on(SIGBUS, bad, SA_NODEFER); scribble(); calls());
		ATTEMPT("scribble, then threads", 2000, on(SIGSEGV, bad, SA_NODEFER); scribble();
			pthread_t t[4]; for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, thread, 0); for (int i = 0; i < 4; i++) pthread_join(t[i], 0));
		ATTEMPT("scribble beside calls", 2000, on(SIGSEGV, bad, SA_NODEFER); pthread_t t; pthread_create(&t, 0, forever, 0); calls());
		ATTEMPT("scribble, then exec", 2000, on(SIGSEGV, bad, SA_NODEFER); scribble(); execl("/proc/self/exe", "x", (char *)0));
	}
	return finish();
}
