// SPDX-License-Identifier: Apache-2.0
//
// masks, pending and ignored signals over exec; handlers reset

#include "t.h"

static void h(int s, siginfo_t *si, void *u) {}

int main(int argc, char **argv)
{
	if (argc > 1) {
		struct sigaction a;
		sigaction(SIGUSR1, 0, &a);
		say("handled before exec: default %d", a.sa_handler == SIG_DFL);
		sigaction(SIGUSR2, 0, &a);
		say("ignored before exec: ignored %d", a.sa_handler == SIG_IGN);
		sigaction(SIGCHLD, 0, &a);
		say("ignored SIGCHLD: ignored %d", a.sa_handler == SIG_IGN);
		sigset_t s;
		sigprocmask(SIG_BLOCK, 0, &s);
		say("mask: TERM %d HUP %d", sigismember(&s, SIGTERM), sigismember(&s, SIGHUP));
		sigpending(&s);
		say("pending: TERM %d RTMIN %d", sigismember(&s, SIGTERM), sigismember(&s, SIGRTMIN));
		stack_t st;
		sigaltstack(0, &st);
		say("altstack disabled %d", st.ss_flags == SS_DISABLE);
		struct itimerval it;
		getitimer(ITIMER_REAL, &it);
		say("itimer survives %d", it.it_value.tv_sec > 50);
		int sig = 0;
		prctl(PR_GET_PDEATHSIG, &sig);
		say("pdeathsig %s", sn(sig));
		timer_t t = 0;
		OK(timer_gettime(t, &(struct itimerspec){ 0 }));
		return 0;
	}
	on(SIGUSR1, h, 0);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	block(SIGTERM);
	block(SIGRTMIN);
	raise(SIGTERM);
	raise(SIGRTMIN);
	static char st[65536];
	stack_t s = { .ss_sp = st, .ss_size = sizeof st };
	sigaltstack(&s, 0);
	alarm(100);
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	timer_t t;
	MUST(timer_create(CLOCK_MONOTONIC, 0, &t));
	execl("/proc/self/exe", "sig_exec", "again", (char *)0);
	say("exec: %s", en(errno));
}
