// SPDX-License-Identifier: Apache-2.0
//
// signals to pid 1 and to all, ptrace of pid 1, and exhausting what init needs

#include "h.h"

#include <sys/ptrace.h>

int main(int argc, char **argv)
{
	start(argc, argv);
	if (getpid() != 1)
		for (int s = 1; s <= 64; s++) {
			ATTEMPT("kill 1", 300, kill(1, s));
			ATTEMPT("tgkill 1", 300, syscall(SYS_tgkill, 1, 1, s));
			ATTEMPT("queue 1", 300, union sigval v = { 0 }; sigqueue(1, s, v));
		}
	ATTEMPT("ptrace 1", 300, ptrace(PTRACE_ATTACH, 1, 0, 0));
	ATTEMPT("vm 1", 300, char b[8]; struct iovec l = { b, 8 }; struct iovec r = { (void *)0x400000, 8 }; process_vm_writev(1, &l, 1, &r, 1, 0));
	ATTEMPT("mem 1", 300, int fd = open("/proc/1/mem", O_RDWR); pwrite(fd, "garbage", 7, 0x400000));
	ATTEMPT("oom", 300, put("/proc/1/oom_score_adj", "1000"));
	ATTEMPT("limits", 300, struct rlimit z = { 0, 0 }; for (int i = 0; i < 16; i++) prlimit(1, i, &z, 0));
	// a zombie flood: init must reap what it inherits
	for (int i = 0; i < 200; i++)
		ATTEMPT("orphans", 300, if (fork() == 0) _exit(0));
	nap(100);
	pid_t p = CHILD(_exit(7));
	if (WEXITSTATUS(wait_quiet(p)) != 7)
		ESCAPED("init is gone");
	// everybody but ourselves and init
	p = CHILD(setsid(); signal(SIGTERM, SIG_IGN); kill(-1, SIGCONT));
	wait_quiet(p);
	return finish();
}
