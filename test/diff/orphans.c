// SPDX-License-Identifier: Apache-2.0
//
// reparenting to a subreaper, getppid after the parent's death, PDEATHSIG

#include "t.h"

int main(void)
{
	int v = -1;
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	SHOW(v);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	SHOW(v);
	pid_t me = getpid();
	int pp[2], go[2], ack[2];
	MUST(pipe(pp));
	MUST(pipe(go));
	MUST(pipe(ack));
	// The grandchild reports its parent before and after the child dies.
	pid_t c = CHILD(
		pid_t mid = getpid();
		if (fork() == 0) {
			char x = getppid() == mid ? 'y' : 'n';
			write(pp[1], &x, 1);
			close(go[1]);
			read(go[0], &x, 1);
			for (int i = 0; i < 400 && getppid() == mid; i++) nap(5);
			x = getppid() == me ? 'y' : 'n';
			write(pp[1], &x, 1);
			_exit(42);
		}
		char y; read(ack[0], &y, 1));
	char x;
	read(pp[0], &x, 1);
	write(ack[1], "a", 1);
	reap(c);
	say("before: parent is the child: %c", x);
	close(go[1]);
	close(go[0]);
	read(pp[0], &x, 1);
	say("after: parent is the subreaper: %c", x);
	int st;
	SHOW(wait(&st) > 0);
	say("orphan %s", status(st));
	OK(wait(0));

	// the subreaper flag is not inherited by fork
	c = CHILD(prctl(PR_GET_CHILD_SUBREAPER, &v); SHOW(v));
	reap(c);

	// PDEATHSIG comes when the parent dies, and is cleared on fork
	MUST(pipe(pp));
	c = CHILD(
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			int s = 0; prctl(PR_GET_PDEATHSIG, &s); say("pdeathsig %s", sn(s));
			if (fork() == 0) { prctl(PR_GET_PDEATHSIG, &s); say("in its child %s", sn(s)); _exit(0); }
			wait(0);
			sigset_t w = set1(SIGUSR1);
			sigprocmask(SIG_BLOCK, &w, 0);
			write(pp[1], "r", 1);
			siginfo_t si;
			int r = sigwaitinfo(&w, &si);
			say("got %s, code SI_USER or kernel: %d", sn(r), si.si_code <= 0 || si.si_code == SI_KERNEL);
			_exit(0);
		}
		read(pp[0], &x, 1));
	wait_quiet(c);
	say("grandchild %s", status((wait(&st), st)));
	OK(prctl(PR_SET_PDEATHSIG, 65));
	OK(prctl(PR_SET_PDEATHSIG, 0));
}
