// SPDX-License-Identifier: Apache-2.0
//
// a pipe's capacity in slots: what joins the last one, packets, splice, tee, sizes

#include "t.h"

#include <sys/ioctl.h>

static char b[1 << 20];
static int p[2];

static int writable(void)
{
	struct pollfd f = { p[1], POLLOUT };
	return poll(&f, 1, 0);
}

static void fresh(int flags)
{
	if (p[0]) {
		close(p[0]);
		close(p[1]);
	}
	MUST(pipe2(p, O_NONBLOCK | flags));
}

// fill writes pieces of n bytes until the pipe is full.
static void fill(int n)
{
	int k = 0, last = 0;
	for (int r; (r = write(p[1], b, n)) > 0; k++)
		last = r;
	int left = -1;
	ioctl(p[0], FIONREAD, &left);
	say("pieces of %d: %d, the last %d, %s, in all %d, writable %d", n, k, last, en(errno), left, writable());
}

int main(void)
{
	int sizes[] = { 1, 100, 1000, 2048, 2049, 4095, 4096, 4097, 5000, 8191, 10000, 65535, 65536, 65537, 100000 };
	for (int i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		fresh(0);
		fill(sizes[i]);
		VAL(read(p[0], b, 4000));
		SHOW(writable());
		VAL(read(p[0], b, 96));
		SHOW(writable());
		VAL(read(p[0], b, 1000));
		SHOW(writable());
		fill(50);
	}
	fresh(0);
	VAL(fcntl(p[0], F_SETPIPE_SZ, 4096));
	fill(3);
	VAL(read(p[0], b, 10));
	fill(3);
	VAL(fcntl(p[0], F_SETPIPE_SZ, 8192));
	fill(3);
	VAL(read(p[0], b, 4000));
	VAL(fcntl(p[0], F_SETPIPE_SZ, 4096));
	VAL(read(p[0], b, 1 << 20));
	VAL(fcntl(p[0], F_SETPIPE_SZ, 4096));
	VAL(fcntl(p[0], F_SETPIPE_SZ, 5000));
	VAL(fcntl(p[0], F_SETPIPE_SZ, 0));
	VAL(fcntl(p[0], F_SETPIPE_SZ, -1));
	fresh(O_DIRECT);
	fill(10);
	VAL(read(p[0], b, 4));
	VAL(read(p[0], b, 1 << 20));
	fresh(O_DIRECT);
	fill(5000);
	VAL(read(p[0], b, 1 << 20));
	VAL(read(p[0], b, 1 << 20));
	// tee takes a slot for each of the source's
	int q[2];
	MUST(pipe2(q, O_NONBLOCK));
	fresh(0);
	write(p[1], "ab", 2);
	write(p[1], "cd", 2);
	VAL(tee(p[0], q[1], 3, SPLICE_F_NONBLOCK));
	write(q[1], "x", 1);
	VAL(tee(p[0], q[1], 30, SPLICE_F_NONBLOCK));
	int n = read(q[0], b, 100);
	say("%.*s", n, b);
	n = read(p[0], b, 100);
	say("%.*s", n, b);
	VAL(tee(p[0], q[1], 30, SPLICE_F_NONBLOCK));
	close(p[1]);
	VAL(tee(p[0], q[1], 30, 0));
	signal(SIGPIPE, SIG_IGN);
	close(q[0]);
	VAL(tee(p[0], q[1], 30, 0));
}
