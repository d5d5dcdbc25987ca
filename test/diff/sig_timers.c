// SPDX-License-Identifier: Apache-2.0
//
// alarm, setitimer (real, virtual, prof), timer_create, overrun, errors

#include "t.h"

static volatile int n[65];
static siginfo_t last;
static void h(int s, siginfo_t *si, void *u) { n[s]++; last = *si; }

int main(void)
{
	int sigs[] = { SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1 };
	for (int i = 0; i < 4; i++)
		on(sigs[i], h, 0);
	SHOW(alarm(50));
	SHOW(alarm(0) > 48);
	struct itimerval it = { { 0, 0 }, { 0, 10000 } }, o;
	OK(setitimer(ITIMER_REAL, &it, 0));
	while (!n[SIGALRM])
		pause();
	getitimer(ITIMER_REAL, &o);
	say("one shot is off: %ld %ld", (long)o.it_value.tv_sec, (long)o.it_value.tv_usec);
	it.it_interval.tv_usec = 5000;
	setitimer(ITIMER_REAL, &it, 0);
	while (n[SIGALRM] < 5)
		pause();
	getitimer(ITIMER_REAL, &o);
	say("interval kept %ld", (long)o.it_interval.tv_usec);
	beat(0);
	OK(setitimer(ITIMER_VIRTUAL, &it, 0));
	while (!n[SIGVTALRM])
		;
	say("virtual timer fired");
	it.it_value.tv_usec = 0;
	setitimer(ITIMER_VIRTUAL, &it, 0);
	it.it_value.tv_usec = 10000;
	OK(setitimer(ITIMER_PROF, &it, 0));
	while (!n[SIGPROF])
		;
	say("prof timer fired");
	it.it_value.tv_usec = 0;
	setitimer(ITIMER_PROF, &it, 0);
	it.it_value.tv_usec = 1000000;
	OK(setitimer(ITIMER_REAL, &it, 0));
	it.it_value.tv_usec = -1;
	OK(setitimer(ITIMER_REAL, &it, 0));
	OK(setitimer(5, &o, 0));
	OK(getitimer(5, &o));

	timer_t t;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	ev.sigev_value.sival_int = 321;
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	struct itimerspec ts = { { 0, 0 }, { 0, 5000000 } }, g;
	OK(timer_settime(t, 0, &ts, 0));
	while (!n[SIGUSR1])
		pause();
	say("code SI_TIMER %d value %d overrun %d", last.si_code == SI_TIMER, last.si_value.sival_int, last.si_overrun);
	block(SIGUSR1);
	ts.it_interval.tv_nsec = 1000000;
	timer_settime(t, 0, &ts, 0);
	nap(60);
	sigset_t s = set1(SIGUSR1);
	siginfo_t si;
	sigwaitinfo(&s, &si);
	say("overruns counted %d, timer_getoverrun agrees %d", si.si_overrun >= 20, timer_getoverrun(t) == si.si_overrun);
	ts.it_value.tv_nsec = 0;
	OK(timer_settime(t, 0, &ts, &g));
	say("old interval %ld", g.it_interval.tv_nsec);
	clock_gettime(CLOCK_REALTIME, &ts.it_value);
	ts.it_interval.tv_nsec = 0;
	timer_t t2;
	OK(timer_create(CLOCK_REALTIME, &ev, &t2));
	OK(timer_settime(t2, TIMER_ABSTIME, &ts, 0));
	sigwaitinfo(&s, &si);
	say("absolute in the past fires at once");
	OK(timer_delete(t));
	OK(timer_delete(t));
	ts.it_value.tv_nsec = 2000000000;
	OK(timer_settime(t2, 0, &ts, 0));
	OK(timer_create(99, &ev, &t));
	ev.sigev_signo = 99;
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	ev.sigev_notify = SIGEV_NONE;
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	ts = (struct itimerspec){ { 0, 0 }, { 100, 0 } };
	timer_settime(t, 0, &ts, 0);
	timer_gettime(t, &g);
	say("counts down without a signal %d", g.it_value.tv_sec >= 98);
}
