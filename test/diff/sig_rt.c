// SPDX-License-Identifier: Apache-2.0
//
// real time signals queue, deliver in order, and have a limit

#include "t.h"

static int vals[64], n;
static void h(int s, siginfo_t *si, void *u) { if (n < 64) vals[n++] = (s - SIGRTMIN) * 100 + si->si_value.sival_int; }

int main(void)
{
	for (int i = 0; i < 4; i++)
		on(SIGRTMIN + i, h, 0);
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	union sigval v;
	for (int i = 0; i < 3; i++)
		for (int k = 3; k >= 0; k--) {
			v.sival_int = i;
			MUST(sigqueue(getpid(), SIGRTMIN + k, v));
		}
	sigprocmask(SIG_SETMASK, &old, 0);
	SHOW(n);
	for (int i = 0; i < n; i++)
		say("%03d", vals[i]);
	// limit
	struct rlimit rl = { 5, 5 };
	pid_t p = CHILD(
		if (getuid() == 0) setresuid(60001, 60001, 60001);
		setrlimit(RLIMIT_SIGPENDING, &rl);
		sigprocmask(SIG_SETMASK, &all, 0);
		int k = 0;
		while (k < 50 && sigqueue(getpid(), SIGRTMIN, v) == 0) k++;
		say("queued up to the limit %d then %s", k > 0 && k <= 5, k < 50 ? en(errno) : "no limit"); // other processes of the user count
		OK(kill(getpid(), SIGUSR1));
		OK(kill(getpid(), SIGRTMIN + 1)));
	reap(p);
}
