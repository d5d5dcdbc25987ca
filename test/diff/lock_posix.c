// SPDX-License-Identifier: Apache-2.0
//
// fcntl record locks: ranges, splits, conflicts, F_GETLK, close, fork, exec, deadlock

#include "t.h"

static int lk(int fd, int cmd, int type, int start, int len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	return fcntl(fd, cmd, &l);
}
static void get(int fd, int type, int start, int len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	fcntl(fd, F_GETLK, &l);
	say("getlk %d+%d: %s %ld+%ld pid parent %d", start, len, l.l_type == F_UNLCK ? "free" : l.l_type == F_RDLCK ? "read" : "write", (long)l.l_start, (long)l.l_len, l.l_pid == getppid());
}

int main(void)
{
	put("f", "0123456789");
	int fd = open("f", O_RDWR), ro = open("f", O_RDONLY), wo = open("f", O_WRONLY);
	OK(lk(fd, F_SETLK, F_WRLCK, 10, 20));
	OK(lk(fd, F_SETLK, F_UNLCK, 15, 5));
	OK(lk(fd, F_SETLK, F_RDLCK, 25, 5));
	get(fd, F_WRLCK, 0, 0);
	pid_t p = CHILD(
		get(fd, F_WRLCK, 0, 0); get(fd, F_WRLCK, 15, 5); get(fd, F_WRLCK, 16, 10); get(fd, F_RDLCK, 25, 5); get(fd, F_WRLCK, 25, 0);
		OK(lk(fd, F_SETLK, F_RDLCK, 12, 1)); OK(lk(fd, F_SETLK, F_RDLCK, 26, 1)); OK(lk(fd, F_SETLK, F_WRLCK, 26, 1)); OK(lk(fd, F_SETLK, F_WRLCK, 15, 5)));
	reap(p);
	OK(lk(ro, F_SETLK, F_WRLCK, 100, 1));
	OK(lk(wo, F_SETLK, F_RDLCK, 100, 1));
	OK(lk(fd, F_SETLK, F_WRLCK, -1, 1));
	OK(lk(fd, F_SETLK, 77, 0, 1));
	OK(lk(fd, F_SETLK, F_WRLCK, 50, -10));
	p = CHILD(get(fd, F_WRLCK, 40, 10); get(fd, F_WRLCK, 50, 1));
	reap(p);
	// closing any descriptor of the file drops all locks
	close(ro);
	p = CHILD(get(fd, F_WRLCK, 0, 0));
	reap(p);
	// wait for the holder
	int pp[2];
	pipe(pp);
	p = CHILD(lk(fd, F_SETLK, F_WRLCK, 0, 1); write(pp[1], "x", 1); nap(50));
	char c;
	read(pp[0], &c, 1);
	OK(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	OK(lk(fd, F_SETLKW, F_WRLCK, 0, 1));
	reap(p);
	lk(fd, F_SETLK, F_UNLCK, 0, 0);
	// deadlock
	int go[2];
	pipe(go);
	p = CHILD(lk(fd, F_SETLKW, F_WRLCK, 1, 1); write(pp[1], "x", 1); read(go[0], &c, 1); OK(lk(fd, F_SETLKW, F_WRLCK, 0, 1)));
	read(pp[0], &c, 1);
	lk(fd, F_SETLKW, F_WRLCK, 0, 1);
	write(go[1], "x", 1);
	settle(p);
	OK(lk(fd, F_SETLKW, F_WRLCK, 1, 1));
	lk(fd, F_SETLK, F_UNLCK, 0, 0);
	reap(p);
	// locks follow the process, not the descriptor, and are not inherited by fork
	OK(lk(fd, F_SETLK, F_WRLCK, 0, 0));
	p = CHILD(OK(lk(fd, F_SETLK, F_WRLCK, 5, 1)));
	reap(p);
	int d2 = dup(fd);
	close(d2);
	p = CHILD(OK(lk(fd, F_SETLK, F_WRLCK, 5, 1)));
	reap(p);
}
