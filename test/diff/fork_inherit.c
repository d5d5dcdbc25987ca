// SPDX-License-Identifier: Apache-2.0
//
// what a child inherits and what it does not

#include "t.h"

static char mem[8192] = "parent";

int main(void)
{
	put("f", "0123456789");
	int fd = MUST(open("f", O_RDONLY));
	char b[4] = "";
	umask(027);
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	alarm(100);
	block(SIGUSR1);
	raise(SIGUSR1);
	setpriority(PRIO_PROCESS, 0, 5);
	pid_t p = CHILD(
		read(fd, b, 3);
		strcpy(mem, "child");
		char c[4096]; getcwd(c, sizeof c);
		say("child: cwd ends in /d: %d", !strcmp(c + strlen(c) - 2, "/d"));
		SHOW(alarm(0));
		OCT(umask(0));
		sigset_t s; sigpending(&s);
		say("child: SIGUSR1 pending %d", sigismember(&s, SIGUSR1));
		sigprocmask(SIG_BLOCK, 0, &s);
		say("child: SIGUSR1 blocked %d", sigismember(&s, SIGUSR1));
		SHOW(getpriority(PRIO_PROCESS, 0));
		MUST(chdir("/"));
		struct tms t; times(&t); SHOW(t.tms_cutime);
	);
	reap(p);
	read(fd, b, 3);
	say("shared offset: parent reads %s", b);
	say("private memory: %s", mem);
	say("alarm still on: %d", alarm(0) > 90);
	OCT(umask(0));
	char c[4096];
	getcwd(c, sizeof c);
	say("cwd ends in /d: %d", !strcmp(c + strlen(c) - 2, "/d"));
	sigset_t s;
	sigpending(&s);
	say("SIGUSR1 pending %d", sigismember(&s, SIGUSR1));
}
