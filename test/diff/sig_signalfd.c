// SPDX-License-Identifier: Apache-2.0
//
// signalfd reads, masks, several signals, epoll, non-blocking

#include "t.h"

#include <sys/signalfd.h>

int main(void)
{
	sigset_t s = set1(SIGUSR1);
	sigaddset(&s, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &s, 0);
	int fd = MUST(signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC));
	struct signalfd_siginfo si[4];
	SHOW(fcntl(fd, F_GETFD));
	OK(read(fd, si, sizeof si));
	OK(read(fd, si, 10));
	raise(SIGUSR1);
	union sigval v = { .sival_int = 5 };
	sigqueue(getpid(), SIGRTMIN, v);
	v.sival_int = 6;
	sigqueue(getpid(), SIGRTMIN, v);
	struct pollfd p = { fd, POLLIN, 0 };
	VAL(poll(&p, 1, 0));
	int n = read(fd, si, sizeof si) / sizeof *si;
	for (int i = 0; i < n; i++)
		say("%s code %d int %d pid right %d", sn(si[i].ssi_signo), si[i].ssi_code, si[i].ssi_int, (int)si[i].ssi_pid == getpid());
	VAL(poll(&p, 1, 0));
	OK(write(fd, si, 4));
	s = set1(SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, 0);
	SHOW(signalfd(fd, &s, 0) == fd);
	raise(SIGUSR1);
	OK(read(fd, si, sizeof si));
	raise(SIGUSR2);
	VAL(read(fd, si, sizeof si) == sizeof *si);
	OK(signalfd(0, &s, 0));
	OK(signalfd(999, &s, 0));
	OK(signalfd(-1, &s, 0x55));
	fcntl(fd, F_SETFL, 0);
	pid_t me = getpid(), c = CHILD(settle(me); kill(me, SIGUSR2));
	VAL(read(fd, si, sizeof si) == sizeof *si);
	say("pid right %d", (int)si[0].ssi_pid == c);
	wait_quiet(c);
}
