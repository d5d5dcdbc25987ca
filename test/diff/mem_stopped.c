// SPDX-License-Identifier: Apache-2.0
//
// A mapped file is cut while who maps it is stopped, with threads, with locked pages

#include "t.h"

enum { SIZE = 64 << 10, P = 4096 };
static sigjmp_buf back;
static void bus(int sig) { siglongjmp(back, 1); }
static void *idle(void *p)
{
	for (;;)
		pause();
}

static int at(volatile char *p)
{
	return sigsetjmp(back, 1) ? -1 : *p;
}

static void mapper(int fd, int shared, int lock, int threads, int ready)
{
	char *p = mmap(0, SIZE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	volatile char c = p[0];
	p[P] = 'z';
	if (lock)
		mlock(p, SIZE);
	pthread_t t;
	for (int i = 0; i < threads; i++)
		pthread_create(&t, 0, idle, 0);
	signal(SIGBUS, bus);
	raise(SIGSTOP);
	say("first %c, own %c, behind the end %d", p[0], p[P], at(p + SIZE / 2));
	_exit(0);
}

int main(void)
{
	static char text[SIZE], other[4 * SIZE];
	memset(text, 'a', sizeof text);
	memset(other, 'S', sizeof other);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	for (int how = 0; how < 8; how++) {
		int shared = how & 1, lock = how & 2, threads = how & 4 ? 2 : 0, st;
		pwrite(fd, text, SIZE, 0);
		fsync(fd);
		pid_t k = fork();
		if (k == 0)
			mapper(fd, shared, lock, threads, 0);
		waitpid(k, &st, WUNTRACED);
		say("shared %d locked %d threads %d: stopped %d", shared, !!lock, threads, WIFSTOPPED(st));
		OK(ftruncate(fd, 2 * P));
		int g = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600); // may get the blocks
		VAL(write(g, other, sizeof other));
		fsync(g);
		close(g);
		kill(k, SIGCONT);
		reap(k);
	}
	return 0;
}
