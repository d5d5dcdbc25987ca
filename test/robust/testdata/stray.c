// SPDX-License-Identifier: Apache-2.0
//
// a forked child that never announces itself and runs on, its parent gone

#include "../../hostile/stub.h"

static void spin(void)
{
	for (volatile long n = 0;; n++)
		;
}

int main(int argc, char **argv)
{
	start(1, argv);
	stub_find();
	pid_t p = fork();
	if (p == 0) {
		long told = getpid();
		struct stubcall c[2] = { { SYS_clone, 0, { 0x8000, 0, 0, 0, SIGCHLD } } };
		stub_calls(c, 1);
		if (c[0].ret == 0)
			spin(); // without PDEATHSIG and without a word
		say(c[0].ret > 0 ? "strays" : "no clone: %ld", c[0].ret);
		_exit(0);
	}
	waitpid(p, 0, 0);
	if (fork() == 0) {
		// a child of our parent's is agreed and never made: that is not his fault
		if (stub_call(OP_FRAME + SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0, 0) != ACT_CLONE)
			say("no clone was agreed");
		pause();
	}
	char b[1];
	read(0, b, 1);
	say("lives");
	return 0;
}
