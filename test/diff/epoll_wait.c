// SPDX-License-Identifier: Apache-2.0
//
// timeouts, waking another process, fairness over many, epoll_pwait2

#include "t.h"

static void h(int s, siginfo_t *i, void *u) {}

int main(void)
{
	int p[200][2];
	int ep = MUST(epoll_create1(0));
	struct epoll_event e = { .events = EPOLLIN }, ev[300];
	for (int i = 0; i < 200; i++) {
		MUST(pipe(p[i]));
		e.data.u32 = i;
		MUST(epoll_ctl(ep, EPOLL_CTL_ADD, p[i][0], &e));
	}
	long long t = now_ms();
	VAL(epoll_wait(ep, ev, 300, 30));
	say("waited long enough %d", now_ms() - t >= 29);
	for (int i = 0; i < 200; i += 2)
		write(p[i][1], "x", 1);
	VAL(epoll_wait(ep, ev, 300, -1));
	// limited maxevents: the ready list rotates, all are seen in the end
	char seen[200] = { 0 };
	int n = 0;
	for (int k = 0; k < 10; k++) {
		int r = epoll_wait(ep, ev, 10, 0);
		for (int i = 0; i < r; i++)
			if (!seen[ev[i].data.u32]++)
				n++;
	}
	say("seen after ten rounds of ten: %d", n);
	for (int i = 0; i < 200; i += 2) {
		char c;
		read(p[i][0], &c, 1);
	}
	VAL(epoll_wait(ep, ev, 300, 0));
	pid_t c = CHILD(nap(30); write(p[77][1], "x", 1));
	VAL(epoll_wait(ep, ev, 300, -1));
	SHOW(ev[0].data.u32);
	reap(c);
	char b;
	read(p[77][0], &b, 1);
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigset_t none = set1(0);
	OK(epoll_pwait(ep, ev, 10, -1, &none));
	VAL(epoll_pwait(ep, ev, 10, 0, &none));
	struct timespec ts = { 0, 10000000 };
	VAL(syscall(SYS_epoll_pwait2, ep, ev, 10, &ts, 0, 8));
	ts.tv_nsec = -1;
	OK(syscall(SYS_epoll_pwait2, ep, ev, 10, &ts, 0, 8));
	// two waiters, one event: at least one gets it and takes it
	int fd[2];
	pipe(fd);
	for (int i = 0; i < 2; i++)
		CHILD(struct epoll_event x; int r = epoll_wait(ep, &x, 1, 3000); char z;
			fcntl(p[5][0], F_SETFL, O_NONBLOCK);
			if (r == 1 && read(p[5][0], &z, 1) == 1) write(fd[1], "1", 1));
	nap(50);
	write(p[5][1], "x", 1);
	VAL(read(fd[0], &b, 1));
	nap(20);
	write(p[5][1], "x", 1);
	while (wait(0) > 0)
		;
}
