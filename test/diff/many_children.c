// SPDX-License-Identifier: Apache-2.0
//
// a hundred children at once, reaped in any order; a deep chain of forks

#include "t.h"

static int chain(int n)
{
	if (n == 0)
		return 1;
	pid_t p = fork();
	if (p == 0)
		_exit(chain(n - 1));
	int st = wait_quiet(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) + 1 : 200;
}

int main(void)
{
	int pp[2], n = 0, sum = 0, st;
	MUST(pipe(pp));
	for (int i = 0; i < 100; i++)
		CHILD(close(pp[1]); char c; read(pp[0], &c, 1); _exit(i));
	OK(waitpid(-1, &st, WNOHANG));
	close(pp[1]);
	while (wait(&st) > 0)
		n++, sum += WEXITSTATUS(st);
	say("reaped %d, sum %d, then %s", n, sum, en(errno));
	SHOW(chain(30));
	// children that fork children, all writing through one pipe
	MUST(pipe(pp));
	for (int i = 0; i < 8; i++)
		CHILD(for (int j = 0; j < 8; j++) { CHILD(char c = 1; write(pp[1], &c, 1)); }
			while (wait(0) > 0););
	close(pp[1]);
	char c;
	n = 0;
	while (read(pp[0], &c, 1) == 1)
		n += c;
	while (wait(0) > 0)
		;
	SHOW(n);
}
