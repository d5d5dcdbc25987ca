// SPDX-License-Identifier: Apache-2.0
//
// dup, dup2, dup3, fcntl, close_range, CLOEXEC over exec, shared offsets, limits

#include "t.h"

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int i = 3; i < 12; i++)
			say("fd %d %s", i, fcntl(i, F_GETFD) < 0 ? en(errno) : "open");
		return 0;
	}
	put("f", "0123456789");
	int fd = MUST(open("f", O_RDWR));
	char c;
	SHOW(fd);
	SHOW(dup(fd));
	SHOW(dup2(fd, 10));
	SHOW(dup2(fd, fd));
	OK(dup3(fd, fd, 0));
	OK(dup3(fd, 11, 77));
	OK(dup2(999, 5));
	OK(dup2(999, 999));
	OK(dup2(fd, -1));
	OK(dup2(fd, 1 << 30));
	OK(dup(999));
	VAL(dup3(fd, 11, O_CLOEXEC));
	VAL(fcntl(11, F_GETFD));
	VAL(fcntl(10, F_GETFD));
	read(fd, &c, 1);
	read(10, &c, 1);
	say("shared offset %c", c);
	int f2 = open("f", O_RDWR);
	read(f2, &c, 1);
	say("own offset %c", c);
	VAL(fcntl(fd, F_DUPFD, 7));
	VAL(fcntl(fd, F_DUPFD_CLOEXEC, 7));
	VAL(fcntl(8, F_GETFD));
	OK(fcntl(fd, F_DUPFD, 1 << 30));
	OK(fcntl(fd, F_DUPFD, -1));
	OK(fcntl(999, F_GETFD));
	OK(fcntl(fd, 9999));
	VAL(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_CREAT));
	VAL(fcntl(10, F_GETFL) & ~O_LARGEFILE);
	VAL(fcntl(f2, F_GETFL) & ~O_LARGEFILE);
	VAL(fcntl(fd, F_SETFD, FD_CLOEXEC));
	VAL(fcntl(fd, F_SETFD, 0));
	int one = 1;
	OK(ioctl(fd, FIOCLEX));
	VAL(fcntl(fd, F_GETFD));
	OK(ioctl(fd, FIONBIO, &one));
	OK(close(999));
	OK(close(-1));
	OK(close(f2));
	OK(close(f2));
	VAL(fcntl(fd, F_GETOWN));
	OK(fcntl(fd, F_GETSIG));
	OK(syscall(SYS_close_range, 20, 30, 0));
	OK(syscall(SYS_close_range, 30, 20, 0));
	OK(syscall(SYS_close_range, 10, 10, 4));
	OK(syscall(SYS_close_range, 10, 10, 8));
	pid_t p = CHILD(syscall(SYS_close_range, 7, ~0U, 0); SHOW(fcntl(8, F_GETFD)); SHOW(fcntl(4, F_GETFD)));
	reap(p);
	p = CHILD(execl("/proc/self/exe", "x", "list", (char *)0));
	reap(p);
	struct rlimit rl = { 20, 20 };
	p = CHILD(setrlimit(RLIMIT_NOFILE, &rl); int n = 0; while (open("f", O_RDONLY) >= 0) n++; say("%s after some", en(errno));
		SHOW(fcntl(19, F_GETFD) >= 0); int q[2]; OK(pipe(q)); OK(dup(0)); OK(dup2(0, 20)); OK(fcntl(0, F_DUPFD, 20)); OK(epoll_create1(0)); OK(dup2(0, 19)));
	reap(p);
}
