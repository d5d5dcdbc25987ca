// SPDX-License-Identifier: Apache-2.0
//
// O_NONBLOCK fill, atomic writes of PIPE_BUF, F_SETPIPE_SZ, poll thresholds

#include "t.h"

static char b[1 << 20];

int main(void)
{
	int p[2];
	MUST(pipe2(p, O_NONBLOCK));
	VAL(fcntl(p[0], F_GETPIPE_SZ));
	long tot = 0, r;
	while ((r = write(p[1], b, 4096)) > 0)
		tot += r;
	say("filled %ld then %s", tot, en(errno));
	struct pollfd f = { p[1], POLLOUT, 0 };
	VAL(poll(&f, 1, 0));
	VAL(read(p[0], b, 100));
	OK(write(p[1], b, 100));
	VAL(read(p[0], b, 3996));
	VAL(poll(&f, 1, 0));
	VAL(write(p[1], b, 4096));
	OK(write(p[1], b, 4096));
	VAL(read(p[0], b, 1 << 20));
	VAL(write(p[1], b, 1 << 20));
	VAL(read(p[0], b, 1 << 20));
	OK(fcntl(p[1], F_SETPIPE_SZ, -1));
	VAL(fcntl(p[1], F_SETPIPE_SZ, 1));
	VAL(fcntl(p[1], F_SETPIPE_SZ, 5000));
	VAL(fcntl(p[1], F_SETPIPE_SZ, 1 << 20));
	VAL(write(p[1], b, 1 << 20));
	OK(fcntl(p[1], F_SETPIPE_SZ, 4096));
	OK(fcntl(0, F_GETPIPE_SZ));
	close(p[0]);
	f.revents = 0;
	poll(&f, 1, 0);
	say("reader gone: POLLERR %d POLLOUT %d", !!(f.revents & POLLERR), !!(f.revents & POLLOUT));
	pipe(p);
	close(p[1]);
	f = (struct pollfd){ p[0], POLLIN, 0 };
	poll(&f, 1, 0);
	say("writer gone: POLLHUP %d POLLIN %d", !!(f.revents & POLLHUP), !!(f.revents & POLLIN));
	// four writers, records of PIPE_BUF never mix
	pipe(p);
	for (int k = 0; k < 4; k++)
		CHILD(memset(b, 'a' + k, PIPE_BUF); for (int i = 0; i < 50; i++) write(p[1], b, PIPE_BUF));
	close(p[1]);
	int mixed = 0, recs = 0;
	char rec[PIPE_BUF];
	for (;; recs++) {
		int n = 0, q;
		while (n < PIPE_BUF && (q = read(p[0], rec + n, PIPE_BUF - n)) > 0)
			n += q;
		if (n < PIPE_BUF)
			break;
		for (int i = 1; i < PIPE_BUF; i++)
			mixed += rec[i] != rec[0];
	}
	while (wait(0) > 0)
		;
	say("records %d mixed %d", recs, mixed);
}
