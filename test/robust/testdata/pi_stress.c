// SPDX-License-Identifier: Apache-2.0
//
// PI mutexes under contention: between threads, between processes, with timed
// waits, and with owners that are killed while others wait.

#include "../../diff/t.h"

static struct shared {
	pthread_mutex_t plain, robust;
	long n, m, dead;
} *s;

static void init(pthread_mutex_t *m, int robust)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (robust)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &a);
}

static void *work(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		struct timespec ts;
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec += i % 7 == 0 ? 0 : 30;
		int r = pthread_mutex_timedlock(&s->plain, &ts);
		if (r == ETIMEDOUT) {
			pthread_mutex_lock(&s->plain);
			r = 0;
		}
		if (r == 0) {
			s->n++;
			pthread_mutex_unlock(&s->plain);
		}
	}
	return 0;
}

static int take(void)
{
	int r = pthread_mutex_lock(&s->robust);
	if (r == EOWNERDEAD) {
		s->dead++;
		pthread_mutex_consistent(&s->robust);
		r = 0;
	}
	return r;
}

int main(void)
{
	s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	init(&s->plain, 0);
	init(&s->robust, 1);
	pid_t p[3];
	for (int i = 0; i < 3; i++)
		p[i] = CHILD(pthread_t t; pthread_create(&t, 0, work, 0); work(0); pthread_join(t, 0));
	for (int i = 0; i < 3; i++)
		waitpid(p[i], 0, 0);
	say("counted %ld", s->n);
	// each child is killed or exits with the lock held, while others wait
	for (int i = 0; i < 40; i++) {
		pid_t k = CHILD(take(); nap(3); if (i % 2) kill(getpid(), SIGKILL); else _exit(0));
		pid_t w = CHILD(nap(1); if (take() == 0) { s->m++; pthread_mutex_unlock(&s->robust); });
		waitpid(k, 0, 0);
		waitpid(w, 0, 0);
	}
	say("taken %ld", s->m);
	say("dead %d", s->dead > 30);
	return 0;
}
