// SPDX-License-Identifier: Apache-2.0
//
// stop and continue as waitpid and waitid report them

#include "t.h"

int main(void)
{
	pid_t p = CHILD(for (;;) pause());
	int st;
	siginfo_t si;
	MUST(kill(p, SIGSTOP));
	MUST(waitpid(p, &st, WUNTRACED));
	say("%s", status(st));
	say("stat letter %c", state(p));
	VAL(waitpid(p, &st, WUNTRACED | WNOHANG));
	MUST(kill(p, SIGCONT));
	MUST(waitpid(p, &st, WCONTINUED));
	say("%s", status(st));
	VAL(waitpid(p, &st, WCONTINUED | WNOHANG));

	// SIGTSTP does nothing in an orphaned group, so give the child one of its own
	MUST(setpgid(p, p));
	MUST(kill(p, SIGTSTP));
	MUST(waitid(P_PID, p, &si, WSTOPPED | WNOWAIT));
	say("stopped code right %d status %s", si.si_code == CLD_STOPPED, sn(si.si_status));
	MUST(waitid(P_PID, p, &si, WSTOPPED));
	say("again %s", sn(si.si_status));
	VAL(waitid(P_PID, p, &si, WSTOPPED | WNOHANG));
	kill(p, SIGCONT);
	MUST(waitid(P_PID, p, &si, WCONTINUED));
	say("continued code right %d status %s", si.si_code == CLD_CONTINUED, sn(si.si_status));

	// a fatal signal to a stopped process waits for SIGCONT; SIGKILL does not
	kill(p, SIGSTOP);
	MUST(waitpid(p, &st, WUNTRACED));
	kill(p, SIGTERM);
	nap(30);
	VAL(waitpid(p, &st, WNOHANG));
	kill(p, SIGCONT);
	reap(p);
	p = CHILD(for (;;) pause());
	kill(p, SIGSTOP);
	MUST(waitpid(p, &st, WUNTRACED));
	kill(p, SIGKILL);
	reap(p);
	// SIGCONT drops a pending stop, a stop drops a pending SIGCONT
	p = CHILD(block(SIGTSTP); raise(SIGTSTP); raise(SIGCONT);
		sigset_t s; sigpending(&s); say("TSTP pending after CONT: %d", sigismember(&s, SIGTSTP));
		block(SIGCONT); raise(SIGCONT); sigpending(&s); say("CONT pending: %d", sigismember(&s, SIGCONT));
		raise(SIGTSTP); sigpending(&s); say("CONT pending after TSTP: %d", sigismember(&s, SIGCONT)));
	reap(p);
}
