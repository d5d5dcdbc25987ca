// SPDX-License-Identifier: Apache-2.0
//
// process groups: setpgid errors, kill to groups, inheritance

#include "t.h"

int main(void)
{
	SHOW(getpgid(0) == getpgrp());
	SHOW(getpgid(getpid()) == getpgrp());
	OK(getpgid(1 << 29));
	OK(setpgid(0, -1));
	OK(setpgid(1 << 29, 0));
	OK(setpgid(0, 1 << 29));
	pid_t p = CHILD(for (;;) pause());
	OK(setpgid(p, p));
	SHOW(getpgid(p) == p);
	pid_t q = CHILD(for (;;) pause());
	OK(setpgid(q, p));
	SHOW(getpgid(q) == p);
	OK(kill(-p, 0));
	OK(kill(-p, SIGTERM));
	reap(p);
	reap(q);
	OK(kill(-p, 0));
	// a child in a new session cannot be moved, nor a session leader
	int pp[2];
	MUST(pipe(pp));
	p = CHILD(setsid(); close(pp[1]); for (;;) pause());
	close(pp[1]);
	char c;
	read(pp[0], &c, 1);
	SHOW(getpgid(p) == p);
	SHOW(getsid(p) == p);
	OK(setpgid(p, getpgrp()));
	OK(setpgid(p, p));
	kill(p, SIGKILL);
	reap(p);
	// after exec the parent may not move its child
	MUST(pipe2(pp, O_CLOEXEC));
	p = CHILD(if (0) say("never"); execl("/proc/self/exe", "x", "pause", (char *)0));
	// (the exec'ed copy sees argv[1] and pauses; see below)
	close(pp[1]);
	read(pp[0], &c, 1);
	OK(setpgid(p, p));
	kill(p, SIGKILL);
	reap(p);
	p = CHILD(
		OK(setpgid(0, 0));
		SHOW(getpgrp() == getpid());
		OK(setpgid(0, getppid() + (1 << 28)));
		pid_t k = fork();
		if (!k) { SHOW(getpgrp() == getppid()); _exit(0); }
		reap(k));
	reap(p);
	// kill(0) reaches the whole own group
	p = CHILD(
		setpgid(0, 0);
		pid_t k = fork();
		if (!k) for (;;) pause();
		signal(SIGUSR1, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		OK(kill(0, SIGTERM));
		reap(k));
	reap(p);
}

__attribute__((constructor)) static void again(void)
{
	char b[64] = "";
	int fd = open("/proc/self/cmdline", O_RDONLY), n = read(fd, b, 63);
	close(fd);
	if (n > 7 && !strcmp(b, "x"))
		for (;;)
			pause();
}
