// SPDX-License-Identifier: Apache-2.0
//
// A process stops while its other threads are about to sleep in their first call: the
// parent must be told, however their kicks fall

#include "t.h"

static void *idle(void *p)
{
	for (;;)
		pause();
	return p;
}

int main(void)
{
	int stopped = 0, ended = 0, st;
	for (int i = 0; i < 2000; i++) {
		pid_t k = fork();
		if (k == 0) {
			pthread_t t;
			for (int n = 0; n < 2; n++)
				pthread_create(&t, 0, idle, 0);
			raise(SIGSTOP);
			_exit(7);
		}
		waitpid(k, &st, WUNTRACED);
		stopped += WIFSTOPPED(st);
		kill(k, SIGCONT);
		waitpid(k, &st, 0);
		ended += WIFEXITED(st) && WEXITSTATUS(st) == 7;
	}
	say("stopped %d ended %d", stopped, ended);
	return 0;
}
