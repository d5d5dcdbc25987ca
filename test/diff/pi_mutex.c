// SPDX-License-Identifier: Apache-2.0
//
// priority inheritance mutexes: contention, trylock, timed lock, dead owner

#include "t.h"

static pthread_mutex_t m, r;
static long n;
static void *work(void *a)
{
	for (int i = 0; i < 3000; i++) {
		pthread_mutex_lock(&m);
		n++;
		pthread_mutex_unlock(&m);
	}
	return 0;
}
static void *hold(void *a) { pthread_mutex_lock(&m); *(volatile int *)a = 1; nap(80); pthread_mutex_unlock(&m); return 0; }
static void *die(void *a) { pthread_mutex_lock(&r); return 0; }

int main(void)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	say("init -> %s", en(pthread_mutex_init(&m, &a)));
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], 0, work, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	SHOW(n);
	volatile int held = 0;
	pthread_create(&t[0], 0, hold, (void *)&held);
	while (!held)
		nap(1);
	say("trylock -> %s", en(pthread_mutex_trylock(&m)));
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 10000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	say("timedlock -> %s", en(pthread_mutex_timedlock(&m, &ts)));
	say("lock -> %s", en(pthread_mutex_lock(&m)));
	pthread_mutex_unlock(&m);
	pthread_join(t[0], 0);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&r, &a);
	pthread_create(&t[0], 0, die, 0);
	pthread_join(t[0], 0);
	say("robust -> %s", en(pthread_mutex_lock(&r)));
	pthread_mutex_consistent(&r);
	pthread_mutex_unlock(&r);
	say("then -> %s", en(pthread_mutex_lock(&r)));
	int word = 0;
	OK(futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
	word = 1 << 28;
	OK(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
	word = gettid();
	OK(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
	OK(futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
	SHOW(word);
	OK(futex(&word, FUTEX_TRYLOCK_PI, 0, 0, 0, 0));
	SHOW(word == gettid());
}
