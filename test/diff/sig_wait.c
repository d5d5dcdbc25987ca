// SPDX-License-Identifier: Apache-2.0
//
// sigsuspend, sigtimedwait, sigwaitinfo, pause: masks and results

#include "t.h"

static void h(int s, siginfo_t *si, void *u)
{
	sigset_t m;
	sigprocmask(SIG_BLOCK, 0, &m);
	say("handler %s, USR2 blocked %d", sn(s), sigismember(&m, SIGUSR2));
}

int main(void)
{
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigset_t s = set1(SIGUSR2), cur;
	OK(sigsuspend(&s));
	sigprocmask(SIG_BLOCK, 0, &cur);
	say("mask restored: USR1 %d USR2 %d", sigismember(&cur, SIGUSR1), sigismember(&cur, SIGUSR2));
	struct timespec zero = { 0, 0 }, ms = { 0, 20000000 }, bad = { 0, 2000000000 };
	s = set1(SIGUSR1);
	siginfo_t si;
	OK(sigtimedwait(&s, &si, &zero));
	OK(sigtimedwait(&s, &si, &ms));
	OK(sigtimedwait(&s, &si, &bad));
	raise(SIGUSR1);
	say("took %s", sn(sigtimedwait(&s, &si, &zero)));
	say("code tkill %d", si.si_code == SI_TKILL);
	OK(sigtimedwait(&s, &si, &zero));
	pid_t me = getpid();
	block(SIGRTMIN + 1);
	union sigval v = { .sival_int = 9 };
	pid_t p = CHILD(settle(me); sigqueue(me, SIGRTMIN + 1, v));
	sigaddset(&s, SIGRTMIN + 1);
	say("took %s", sn(sigwaitinfo(&s, &si)));
	say("value %d sender right %d", si.si_value.sival_int, si.si_pid == p);
	wait_quiet(p);
	// lowest number first, then order of queueing
	sigfillset(&s);
	sigprocmask(SIG_SETMASK, &s, 0);
	for (int i = 0; i < 3; i++) {
		v.sival_int = i;
		sigqueue(me, SIGRTMIN + 5, v);
		sigqueue(me, SIGRTMIN + 2, v);
		kill(me, SIGUSR2);
		kill(me, SIGHUP);
	}
	for (;;) {
		int r = sigtimedwait(&s, &si, &zero);
		if (r < 0)
			break;
		say("%s value %d", sn(r), si.si_code == SI_QUEUE ? si.si_value.sival_int : -1);
	}
	// thread-directed before process-directed? the thread's own queue is looked at first
	kill(me, SIGUSR1);
	syscall(SYS_tgkill, me, me, SIGTERM);
	say("first %s", sn(sigtimedwait(&s, &si, &zero)));
	say("second %s", sn(sigtimedwait(&s, &si, &zero)));
	// SIGKILL in the set is not accepted but does no harm
	OK(sigtimedwait(&s, &si, &zero));
}
