// SPDX-License-Identifier: Apache-2.0
//
// setsid, getsid, their errors, and the terminal that is not there

#include "t.h"

int main(void)
{
	SHOW(getsid(0) == getsid(getpid()));
	OK(getsid(1 << 29));
	OK(getsid(-1));
	pid_t p = CHILD(
		SHOW(getsid(0) == getsid(getppid()));
		VAL(setsid() == getpid());
		SHOW(getsid(0) == getpid());
		SHOW(getpgrp() == getpid());
		OK(setsid());
		OK(open("/dev/tty", O_RDWR));
		pid_t k = fork();
		if (!k) {
			SHOW(getsid(0) == getppid());
			SHOW(getpgrp() == getppid());
			OK(setsid() > 0);
			SHOW(getsid(0) == getpid());
			_exit(0);
		}
		reap(k));
	reap(p);
	// a process group leader cannot start a session
	p = CHILD(setpgid(0, 0); OK(setsid()));
	reap(p);
	// nor move into a group of another session
	int pp[2];
	MUST(pipe(pp));
	p = CHILD(close(pp[0]); setsid(); close(pp[1]); for (;;) pause());
	close(pp[1]);
	char c;
	read(pp[0], &c, 1);
	pid_t q = CHILD(OK(setpgid(0, p)));
	reap(q);
	kill(p, SIGKILL);
	reap(p);
}
