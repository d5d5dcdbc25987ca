// SPDX-License-Identifier: Apache-2.0
//
// mutex kinds, condition variables with timeouts, semaphores, barriers, rwlocks

#include "t.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t b;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static long n, turn, serial;

static void *add(void *a)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&m);
		n++;
		pthread_mutex_unlock(&m);
	}
	return 0;
}
static void *pingpong(void *a)
{
	long me = (long)a;
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&m);
		while (turn % 3 != me)
			pthread_cond_wait(&c, &m);
		turn++;
		pthread_cond_broadcast(&c);
		pthread_mutex_unlock(&m);
	}
	return 0;
}
static void *bar(void *a)
{
	for (int i = 0; i < 50; i++)
		if (pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
	return 0;
}
static void *reader(void *a)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_rdlock(&rw);
		if (n & 1)
			turn = -1;
		pthread_rwlock_unlock(&rw);
	}
	return 0;
}
static void *writer(void *a)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_wrlock(&rw);
		n++;
		sched_yield();
		n++;
		pthread_rwlock_unlock(&rw);
	}
	return 0;
}
static void *poster(void *a) { for (int i = 0; i < 100; i++) sem_post(&sem); return 0; }

static struct timespec in(int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}
static void run(int k, void *(*f)(void *), pthread_t *t) { for (long i = 0; i < k; i++) pthread_create(&t[i], 0, f, (void *)i); }
static void join(int k, pthread_t *t) { for (int i = 0; i < k; i++) pthread_join(t[i], 0); }

int main(void)
{
	pthread_t t[8];
	run(4, add, t);
	join(4, t);
	SHOW(n);
	run(3, pingpong, t);
	join(3, t);
	SHOW(turn);
	pthread_barrier_init(&b, 0, 4);
	run(4, bar, t);
	join(4, t);
	SHOW(serial);
	n = 0;
	run(2, writer, t);
	run(3, reader, t + 2);
	join(5, t);
	say("n %ld torn %d", n, turn == -1);
	sem_init(&sem, 0, 0);
	run(2, poster, t);
	for (int i = 0; i < 200; i++)
		sem_wait(&sem);
	join(2, t);
	OK(sem_trywait(&sem));
	struct timespec ts = in(20);
	OK(sem_timedwait(&sem, &ts));
	pthread_mutex_lock(&m);
	ts = in(20);
	say("cond_timedwait -> %s", en(pthread_cond_timedwait(&c, &m, &ts)));
	say("trylock of my own -> %s", en(pthread_mutex_trylock(&m)));
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_t e;
	pthread_mutex_init(&e, &a);
	pthread_mutex_lock(&e);
	say("errorcheck relock -> %s", en(pthread_mutex_lock(&e)));
	pthread_mutex_unlock(&e);
	say("errorcheck unlock -> %s", en(pthread_mutex_unlock(&e)));
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&e, &a);
	pthread_mutex_lock(&e);
	say("recursive -> %s", en(pthread_mutex_lock(&e)));
	// shared between processes
	sem_t *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(s, 1, 0);
	sem_init(s + 1, 1, 0);
	pid_t p = CHILD(for (int i = 0; i < 100; i++) { sem_wait(s); sem_post(s + 1); });
	for (int i = 0; i < 100; i++) {
		sem_post(s);
		sem_wait(s + 1);
	}
	reap(p);
}
