// SPDX-License-Identifier: Apache-2.0
//
// SA_RESTART against EINTR for slow calls

#include "t.h"

static volatile int n, wfd = -1, limit;
static void h(int s, siginfo_t *si, void *u)
{
	if (++n == limit && wfd >= 0)
		write(wfd, "x", 1);
}

static int pp[2];
static char c;

static long one(const char *name)
{
	n = 0;
	errno = 0;
	long r = -1;
	struct pollfd pf = { pp[0], POLLIN, 0 };
	struct timespec ts = { 100, 0 };
	if (!strcmp(name, "read"))
		r = read(pp[0], &c, 1);
	else if (!strcmp(name, "poll"))
		r = poll(&pf, 1, -1);
	else if (!strcmp(name, "ppoll"))
		r = ppoll(&pf, 1, &ts, 0);
	else if (!strcmp(name, "select")) {
		fd_set f;
		FD_ZERO(&f);
		FD_SET(pp[0], &f);
		r = select(pp[0] + 1, &f, 0, 0, 0);
	} else if (!strcmp(name, "epoll_wait")) {
		struct epoll_event e = { .events = EPOLLIN };
		int ep = epoll_create1(0);
		epoll_ctl(ep, EPOLL_CTL_ADD, pp[0], &e);
		r = epoll_wait(ep, &e, 1, -1);
		int en = errno;
		close(ep);
		errno = en;
	} else if (!strcmp(name, "nanosleep")) {
		r = nanosleep(&ts, &ts);
		if (ts.tv_sec < 90)
			say("remaining is wrong");
	} else if (!strcmp(name, "clock_nanosleep abs")) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec += 100;
		r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, 0);
		errno = r;
		r = r ? -1 : 0;
	} else if (!strcmp(name, "pause"))
		r = pause();
	else if (!strcmp(name, "sigtimedwait")) {
		sigset_t s = set1(SIGUSR2);
		r = sigtimedwait(&s, 0, &ts);
	} else if (!strcmp(name, "futex")) {
		int w = 0;
		r = futex(&w, FUTEX_WAIT, 0, &ts, 0, 0);
	} else if (!strcmp(name, "futex untimed")) {
		static int w;
		w = 0;
		r = futex(&w, FUTEX_WAIT, 0, 0, 0, 0);
	}
	return r;
}

int main(void)
{
	MUST(pipe(pp));
	const char *all[] = { "read", "poll", "ppoll", "select", "epoll_wait", "nanosleep", "clock_nanosleep abs", "pause",
		"sigtimedwait", "futex", "futex untimed" };
	on(SIGALRM, h, 0);
	beat(20);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		long r = one(all[i]);
		say("no SA_RESTART: %s -> %s", all[i], r < 0 ? en(errno) : "went on");
	}
	on(SIGALRM, h, SA_RESTART);
	// those that restart are ended by the handler's write at its third run
	wfd = pp[1];
	limit = 3;
	for (unsigned i = 0; i < 9; i++) {
		long r = one(all[i]);
		say("SA_RESTART: %s -> %s", all[i], r < 0 ? en(errno) : "went on");
		if (n >= 3 && i)
			read(pp[0], &c, 1);
	}
	limit = -1;
	// wait
	for (int f = 0; f < 2; f++) {
		on(SIGALRM, h, f ? SA_RESTART : 0);
		pid_t p = CHILD(nap(150); _exit(3));
		int st, r = waitpid(p, &st, 0);
		say("wait %s SA_RESTART -> %s", f ? "with" : "without", r < 0 ? en(errno) : "child");
		if (r < 0)
			wait_quiet(p);
	}
	// write to a full pipe, flock, F_SETLKW, FIFO open
	for (int f = 0; f < 2; f++) {
		on(SIGALRM, h, f ? SA_RESTART : 0);
		int q[2];
		pipe(q);
		fcntl(q[1], F_SETFL, O_NONBLOCK);
		static char buf[4096];
		while (write(q[1], buf, sizeof buf) > 0)
			;
		fcntl(q[1], F_SETFL, 0);
		pid_t p = f ? CHILD(nap(150); read(q[0], buf, 4096)) : 0;
		long r = write(q[1], buf, sizeof buf);
		say("write to a full pipe -> %s", r < 0 ? en(errno) : "written");
		if (p)
			wait_quiet(p);
		close(q[0]);
		close(q[1]);
		put("lk", "x");
		int a = open("lk", O_RDWR), b = open("lk", O_RDWR);
		flock(a, LOCK_EX);
		p = f ? CHILD(nap(150)) : 0;
		if (f)
			close(a); // the child's copy keeps the lock until it ends
		r = flock(b, LOCK_EX);
		say("flock -> %s", r < 0 ? en(errno) : "locked");
		if (p)
			wait_quiet(p);
		close(b);
		if (!f)
			close(a);
	}
	// a signal that is ignored or whose default is to be ignored interrupts nothing
	beat(0);
	signal(SIGALRM, SIG_IGN);
	pid_t me = getpid();
	pid_t p = CHILD(for (int i = 0; i < 5; i++) { nap(10); kill(me, SIGALRM); kill(me, SIGWINCH); } write(pp[1], "z", 1));
	VAL(read(pp[0], &c, 1));
	wait_quiet(p);
}
