// SPDX-License-Identifier: Apache-2.0
//
// siginfo for kill, tgkill, sigqueue, raise, timers; forged siginfo refused

#include "t.h"

static siginfo_t last;
static void h(int s, siginfo_t *si, void *u)
{
	last = *si;
	const char *c = si->si_code == SI_USER ? "SI_USER" : si->si_code == SI_TKILL ? "SI_TKILL" :
		si->si_code == SI_QUEUE ? "SI_QUEUE" : si->si_code == SI_TIMER ? "SI_TIMER" :
		si->si_code == SI_KERNEL ? "SI_KERNEL" : "other";
	say("%s signo right %d errno %d code %s", sn(s), si->si_signo == s, si->si_errno, c);
}

int main(void)
{
	on(SIGUSR1, h, 0);
	on(SIGRTMIN, h, 0);
	on(SIGALRM, h, 0);
	kill(getpid(), SIGUSR1);
	say("pid right %d uid right %d", last.si_pid == getpid(), last.si_uid == getuid());
	raise(SIGUSR1);
	say("pid right %d uid right %d", last.si_pid == getpid(), last.si_uid == getuid());
	union sigval v = { .sival_int = 4711 };
	OK(sigqueue(getpid(), SIGRTMIN, v));
	say("value %d pid right %d", last.si_value.sival_int, last.si_pid == getpid());
	OK(sigqueue(getpid(), SIGUSR1, v));
	say("value %d", last.si_value.sival_int);
	OK(sigqueue(getpid(), 0, v));
	OK(sigqueue(getpid(), 65, v));
	OK(sigqueue(1 << 29, SIGUSR1, v));
	block(SIGUSR1);
	pid_t p = CHILD(kill(getppid(), SIGUSR1));
	wait_quiet(p);
	unblock(SIGUSR1);
	say("from the child: pid right %d", last.si_pid == p);
	siginfo_t f = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	f.si_pid = 12345;
	OK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &f));
	SHOW(last.si_pid);
	OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &f));
	// a code that only the kernel may use is refused to another process
	f.si_code = SI_USER;
	p = CHILD(OK(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &f)));
	reap(p);
	f.si_code = SI_TKILL;
	p = CHILD(OK(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &f)));
	reap(p);
	struct itimerval it = { { 0, 0 }, { 0, 1000 } };
	block(SIGALRM);
	setitimer(ITIMER_REAL, &it, 0);
	sigset_t s;
	sigemptyset(&s);
	sigsuspend(&s);
}
