// SPDX-License-Identifier: Apache-2.0
//
// SIGCHLD's siginfo, SA_NOCLDSTOP, SA_NOCLDWAIT, ignored SIGCHLD

#include "t.h"

static volatile int count;
static siginfo_t last;
static void h(int s, siginfo_t *si, void *u) { count++; last = *si; }

static const char *cld(int c)
{
	static const char *n[] = { "?", "EXITED", "KILLED", "DUMPED", "TRAPPED", "STOPPED", "CONTINUED" };
	return n[c >= 0 && c <= 6 ? c : 0];
}

static void until(int n)
{
	sigset_t s;
	sigemptyset(&s);
	while (count < n)
		sigsuspend(&s);
}

int main(void)
{
	block(SIGCHLD);
	on(SIGCHLD, h, 0);
	pid_t p = CHILD(_exit(5));
	until(1);
	say("CLD_%s status %d pid right %d uid right %d", cld(last.si_code), last.si_status, last.si_pid == p, last.si_uid == getuid());
	reap(p);
	p = CHILD(for (;;) pause());
	kill(p, SIGSTOP);
	until(2);
	say("CLD_%s status %s", cld(last.si_code), sn(last.si_status));
	kill(p, SIGCONT);
	until(3);
	say("CLD_%s status %s", cld(last.si_code), sn(last.si_status));
	kill(p, SIGKILL);
	until(4);
	say("CLD_%s status %s", cld(last.si_code), sn(last.si_status));
	reap(p);

	on(SIGCHLD, h, SA_NOCLDSTOP);
	p = CHILD(for (;;) pause());
	int st;
	kill(p, SIGSTOP);
	MUST(waitpid(p, &st, WUNTRACED));
	sigset_t pend;
	sigpending(&pend);
	say("NOCLDSTOP: pending after stop %d", sigismember(&pend, SIGCHLD));
	kill(p, SIGKILL);
	until(5);
	reap(p);

	on(SIGCHLD, h, SA_NOCLDWAIT);
	p = CHILD(_exit(1));
	until(6);
	say("NOCLDWAIT: CLD_%s", cld(last.si_code));
	OK(waitpid(p, 0, 0));
	signal(SIGCHLD, SIG_IGN);
	p = CHILD(_exit(1));
	OK(waitpid(p, 0, 0));
	// explicit SIG_IGN waits for the last child and then says ECHILD
	for (int i = 0; i < 5; i++)
		CHILD(nap(20 * i));
	OK(wait(0));
	signal(SIGCHLD, SIG_DFL);
	p = CHILD(_exit(6));
	reap(p);
}
