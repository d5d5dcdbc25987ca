// SPDX-License-Identifier: Apache-2.0
//
// data, EOF, EPIPE and SIGPIPE, order, flags, both ends in many hands

#include "t.h"

static void h(int s, siginfo_t *si, void *u) { say("handler %s", sn(s)); }

int main(void)
{
	int p[2];
	char b[100] = "";
	OK(pipe(p));
	VAL(write(p[1], "hello", 5));
	VAL(write(p[1], " world", 6));
	VAL(read(p[0], b, 3));
	VAL(read(p[0], b, 100));
	say("%s", b);
	VAL(write(p[1], "", 0));
	OK(read(p[1], b, 1));
	OK(write(p[0], b, 1));
	OK(lseek(p[0], 0, SEEK_SET));
	OK(pread(p[0], b, 1, 0));
	OK(pwrite(p[1], b, 1, 0));
	OK(fsync(p[1]));
	OK(ftruncate(p[1], 0));
	VAL(fcntl(p[0], F_GETFL));
	VAL(fcntl(p[1], F_GETFL));
	int n = -1;
	write(p[1], "abc", 3);
	OK(ioctl(p[0], FIONREAD, &n));
	SHOW(n);
	struct stat st;
	OK(fstat(p[0], &st));
	say("fifo %d size %ld perm %o", S_ISFIFO(st.st_mode), (long)st.st_size, st.st_mode & 0777);
	close(p[1]);
	VAL(read(p[0], b, 100));
	VAL(read(p[0], b, 100));
	close(p[0]);
	pipe(p);
	close(p[0]);
	on(SIGPIPE, h, 0);
	OK(write(p[1], "x", 1));
	signal(SIGPIPE, SIG_IGN);
	OK(write(p[1], "x", 1));
	VAL(write(p[1], "x", 0));
	pid_t c = CHILD(signal(SIGPIPE, SIG_DFL); write(p[1], "x", 1));
	reap(c);
	OK(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	VAL(fcntl(p[0], F_GETFD));
	OK(read(p[0], b, 1));
	OK(pipe2(p, 0x7));
	OK(syscall(SYS_pipe2, 8, 0));
	// a writer blocked on a full pipe is woken by the reader's end with EPIPE
	pipe(p);
	c = CHILD(close(p[0]); static char big[100000]; long r = write(p[1], big, sizeof big);
		say("blocked writer: %ld", r); r = write(p[1], big, 1); say("next: %s", en(errno)));
	close(p[1]);
	settle(c);
	close(p[0]);
	reap(c);
	// 1 MiB through a pipe, checked
	pipe(p);
	c = CHILD(close(p[0]); unsigned char w[1000]; for (int i = 0; i < 1049; i++) { for (int k = 0; k < 1000; k++) w[k] = i + k; write(p[1], w, 1000); });
	close(p[1]);
	long sum = 0, tot = 0;
	unsigned char r[4096];
	while ((n = read(p[0], r, sizeof r)) > 0)
		for (int i = 0; i < n; i++)
			sum = sum * 31 + r[i], tot++;
	say("total %ld sum %lx", tot, sum);
	reap(c);
}
