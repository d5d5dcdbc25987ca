// SPDX-License-Identifier: Apache-2.0
//
// installing, raising, ignoring, blocking, pending, old action reported

#include "t.h"

static volatile int n;
static void h(int s, siginfo_t *si, void *u) { n++; say("handler %s", sn(s)); }
static void plain(int s) { say("plain handler %s", sn(s)); }

int main(void)
{
	struct sigaction old;
	MUST(sigaction(SIGUSR1, 0, &old));
	SHOW(old.sa_handler == SIG_DFL);
	on(SIGUSR1, h, 0);
	OK(raise(SIGUSR1));
	SHOW(n);
	MUST(sigaction(SIGUSR1, 0, &old));
	SHOW(old.sa_sigaction == h);
	SHOW((old.sa_flags & SA_SIGINFO) != 0);
	signal(SIGUSR2, plain);
	raise(SIGUSR2);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	block(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	SHOW(n);
	sigset_t s;
	sigpending(&s);
	SHOW(sigismember(&s, SIGUSR1));
	unblock(SIGUSR1);
	SHOW(n);
	// a pending signal that becomes ignored is dropped
	block(SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&s);
	SHOW(sigismember(&s, SIGUSR1));
	unblock(SIGUSR1);
	// errors
	struct sigaction sa = { .sa_handler = plain };
	OK(sigaction(SIGKILL, &sa, 0));
	OK(sigaction(SIGSTOP, &sa, 0));
	OK(sigaction(0, &sa, 0));
	OK(sigaction(65, &sa, 0));
	OK(syscall(SYS_rt_sigaction, SIGUSR1, &sa, 0, 4));
	OK(syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8));
	OK(syscall(SYS_rt_sigprocmask, 77, &s, 0, 8));
	OK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &s, 0, 4));
	OK(syscall(SYS_rt_sigprocmask, 77, 0, &s, 8));
	OK(kill(getpid(), 65));
	OK(kill(getpid(), -1));
	OK(kill(getpid(), 0));
	OK(kill(1 << 29, 0));
	OK(syscall(SYS_tgkill, getpid(), getpid(), 65));
	OK(syscall(SYS_tgkill, getpid(), 1 << 29, 0));
	OK(syscall(SYS_tgkill, 0, getpid(), 0));
	OK(syscall(SYS_tgkill, getppid(), getpid(), 0));
	OK(syscall(SYS_tkill, getpid(), 0));
	OK(syscall(SYS_tkill, 0, 0));
	// KILL and STOP cannot be blocked: they vanish from the mask
	sigfillset(&s);
	sigprocmask(SIG_SETMASK, &s, 0);
	sigprocmask(SIG_BLOCK, 0, &s);
	SHOW(sigismember(&s, SIGKILL));
	SHOW(sigismember(&s, SIGSTOP));
	SHOW(sigismember(&s, SIGTERM));
}
