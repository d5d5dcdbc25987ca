// SPDX-License-Identifier: Apache-2.0
//
// owners that die: threads, killed processes, exec; list walked by the kernel

#include "t.h"

static pthread_mutex_t *m;

static void make(void)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 4; i++)
		pthread_mutex_init(&m[i], &a);
}
static void *die(void *a) { pthread_mutex_lock(&m[0]); return 0; }
static void *rawdie(void *a) { pthread_mutex_lock(&m[1]); syscall(SYS_exit, 0); return 0; }

static void take(int i)
{
	int r = pthread_mutex_lock(&m[i]);
	say("lock %d -> %s", i, en(r));
	if (r == EOWNERDEAD)
		say("consistent -> %s", en(pthread_mutex_consistent(&m[i])));
	if (r == 0 || r == EOWNERDEAD)
		say("unlock -> %s", en(pthread_mutex_unlock(&m[i])));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make();
	pthread_t t;
	pthread_create(&t, 0, die, 0);
	pthread_join(t, 0);
	take(0);
	pthread_create(&t, 0, rawdie, 0);
	pthread_join(t, 0);
	take(1);
	take(1);
	pid_t p = CHILD(pthread_mutex_lock(&m[2]); _exit(0));
	reap(p);
	take(2);
	p = CHILD(pthread_mutex_lock(&m[2]); pthread_mutex_lock(&m[3]); kill(getpid(), SIGKILL));
	reap(p);
	take(2);
	take(3);
	// a waiter is woken by the owner's death
	int pp[2];
	pipe(pp);
	p = CHILD(pthread_mutex_lock(&m[0]); write(pp[1], "x", 1); nap(60); kill(getpid(), SIGKILL));
	char c;
	read(pp[0], &c, 1);
	take(0);
	reap(p);
	// exec releases too
	p = CHILD(pthread_mutex_lock(&m[1]); execl("/proc/self/exe", "x", "y", (char *)0));
	reap(p);
	take(1);
	// not made consistent: not recoverable
	p = CHILD(pthread_mutex_lock(&m[3]));
	reap(p);
	say("lock -> %s", en(pthread_mutex_lock(&m[3])));
	pthread_mutex_unlock(&m[3]);
	say("lock -> %s", en(pthread_mutex_lock(&m[3])));
	OK(syscall(SYS_set_robust_list, 0, 3));
	size_t len;
	void *head = 0;
	OK(syscall(SYS_get_robust_list, 0, &head, &len));
	say("head set %d len %zu", head != 0, len);
}
