// SPDX-License-Identifier: Apache-2.0
//
// exit codes as wait4 reports them, and what a parent without children gets

#include "t.h"

int main(void)
{
	int codes[] = { 0, 1, 7, 127, 255, 256, 300, -1 };
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
		pid_t p = CHILD(_exit(codes[i]));
		say("fork: child exit %d -> %s", codes[i], status(wait_quiet(p)));
	}
	int sigs[] = { SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGALRM, SIGPIPE, SIGHUP };
	for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		struct rlimit none = { 0, 0 };
		pid_t p = CHILD(setrlimit(RLIMIT_CORE, &none); kill(getpid(), sigs[i]); _exit(1));
		int st = wait_quiet(p);
		say("%s -> %s core %d", sn(sigs[i]), status(st), !!WCOREDUMP(st));
	}
	pid_t p = CHILD(abort());
	reap(p);
	OK(wait(0));
	OK(waitpid(-1, 0, WNOHANG));
	OK(waitpid(1 << 29, 0, 0));
	OK(waitpid(-1, 0, 0x10000000 | 0x400000));
	SHOW(getppid() != getpid());
	p = CHILD(_exit(getppid() == getpgid(0) || getppid() > 0 ? 0 : 1));
	reap(p);
}
