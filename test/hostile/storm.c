// SPDX-License-Identifier: Apache-2.0
//
// kills, forks, execs, threads and signals against each other for a while

#include "h.h"

static volatile int stop;
static void h(int s, siginfo_t *i, void *u) {}
static void *maker(void *a)
{
	while (!stop) {
		pid_t p = fork();
		if (p == 0) {
			if ((long)a & 1)
				execl("/proc/self/exe", "x", "quick", (char *)0);
			_exit(0);
		}
		if (p > 0) {
			if ((long)a & 2)
				kill(p, SIGKILL);
			waitpid(p, 0, 0);
		}
	}
	return 0;
}
static void *quick(void *a) { return 0; }
static void *threads(void *a)
{
	while (!stop) {
		pthread_t t;
		if (pthread_create(&t, 0, quick, 0) == 0)
			pthread_join(t, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "quick"))
		return 0;
	start(argc, argv);
	for (int r = 0; r < 20; r++) {
		pid_t p = CHILD(on(SIGUSR1, h, SA_RESTART); on(SIGALRM, h, 0); beat(3);
			pthread_t t; for (long i = 0; i < 4; i++) pthread_create(&t, 0, maker, (void *)i);
			for (int i = 0; i < 2; i++) pthread_create(&t, 0, threads, 0);
			for (;;) { kill(getpid(), SIGUSR1); sched_yield(); });
		nap(20 + rnd() % 100);
		if (r & 1)
			kill(p, SIGSTOP), nap(5), kill(p, SIGCONT);
		kill(p, SIGKILL);
		if (await(p, 5000) == -1)
			ESCAPED("round %d cannot be killed", r);
	}
	pid_t p = CHILD(_exit(3));
	if (WEXITSTATUS(wait_quiet(p)) != 3)
		ESCAPED("guest is not well afterwards");
	return finish();
}
