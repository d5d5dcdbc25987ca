// SPDX-License-Identifier: Apache-2.0
//
// create, join, detach, TLS, keys with destructors, cancellation, return values, many threads

#include "t.h"

static _Thread_local int tls = 5;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic int count;

static void destroy(void *p) { count += (long)p; }
static void just_once(void) { count += 1000; }
static void cleanup(void *p) { say("cleanup %s", (char *)p); }
static void *simple(void *a)
{
	tls += (long)a;
	pthread_setspecific(key, (void *)1);
	pthread_once(&once, just_once);
	return (void *)(long)tls;
}
static void *sleeper(void *a)
{
	pthread_cleanup_push(cleanup, "sleeper");
	nap(10000);
	pthread_cleanup_pop(0);
	return 0;
}
static void *spinner(void *a)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	for (;;)
		;
	return 0;
}
static void *stubborn(void *a)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
	nap(200);
	count = 77;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, 0);
	pthread_testcancel();
	count = 78;
	return 0;
}
static void *readblock(void *a) { char c; read(*(int *)a, &c, 1); return 0; }
static void *bigstack(void *a) { volatile char b[900 * 1024]; b[0] = b[sizeof b - 1] = 3; return (void *)(long)(b[0] + b[sizeof b - 1]); }
static void *det(void *a) { count++; return 0; }
static void *ids(void *a) { return (void *)(long)(gettid() != getpid() && syscall(SYS_getpid) == getpid()); }

int main(void)
{
	pthread_t t[50];
	void *r;
	pthread_key_create(&key, destroy);
	long sum = 0;
	for (long i = 0; i < 50; i++)
		pthread_create(&t[i], 0, simple, (void *)i);
	for (int i = 0; i < 50; i++) {
		pthread_join(t[i], &r);
		sum += (long)r;
	}
	say("sum %ld tls of main %d count %d", sum, tls, count);
	pthread_create(t, 0, sleeper, 0);
	nap(20);
	pthread_cancel(t[0]);
	pthread_join(t[0], &r);
	SHOW(r == PTHREAD_CANCELED);
	pthread_create(t, 0, spinner, 0);
	nap(20);
	pthread_cancel(t[0]);
	pthread_join(t[0], &r);
	SHOW(r == PTHREAD_CANCELED);
	pthread_create(t, 0, stubborn, 0);
	nap(10);
	pthread_cancel(t[0]);
	pthread_join(t[0], &r);
	say("%d %d", r == PTHREAD_CANCELED, count);
	int pp[2];
	pipe(pp);
	pthread_create(t, 0, readblock, &pp[0]);
	nap(20);
	pthread_cancel(t[0]);
	pthread_join(t[0], &r);
	SHOW(r == PTHREAD_CANCELED);
	pthread_attr_t a;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 1 << 20);
	pthread_create(t, &a, bigstack, 0);
	pthread_join(t[0], &r);
	SHOW((long)r);
	pthread_create(t, 0, ids, 0);
	pthread_join(t[0], &r);
	SHOW((long)r);
	SHOW(gettid() == getpid());
	count = 0;
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 100; i++)
		if (pthread_create(t, &a, det, 0))
			i--, nap(1);
	while (count < 100)
		nap(1);
	say("detached %d", count);
	for (int i = 0; i < 300; i++) {
		pthread_create(t, 0, det, 0);
		pthread_join(t[0], 0);
	}
	say("one after another %d", count);
}
