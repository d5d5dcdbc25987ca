// SPDX-License-Identifier: Apache-2.0
//
// which thread gets a signal; tgkill; masks per thread; wait in one thread

#include "t.h"

static pthread_t tid[3];
static _Atomic int got[3], ready;
static _Thread_local int me = -1;
static void h(int s, siginfo_t *si, void *u) { if (me >= 0) got[me]++; else say("main got %s", sn(s)); }

static void *th(void *a)
{
	me = (long)a;
	sigset_t s = set1(SIGUSR1);
	pthread_sigmask(me == 1 ? SIG_UNBLOCK : SIG_BLOCK, &s, 0);
	ready++;
	while (!got[me])
		nap(2);
	return 0;
}
static void *waiter(void *a)
{
	sigset_t s = set1(SIGTERM);
	int sig;
	sigwait(&s, &sig);
	say("sigwait thread took %s", sn(sig));
	return 0;
}

int main(void)
{
	on(SIGUSR1, h, 0);
	on(SIGUSR2, h, 0);
	block(SIGUSR1);
	for (long i = 0; i < 3; i++)
		pthread_create(&tid[i], 0, th, (void *)i);
	while (ready < 3)
		nap(1);
	kill(getpid(), SIGUSR1);
	pthread_join(tid[1], 0);
	say("process signal went to the only thread that takes it: %d %d %d", got[0], got[1], got[2]);
	pthread_kill(tid[0], SIGUSR2);
	pthread_join(tid[0], 0);
	say("after pthread_kill: %d %d %d", got[0], got[1], got[2]);
	pthread_kill(tid[2], SIGUSR1);
	nap(20);
	say("blocked in thread 2: %d", got[2]);
	sigset_t p;
	sigpending(&p);
	say("main does not see it pending: %d", sigismember(&p, SIGUSR1));
	pthread_kill(tid[2], SIGUSR2);
	pthread_join(tid[2], 0);
	say("after: %d", got[2]);
	block(SIGTERM);
	pthread_t w;
	pthread_create(&w, 0, waiter, 0);
	nap(20);
	kill(getpid(), SIGTERM);
	pthread_join(w, 0);
	// a fatal signal to one thread kills the process
	pid_t c = CHILD(got[0] = 0; unblock(SIGTERM); pthread_create(&w, 0, th, (void *)0); pthread_kill(w, SIGTERM); for (;;) pause());
	reap(c);
	// stop and continue all threads
	c = CHILD(got[1] = 0; ready = 0; pthread_create(&w, 0, th, (void *)1); while (!ready) nap(1); for (;;) pause());
	nap(20);
	int st;
	kill(c, SIGSTOP);
	waitpid(c, &st, WUNTRACED);
	say("%s", status(st));
	kill(c, SIGKILL);
	reap(c);
}
