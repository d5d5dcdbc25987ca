// SPDX-License-Identifier: Apache-2.0
//
// what exec keeps and drops: descriptors, name, dumpable, memory, timers, locks, cwd, ids

#include "t.h"

static char data[100] = "initial";

int main(int argc, char **argv)
{
	if (argc > 1) {
		char b[64], c[32];
		prctl(PR_GET_NAME, c);
		say("name %s", c);
		say("data %s", data);
		say("dumpable %d", prctl(PR_GET_DUMPABLE));
		say("keepcaps %d", prctl(PR_GET_KEEPCAPS));
		say("nnp %d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		int v = 0;
		prctl(PR_GET_CHILD_SUBREAPER, &v);
		say("subreaper %d", v);
		OCT(umask(0));
		SHOW(getpriority(PRIO_PROCESS, 0));
		struct rlimit r;
		getrlimit(RLIMIT_NOFILE, &r);
		say("nofile %ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
		getcwd(b, 64);
		say("cwd in d %d", !strcmp(b + strlen(b) - 2, "/d"));
		say("fd 5 %d fd 6 %s", fcntl(5, F_GETFD), fcntl(6, F_GETFD) < 0 ? en(errno) : "open");
		read(5, b, 2);
		say("offset kept %.2s", b);
		struct flock l = { .l_type = F_WRLCK };
		pid_t p = CHILD(fcntl(5, F_GETLK, &l); say("record lock kept %d", l.l_type == F_WRLCK && l.l_pid == getppid()));
		reap(p);
		say("tid address cleared, one thread, brk fresh: %d", syscall(SYS_set_tid_address, &v) == getpid());
		sigset_t s;
		sigprocmask(SIG_BLOCK, 0, &s);
		say("USR1 blocked %d", sigismember(&s, SIGUSR1));
		say("pid kept %d", getpid() == atoi(argv[1]));
		struct tms t;
		times(&t);
		say("parent kept %d", getppid() == atoi(argv[2]));
		return 0;
	}
	strcpy(data, "changed");
	put("f", "0123456789");
	mkdir("d", 0755);
	pid_t p = CHILD(
		int fd = open("f", O_RDWR); dup2(fd, 5); dup3(fd, 6, O_CLOEXEC); if (fd != 5) close(fd);
		lseek(5, 3, SEEK_SET);
		struct flock l; memset(&l, 0, sizeof l); l.l_type = F_WRLCK; fcntl(5, F_SETLK, &l);
		prctl(PR_SET_NAME, "before"); prctl(PR_SET_DUMPABLE, 0); prctl(PR_SET_KEEPCAPS, 1);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); prctl(PR_SET_CHILD_SUBREAPER, 1);
		umask(031); setpriority(PRIO_PROCESS, 0, 3); block(SIGUSR1);
		struct rlimit r; r.rlim_cur = 50; r.rlim_max = 60; setrlimit(RLIMIT_NOFILE, &r);
		chdir("d");
		char a[20]; char b[20]; sprintf(a, "%d", getpid()); sprintf(b, "%d", getppid());
		execl("/proc/self/exe", "x", a, b, (char *)0); say("%s", en(errno)));
	reap(p);
}
