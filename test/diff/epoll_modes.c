// SPDX-License-Identifier: Apache-2.0
//
// level, edge, oneshot, nested, exclusive, EPOLLRDHUP/HUP, data returned

#include "t.h"

static struct epoll_event ev[8];
static int ep;
static void look(const char *what)
{
	int n = epoll_wait(ep, ev, 8, 0);
	char b[200] = "";
	for (int i = 0; i < n; i++)
		sprintf(b + strlen(b), " %d:%s%s%s%s", ev[i].data.u32, ev[i].events & EPOLLIN ? "IN" : "",
			ev[i].events & EPOLLOUT ? "OUT" : "", ev[i].events & EPOLLHUP ? "HUP" : "", ev[i].events & EPOLLERR ? "ERR" : "");
	say("%s: %d%s", what, n, b);
}
static int ctl(int op, int fd, unsigned events, int data)
{
	struct epoll_event e = { .events = events, .data.u32 = data };
	return epoll_ctl(ep, op, fd, &e);
}

int main(void)
{
	int p[2], q[2];
	char c;
	MUST(pipe(p));
	MUST(pipe(q));
	ep = MUST(epoll_create1(EPOLL_CLOEXEC));
	OK(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	OK(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	look("nothing");
	write(p[1], "ab", 2);
	look("level");
	look("level again");
	read(p[0], &c, 1);
	look("level, one byte left");
	read(p[0], &c, 1);
	look("level, drained");
	OK(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2));
	look("edge, empty");
	write(p[1], "a", 1);
	look("edge");
	look("edge again");
	write(p[1], "b", 1);
	look("edge, more data");
	look("edge again");
	OK(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3));
	look("edge after MOD with data there");
	OK(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4));
	look("oneshot");
	write(p[1], "c", 1);
	look("oneshot spent");
	OK(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 5));
	look("oneshot armed again");
	OK(ctl(EPOLL_CTL_ADD, q[1], EPOLLOUT, 6));
	look("writer ready");
	close(q[0]);
	look("reader gone");
	OK(ctl(EPOLL_CTL_DEL, q[1], 0, 0));
	OK(ctl(EPOLL_CTL_DEL, q[1], 0, 0));
	OK(ctl(EPOLL_CTL_MOD, q[1], EPOLLIN, 0));
	OK(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN, 7));
	close(p[1]);
	look("writer gone, data left");
	char b[10];
	read(p[0], b, 10);
	look("writer gone, drained");
	// the descriptor is closed: gone from the set, unless a copy lives
	int d = dup(p[0]);
	close(p[0]);
	look("closed but duplicated");
	close(d);
	look("really closed");
	// nested
	pipe(p);
	ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 8);
	int inner = ep, outer = epoll_create1(0);
	ep = outer;
	OK(ctl(EPOLL_CTL_ADD, inner, EPOLLIN, 9));
	look("outer, empty");
	write(p[1], "x", 1);
	look("outer, ready inside");
	struct pollfd pf = { outer, POLLIN, 0 };
	VAL(poll(&pf, 1, 0));
	ep = inner;
	look("inner");
	OK(ctl(EPOLL_CTL_ADD, outer, EPOLLIN, 1)); // a loop
	// errors
	OK(ctl(EPOLL_CTL_ADD, inner, EPOLLIN, 1));
	put("f", "x");
	int f = open("f", O_RDONLY);
	OK(ctl(EPOLL_CTL_ADD, f, EPOLLIN, 1));
	OK(ctl(EPOLL_CTL_ADD, 999, EPOLLIN, 1));
	OK(ctl(77, p[1], EPOLLIN, 1));
	OK(epoll_ctl(f, EPOLL_CTL_ADD, p[1], ev));
	OK(epoll_ctl(inner, EPOLL_CTL_ADD, p[1], 0));
	OK(epoll_wait(inner, ev, 0, 0));
	OK(epoll_wait(f, ev, 1, 0));
	OK(epoll_wait(inner, (void *)8, 1, 0));
	OK(epoll_create(0));
	OK(epoll_create1(0x7));
	OK(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLEXCLUSIVE, 1));
	OK(ctl(EPOLL_CTL_MOD, p[1], EPOLLOUT, 1));
	OK(ctl(EPOLL_CTL_MOD, p[1], EPOLLOUT | EPOLLEXCLUSIVE, 1));
	// zero interest still reports errors
	pipe(p);
	ep = epoll_create1(0);
	ctl(EPOLL_CTL_ADD, p[0], 0, 5);
	close(p[1]);
	look("no interest, hung up");
}
