// SPDX-License-Identifier: Apache-2.0
//
// processes and threads until the limit; the guest must say EAGAIN and live on

#include "h.h"

static void *sleeper(void *a) { for (;;) pause(); return 0; }

int main(int argc, char **argv)
{
	start(argc, argv);
	int n = 0, e = 0;
	pid_t group = 0, p;
	while (n < 20000) {
		p = fork();
		if (p == 0)
			for (;;)
				pause();
		if (p < 0) {
			e = errno;
			break;
		}
		setpgid(p, group);
		if (!group)
			group = p;
		n++;
	}
	if (!e)
		ESCAPED("no limit up to %d processes", n);
	else if (e != EAGAIN && e != ENOMEM)
		say("fork gave %s", en(e));
	kill(-group, SIGKILL);
	while (wait(0) > 0)
		;
	// exponential: every process forks; the bomb is one group, killed after a second
	group = fork();
	if (group == 0) {
		setpgid(0, 0);
		for (;;)
			if (fork() < 0)
				sched_yield();
	}
	setpgid(group, group);
	nap(1000);
	for (int i = 0; i < 200 && kill(-group, SIGKILL) == 0; i++)
		nap(20);
	wait(0);
	// threads
	ATTEMPT("threads", 5000, pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstacksize(&a, 16384); pthread_t t; int k = 0;
		while (k < 20000 && pthread_create(&t, &a, sleeper, 0) == 0) k++;
		if (k == 20000) ESCAPED("no limit up to %d threads", k));
	p = fork();
	if (p == 0)
		_exit(5);
	if (p < 0 || WEXITSTATUS(wait_quiet(p)) != 5)
		ESCAPED("the guest cannot fork afterwards");
	return finish();
}
