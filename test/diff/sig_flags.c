// SPDX-License-Identifier: Apache-2.0
//
// SA_NODEFER, SA_RESETHAND, sa_mask, nesting order

#include "t.h"

static int depth;
static void nested(int s, siginfo_t *si, void *u)
{
	int d = depth++;
	say("%*senter %d", d * 2, "", d);
	if (d < 2)
		raise(s);
	say("%*sleave %d", d * 2, "", d);
	depth--;
}
static void deferred(int s, siginfo_t *si, void *u)
{
	static int n;
	int me = ++n;
	say("enter %d", me);
	if (me < 3)
		raise(s);
	say("leave %d", me);
}
static void outer(int s, siginfo_t *si, void *u)
{
	sigset_t m;
	sigprocmask(SIG_BLOCK, 0, &m);
	say("in %s: USR1 %d USR2 %d TERM %d blocked", sn(s), sigismember(&m, SIGUSR1), sigismember(&m, SIGUSR2), sigismember(&m, SIGTERM));
	raise(SIGTERM);
	raise(SIGUSR2);
	say("leaving %s", sn(s));
}
static void inner(int s, siginfo_t *si, void *u) { say("inner %s", sn(s)); }
static void reset(int s, siginfo_t *si, void *u)
{
	struct sigaction o;
	sigaction(s, 0, &o);
	say("reset: now default %d", o.sa_handler == SIG_DFL);
}

int main(void)
{
	on(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	on(SIGUSR1, deferred, 0);
	raise(SIGUSR1);
	struct sigaction sa = { .sa_sigaction = outer, .sa_flags = SA_SIGINFO };
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGTERM);
	sigaction(SIGUSR1, &sa, 0);
	on(SIGTERM, inner, 0);
	on(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	sigset_t m;
	sigprocmask(SIG_BLOCK, 0, &m);
	say("after: USR1 %d TERM %d blocked", sigismember(&m, SIGUSR1), sigismember(&m, SIGTERM));
	pid_t p = CHILD(on(SIGUSR1, reset, SA_RESETHAND); raise(SIGUSR1); raise(SIGUSR1));
	reap(p);
	// several pending at once: standard signals lowest first, each handler
	// interrupted at once by the next (so the last one pushed runs first)
	on(SIGUSR1, inner, 0);
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	raise(SIGTERM);
	raise(SIGUSR2);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, &old, 0);
}
