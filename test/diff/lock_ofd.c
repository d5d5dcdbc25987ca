// SPDX-License-Identifier: Apache-2.0
//
// open file description locks: ownership, conflicts with POSIX locks, F_OFD_GETLK

#include "t.h"

static int lk(int fd, int cmd, int type, int start, int len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	int r = fcntl(fd, cmd, &l);
	if (r == 0 && (cmd == F_OFD_GETLK || cmd == F_GETLK))
		say("  type %d pid %d", l.l_type, l.l_pid == -1 ? -1 : l.l_pid == 0 ? 0 : 1);
	return r;
}

int main(void)
{
	put("f", "0123456789");
	int a = open("f", O_RDWR), b = open("f", O_RDWR), a2 = dup(a);
	OK(lk(a, F_OFD_SETLK, F_WRLCK, 0, 5));
	OK(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5));
	OK(lk(b, F_OFD_SETLK, F_RDLCK, 4, 1));
	OK(lk(b, F_OFD_SETLK, F_WRLCK, 5, 5));
	OK(lk(a2, F_OFD_SETLK, F_RDLCK, 0, 5));
	OK(lk(b, F_OFD_GETLK, F_WRLCK, 0, 5));
	OK(lk(b, F_OFD_SETLK, F_RDLCK, 0, 5));
	OK(lk(a, F_SETLK, F_WRLCK, 0, 1));
	OK(lk(a, F_SETLK, F_RDLCK, 0, 1));
	OK(lk(b, F_GETLK, F_WRLCK, 0, 1));
	close(a2);
	OK(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5));
	close(a);
	OK(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5));
	pid_t p = CHILD(OK(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5)); int c = open("f", O_RDWR); OK(lk(c, F_OFD_SETLK, F_WRLCK, 0, 5)); OK(lk(c, F_SETLK, F_WRLCK, 0, 5)));
	reap(p);
	struct flock l = { .l_type = F_WRLCK, .l_pid = 5 };
	OK(fcntl(b, F_OFD_SETLK, &l));
	int pp[2];
	pipe(pp);
	p = CHILD(int c = open("f", O_RDWR); close(b); write(pp[1], "x", 1); OK(lk(c, F_OFD_SETLKW, F_WRLCK, 0, 5)));
	char ch;
	read(pp[0], &ch, 1);
	settle(p);
	close(b);
	reap(p);
}
