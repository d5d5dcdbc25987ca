// SPDX-License-Identifier: Apache-2.0
//
// getrlimit, setrlimit, prlimit and what the limits do

#include "t.h"

static void xf(int s, siginfo_t *i, void *u) { say("handler %s", sn(s)); }

int main(void)
{
	struct rlimit r, o;
	OK(getrlimit(99, &r));
	r = (struct rlimit){ 10, 5 };
	OK(setrlimit(RLIMIT_NOFILE, &r));
	r = (struct rlimit){ 50, 100 };
	OK(setrlimit(RLIMIT_NOFILE, &r));
	OK(prlimit(0, RLIMIT_NOFILE, 0, &o));
	say("%ld %ld", (long)o.rlim_cur, (long)o.rlim_max);
	OK(prlimit(1 << 29, RLIMIT_NOFILE, 0, &o));
	OK(prlimit(getpid(), RLIMIT_NOFILE, &r, &o));
	pid_t p = CHILD(getrlimit(RLIMIT_NOFILE, &r); say("inherited %ld %ld", (long)r.rlim_cur, (long)r.rlim_max));
	reap(p);
	// file size
	p = CHILD(
		struct rlimit f; f.rlim_cur = f.rlim_max = 100; setrlimit(RLIMIT_FSIZE, &f);
		on(SIGXFSZ, xf, 0);
		static char b[200]; int fd = open("f", O_RDWR | O_CREAT, 0600);
		VAL(write(fd, b, 60)); VAL(write(fd, b, 60)); OK(write(fd, b, 1)); OK(ftruncate(fd, 101)); OK(ftruncate(fd, 100)); OK(pwrite(fd, b, 1, 5000));
		OK(fallocate(fd, 0, 0, 200));
		signal(SIGXFSZ, SIG_IGN); OK(write(fd, b, 1));
		signal(SIGXFSZ, SIG_DFL); struct rlimit z; z.rlim_cur = z.rlim_max = 0; setrlimit(RLIMIT_CORE, &z); write(fd, b, 1));
	reap(p);
	// address space and data
	p = CHILD(struct rlimit a; a.rlim_cur = a.rlim_max = 64 << 20; OK(setrlimit(RLIMIT_AS, &a));
		OK(mmap(0, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
		OK(mmap(0, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
		OK(sbrk(256 << 20) == (void *)-1 ? -1 : 0));
	reap(p);
	p = CHILD(struct rlimit a; a.rlim_cur = a.rlim_max = 16 << 20; OK(setrlimit(RLIMIT_DATA, &a));
		OK(sbrk(256 << 20) == (void *)-1 ? -1 : 0);
		OK(mmap(0, 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0));
	reap(p);
	// CPU time
	p = CHILD(struct rlimit z; z.rlim_cur = z.rlim_max = 0; setrlimit(RLIMIT_CORE, &z);
		struct rlimit c; c.rlim_cur = 1; c.rlim_max = 2; setrlimit(RLIMIT_CPU, &c); for (;;) ;);
	reap(p);
	if (getuid() == 0) {
		// number of processes counts for users, not for root
		p = CHILD(setresuid(61234, 61234, 61234); struct rlimit n; n.rlim_cur = n.rlim_max = 3; OK(setrlimit(RLIMIT_NPROC, &n));
			int k = 0; for (; k < 10; k++) { pid_t q = fork(); if (q == 0) { nap(300); _exit(0); } if (q < 0) break; }
			say("forked %d then %s", k, en(errno)); while (wait(0) > 0) ;
			struct rlimit up; up.rlim_cur = up.rlim_max = 10; OK(setrlimit(RLIMIT_NPROC, &up)));
		reap(p);
	}
	OK(getrlimit(RLIMIT_STACK, (void *)8));
}
