// SPDX-License-Identifier: Apache-2.0
//
// wait, wake, bitset, requeue, wake_op, timeouts, errors; shared between processes

#include "t.h"

static int *w;
static _Atomic int awake;
static void *waiter(void *a)
{
	int r = futex(&w[0], FUTEX_WAIT, 0, 0, 0, 0);
	if (r == 0)
		awake++;
	return 0;
}
static void *bits(void *a)
{
	futex(&w[0], FUTEX_WAIT_BITSET, 0, 0, 0, (int)(long)a);
	awake++;
	return 0;
}

static void until(int n)
{
	for (int i = 0; i < 1000 && awake < n; i++)
		nap(2);
	nap(10);
}

int main(void)
{
	w = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec ts = { 0, 20000000 }, bad = { 0, 1000000000 }, abs;
	OK(futex(w, FUTEX_WAIT, 1, 0, 0, 0));
	OK(futex(w, FUTEX_WAIT, 0, &ts, 0, 0));
	OK(futex(w, FUTEX_WAIT_PRIVATE, 0, &ts, 0, 0));
	OK(futex(w, FUTEX_WAIT, 0, &bad, 0, 0));
	clock_gettime(CLOCK_MONOTONIC, &abs);
	OK(futex(w, FUTEX_WAIT_BITSET, 0, &abs, 0, FUTEX_BITSET_MATCH_ANY));
	clock_gettime(CLOCK_REALTIME, &abs);
	OK(futex(w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &abs, 0, FUTEX_BITSET_MATCH_ANY));
	OK(futex(w, FUTEX_WAIT_BITSET, 0, 0, 0, 0));
	OK(futex((char *)w + 1, FUTEX_WAIT, 0, &ts, 0, 0));
	OK(futex((void *)8, FUTEX_WAIT, 0, &ts, 0, 0));
	OK(futex(w, 99, 0, 0, 0, 0));
	VAL(futex(w, FUTEX_WAKE, 1, 0, 0, 0));
	pthread_t t[5];
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], 0, waiter, 0);
	nap(100);
	VAL(futex(w, FUTEX_WAKE, 2, 0, 0, 0));
	until(2);
	SHOW(awake);
	VAL(futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, &w[1], 0));
	until(3);
	SHOW(awake);
	OK(futex(w, FUTEX_CMP_REQUEUE, 1, (void *)1, &w[1], 7));
	VAL(futex(w, FUTEX_WAKE, 99, 0, 0, 0));
	until(4);
	VAL(futex(&w[1], FUTEX_WAKE, 99, 0, 0, 0));
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], 0);
	SHOW(awake);
	awake = 0;
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], 0, bits, (void *)(1L << i));
	nap(100);
	VAL(futex(w, FUTEX_WAKE_BITSET, 99, 0, 0, 8));
	VAL(futex(w, FUTEX_WAKE_BITSET, 99, 0, 0, 5));
	until(2);
	VAL(futex(w, FUTEX_WAKE, 99, 0, 0, 0));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	// WAKE_OP: w[1] += 3, wake one on w[0], and on w[1] if old value == 0
	w[1] = 0;
	VAL(futex(&w[0], FUTEX_WAKE_OP, 1, (void *)1, &w[1], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
	SHOW(w[1]);
	// processes
	w[0] = 0;
	pid_t c = CHILD(int r = futex(w, FUTEX_WAIT, 0, 0, 0, 0); _exit(r == 0 ? 5 : 6));
	int r = 0;
	for (int i = 0; i < 1000 && (r = futex(w, FUTEX_WAKE, 1, 0, 0, 0)) == 0; i++)
		nap(5);
	SHOW(r);
	reap(c);
	// two mappings of one file page are one futex
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 4096);
	int *a = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *b = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	c = CHILD(int q = futex(&b[4], FUTEX_WAIT, 0, 0, 0, 0); _exit(q == 0 ? 7 : 8));
	for (int i = 0; i < 1000 && (r = futex(&a[4], FUTEX_WAKE, 1, 0, 0, 0)) == 0; i++)
		nap(5);
	reap(c);
	// a private wake does not reach a shared waiter
	c = CHILD(struct timespec l = { 0, 100000000 }; int q = futex(w, FUTEX_WAIT, 0, &l, 0, 0); _exit(q == 0 ? 1 : errno == ETIMEDOUT ? 2 : 3));
	nap(30);
	VAL(futex(w, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
	reap(c);
}
