// SPDX-License-Identifier: Apache-2.0
//
// one shot, periodic, absolute, cancel, poll, errors

#include "t.h"

int main(void)
{
	uint64_t v = 0;
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	OK(read(fd, &v, 8));
	struct itimerspec t = { { 0, 0 }, { 0, 10000000 } }, o;
	OK(timerfd_settime(fd, 0, &t, 0));
	OK(read(fd, &v, 8));
	struct pollfd p = { fd, POLLIN, 0 };
	VAL(poll(&p, 1, 5000));
	VAL(read(fd, &v, 8));
	SHOW(v);
	OK(timerfd_gettime(fd, &o));
	say("disarmed %ld", (long)(o.it_value.tv_sec + o.it_value.tv_nsec));
	t.it_interval.tv_nsec = 2000000;
	timerfd_settime(fd, 0, &t, 0);
	nap(60);
	read(fd, &v, 8);
	say("several expirations %d", v >= 10);
	t = (struct itimerspec){ { 1, 2 }, { 100, 0 } };
	timerfd_settime(fd, 0, &t, &o);
	say("old interval %ld", o.it_interval.tv_nsec);
	timerfd_gettime(fd, &o);
	say("interval %ld %ld left %d", (long)o.it_interval.tv_sec, o.it_interval.tv_nsec, o.it_value.tv_sec >= 98);
	clock_gettime(CLOCK_MONOTONIC, &t.it_value);
	t.it_interval = (struct timespec){ 0, 0 };
	OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, 0));
	poll(&p, 1, 1000);
	VAL(read(fd, &v, 8));
	SHOW(v);
	t.it_value.tv_nsec = 1000000000;
	OK(timerfd_settime(fd, 0, &t, 0));
	t.it_value.tv_nsec = 0;
	OK(timerfd_settime(fd, 0x80, &t, 0));
	OK(timerfd_settime(0, 0, &t, 0));
	OK(timerfd_settime(777, 0, &t, 0));
	OK(timerfd_create(77, 0));
	OK(timerfd_create(CLOCK_REALTIME, 0x3));
	OK(write(fd, &v, 8));
	OK(read(fd, &v, 7));
	fd = MUST(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC));
	t = (struct itimerspec){ { 0, 0 }, { 0, 1 } };
	timerfd_settime(fd, 0, &t, 0);
	VAL(read(fd, &v, 8));
	SHOW(fcntl(fd, F_GETFD));
}
