// SPDX-License-Identifier: Apache-2.0
//
// WNOHANG, WNOWAIT, __WALL, __WCLONE, process group selection

#include "t.h"

int main(void)
{
	int pp[2];
	MUST(pipe(pp));
	pid_t p = CHILD(char c; close(pp[1]); read(pp[0], &c, 1); _exit(3));
	int st = -1;
	VAL(waitpid(p, &st, WNOHANG));
	SHOW(st);
	VAL(waitpid(p, &st, WNOHANG | __WCLONE));
	VAL(waitpid(-1, &st, WNOHANG | __WALL));
	close(pp[1]);
	siginfo_t si = { 0 };
	OK(waitid(P_PID, p, &si, WEXITED | WNOWAIT));
	say("si_status %d code %d signo %s pid right %d", si.si_status, si.si_code == CLD_EXITED, sn(si.si_signo), si.si_pid == p);
	OK(waitid(P_ALL, 0, &si, WEXITED | WNOWAIT | WNOHANG));
	OK(waitid(P_PID, p, &si, WEXITED | WNOHANG));
	OK(waitid(P_PID, p, &si, WEXITED | WNOHANG));

	// waitid with nothing to report clears si_pid and gives 0.
	MUST(pipe(pp));
	p = CHILD(char c; close(pp[1]); read(pp[0], &c, 1); _exit(4));
	memset(&si, 0x55, sizeof si);
	VAL(waitid(P_PID, p, &si, WEXITED | WNOHANG));
	SHOW(si.si_pid);
	SHOW(si.si_signo);
	OK(waitid(P_PID, p, &si, 0));
	OK(waitid(P_PID, p, &si, WEXITED | 0x100));
	OK(waitid(99, p, &si, WEXITED));
	OK(waitid(P_PID, 0, &si, WEXITED));
	OK(waitid(P_PID, p, &si, WSTOPPED | WNOHANG));
	// another group is not waited for with pid 0
	setpgid(p, p);
	OK(waitpid(0, &st, WNOHANG));
	VAL(waitpid(-p, &st, WNOHANG));
	close(pp[1]);
	SHOW(waitpid(-p, &st, 0) == p);
	say("%s", status(st));
	OK(waitid(P_PGID, p, &si, WEXITED));

	// __WCLONE waits for children with another exit signal only
	signal(SIGUSR2, SIG_IGN);
	p = syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0);
	if (p == 0)
		_exit(9);
	OK(waitpid(p, &st, 0));
	SHOW(waitpid(p, &st, __WCLONE) == p);
	say("%s", status(st));
	p = syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (p == 0)
		_exit(10);
	SHOW(waitpid(p, &st, __WALL) == p);
	say("%s", status(st));
}
