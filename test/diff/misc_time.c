// SPDX-License-Identifier: Apache-2.0
//
// clocks, nanosleep relative and absolute, remaining time, resolution, times, getrusage

#include "t.h"

static void h(int s, siginfo_t *i, void *u) {}

int main(void)
{
	struct timespec t, t2, rem;
	int c[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
	for (int i = 0; i < 8; i++) {
		int r = clock_gettime(c[i], &t);
		syscall(SYS_clock_gettime, c[i], &t2);
		long long d = (t2.tv_sec - t.tv_sec) * 1000000000LL + t2.tv_nsec - t.tv_nsec;
		say("clock %d: %d, vdso and syscall agree %d", c[i], r, d >= 0 && d < 1000000000LL);
	}
	OK(clock_gettime(77, &t));
	OK(clock_getres(CLOCK_MONOTONIC, &t));
	say("%ld.%ld", (long)t.tv_sec, t.tv_nsec);
	OK(clock_getres(77, &t));
	long long a = now_ms();
	t = (struct timespec){ 0, 30000000 };
	OK(nanosleep(&t, 0));
	say("slept %d", now_ms() - a >= 29);
	clock_gettime(CLOCK_MONOTONIC, &t);
	a = now_ms();
	t.tv_nsec += 30000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_sec++, t.tv_nsec -= 1000000000;
	say("abs -> %s", en(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0)));
	say("slept %d", now_ms() - a >= 28);
	say("past -> %s", en(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0)));
	say("cpu clock of the thread -> %s", en(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, 0)));
	t.tv_nsec = 1000000000;
	OK(nanosleep(&t, 0));
	t.tv_nsec = -1;
	OK(nanosleep(&t, 0));
	OK(nanosleep((void *)8, 0));
	on(SIGALRM, h, 0);
	beat(30);
	t = (struct timespec){ 100, 0 };
	OK(nanosleep(&t, &rem));
	say("remaining %d", rem.tv_sec == 99);
	say("-> %s", en(clock_nanosleep(CLOCK_REALTIME, 0, &t, &rem)));
	say("remaining %d", rem.tv_sec == 99);
	beat(0);
	// a stop and a continue do not shorten a sleep
	pid_t p = CHILD(long long s = now_ms(); nap(150); _exit(now_ms() - s >= 149));
	nap(20);
	kill(p, SIGSTOP);
	nap(20);
	kill(p, SIGCONT);
	reap(p);
	struct tms tm;
	clock_t k = times(&tm);
	SHOW(k > 0);
	SHOW(sysconf(_SC_CLK_TCK));
	struct rusage ru;
	for (volatile long i = 0; i < 30000000; i++)
		;
	getrusage(RUSAGE_SELF, &ru);
	say("user time counted %d, maxrss %d", ru.ru_utime.tv_usec + ru.ru_utime.tv_sec > 0, ru.ru_maxrss > 0);
	p = CHILD(for (volatile long i = 0; i < 100000000; i++) ;);
	int st;
	struct rusage cu;
	wait4(p, &st, 0, &cu);
	say("wait4 rusage %d", cu.ru_utime.tv_sec * 1000000 + cu.ru_utime.tv_usec > 1000);
	getrusage(RUSAGE_CHILDREN, &ru);
	say("children %d", ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec > 1000);
	OK(getrusage(55, &ru));
	OK(getrusage(RUSAGE_THREAD, &ru));
	struct timeval tv;
	OK(gettimeofday(&tv, 0));
	SHOW(time(0) - tv.tv_sec <= 1);
	clockid_t pc;
	say("clock_getcpuclockid -> %s", en(clock_getcpuclockid(0, &pc)));
	OK(clock_gettime(pc, &t));
}
