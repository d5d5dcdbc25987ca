// SPDX-License-Identifier: Apache-2.0
//
// forks, threads, pipes, signals and files all at once; totals must be exact

#include "t.h"

static _Atomic long *sum;
static void h(int s, siginfo_t *i, void *u) { sum[1]++; }
static void *th(void *a)
{
	for (int i = 0; i < 30; i++) {
		int p[2];
		if (pipe(p))
			continue;
		char b[8];
		write(p[1], "12345678", 8);
		if (read(p[0], b, 8) == 8)
			sum[0] += 8;
		close(p[0]);
		close(p[1]);
		char n[40];
		sprintf(n, "t%d.%ld", getpid(), (long)a);
		put(n, "x");
		sum[2] += unlink(n) == 0;
		void *m = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(m, 1, 65536);
		munmap(m, 65536);
	}
	return 0;
}

int main(void)
{
	sum = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 6; i++)
		CHILD(
			on(SIGUSR1, h, SA_RESTART);
			pthread_t t[4];
			for (long k = 0; k < 4; k++) pthread_create(&t[k], 0, th, (void *)k);
			for (int k = 0; k < 20; k++) { pid_t q = CHILD(sum[3]++; _exit(k)); sum[4] += WEXITSTATUS(wait_quiet(q)); raise(SIGUSR1); }
			for (int k = 0; k < 4; k++) pthread_join(t[k], 0));
	int st, ok = 0;
	while (wait(&st) > 0)
		ok += st == 0;
	say("children %d bytes %ld signals %ld files %ld forks %ld codes %ld", ok, sum[0], sum[1], sum[2], sum[3], sum[4]);
}
