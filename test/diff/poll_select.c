// SPDX-License-Identifier: Apache-2.0
//
// poll, ppoll, select, pselect: events, timeouts, masks, errors

#include "t.h"

static void h(int s, siginfo_t *i, void *u) { say("handler %s", sn(s)); }

int main(void)
{
	int p[2];
	char c;
	MUST(pipe(p));
	struct pollfd f[4] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 }, { -1, POLLIN, 77 }, { 999, POLLIN, 0 } };
	VAL(poll(f, 4, 0));
	for (int i = 0; i < 4; i++)
		say("%d: %x", i, f[i].revents);
	long long t = now_ms();
	VAL(poll(f, 1, 30));
	say("timeout kept %d", now_ms() - t >= 29);
	VAL(poll(0, 0, 1));
	OK(poll((void *)8, 1, 0));
	write(p[1], "x", 1);
	VAL(poll(f, 2, -1));
	say("%x %x", f[0].revents, f[1].revents);
	put("f", "x");
	int fd = open("f", O_RDWR);
	f[0] = (struct pollfd){ fd, POLLIN | POLLOUT | POLLPRI, 0 };
	poll(f, 1, 0);
	say("file: %x", f[0].revents);
	int nul = open("/dev/null", O_RDWR), dir = open(".", O_RDONLY), op = open("f", O_PATH);
	f[0].fd = nul;
	poll(f, 1, 0);
	say("null: %x", f[0].revents);
	f[0].fd = dir;
	poll(f, 1, 0);
	say("directory: %x", f[0].revents);
	f[0].fd = op;
	poll(f, 1, 0);
	say("O_PATH: %x", f[0].revents);
	fd_set r, w, x;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	FD_SET(p[0], &x);
	struct timeval tv = { 5, 0 };
	VAL(select(p[1] + 1, &r, &w, &x, &tv));
	say("r %d w %d x %d, time left %d", FD_ISSET(p[0], &r), FD_ISSET(p[1], &w), FD_ISSET(p[0], &x), tv.tv_sec >= 4);
	read(p[0], &c, 1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	tv = (struct timeval){ 0, 20000 };
	VAL(select(p[0] + 1, &r, 0, 0, &tv));
	say("r %d left %ld", FD_ISSET(p[0], &r), (long)tv.tv_usec);
	// select(2) ignores numbers beyond the descriptor table's room, which depends on
	// what the parent had open: make room first
	MUST(dup2(p[0], 255));
	close(255);
	FD_SET(200, &r);
	OK(select(201, &r, 0, 0, 0));
	OK(select(-1, 0, 0, 0, 0));
	tv.tv_usec = -1;
	OK(select(0, 0, 0, 0, &tv));
	tv.tv_usec = 2000000; // normalised by glibc and the kernel
	tv.tv_sec = 0;
	struct timespec ts = { 0, 5000000 };
	VAL(pselect(0, 0, 0, 0, &ts, 0));
	ts.tv_nsec = 1000000000;
	OK(pselect(0, 0, 0, 0, &ts, 0));
	OK(ppoll(f, 0, &ts, 0));
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	sigset_t none = set1(0), cur;
	raise(SIGUSR1);
	OK(ppoll(f, 0, 0, &none));
	sigprocmask(SIG_BLOCK, 0, &cur);
	say("mask back: %d", sigismember(&cur, SIGUSR1));
	raise(SIGUSR1);
	OK(pselect(0, 0, 0, 0, 0, &none));
	// ready descriptors win over a signal that is only let in by the mask
	raise(SIGUSR1);
	f[0] = (struct pollfd){ p[1], POLLOUT, 0 };
	VAL(ppoll(f, 1, 0, &none));
	unblock(SIGUSR1);
	pid_t k = CHILD(nap(30); write(p[1], "y", 1));
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	VAL(poll(f, 1, -1));
	reap(k);
	k = CHILD(nap(30));
	close(p[1]);
	read(p[0], &c, 1);
	poll(f, 1, -1);
	say("hang-up when the last writer exits: %x", f[0].revents);
	reap(k);
}
