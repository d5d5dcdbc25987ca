// SPDX-License-Identifier: Apache-2.0
//
// what each signal does by default

#include "t.h"

int main(void)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	for (int s = 1; s <= 64; s++) {
		if (s == 32 || s == 33)
			continue;
		int pp[2];
		MUST(pipe(pp));
		pid_t p = CHILD(setpgid(0, 0); close(pp[1]); char c; read(pp[0], &c, 1); _exit(0));
		setpgid(p, p);
		close(pp[0]);
		kill(p, s);
		int st, r = 0;
		if (s == SIGCHLD || s == SIGURG || s == SIGWINCH || s == SIGCONT) {
			close(pp[1]);
			r = waitpid(p, &st, 0);
		} else {
			r = waitpid(p, &st, WUNTRACED);
			close(pp[1]);
		}
		say("%d %s: %s", s, sn(s), r == p ? status(st) : en(errno));
		if (WIFSTOPPED(st)) {
			kill(p, SIGKILL);
			wait_quiet(p);
		}
	}
}
