// SPDX-License-Identifier: Apache-2.0
//
// counters, semaphores, limits, blocking, poll

#include "t.h"

int main(void)
{
	uint64_t v = 0, w;
	int fd = MUST(eventfd(3, EFD_NONBLOCK));
	VAL(read(fd, &v, 8));
	SHOW(v);
	OK(read(fd, &v, 8));
	OK(read(fd, &v, 4));
	OK(write(fd, &v, 4));
	w = 5;
	VAL(write(fd, &w, 8));
	VAL(write(fd, &w, 8));
	VAL(read(fd, &v, 8));
	SHOW(v);
	w = UINT64_MAX;
	OK(write(fd, &w, 8));
	w = UINT64_MAX - 1;
	VAL(write(fd, &w, 8));
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	poll(&p, 1, 0);
	say("full: in %d out %d", !!(p.revents & POLLIN), !!(p.revents & POLLOUT));
	w = 1;
	OK(write(fd, &w, 8));
	read(fd, &v, 8);
	poll(&p, 1, 0);
	say("empty: in %d out %d", !!(p.revents & POLLIN), !!(p.revents & POLLOUT));
	close(fd);
	fd = MUST(eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	read(fd, &v, 8);
	SHOW(v);
	read(fd, &v, 8);
	SHOW(v);
	pid_t c = CHILD(nap(30); w = 1; write(fd, &w, 8));
	VAL(read(fd, &v, 8));
	reap(c);
	OK(eventfd(0, 0x10));
	OK(lseek(fd, 0, SEEK_SET));
	OK(pread(fd, &v, 8, 0));
	OK(ftruncate(fd, 1));
}
