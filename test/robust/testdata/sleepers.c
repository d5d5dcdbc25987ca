// SPDX-License-Identifier: Apache-2.0
//
// Every kind of long sleep, one process or thread each; standard input is
// echoed line by line. At its end all are woken.

#include "../../diff/t.h"

static int fds[2], quit[2];
static pthread_mutex_t pi;
static sem_t sem;
static int word;
static void *pi_waiter(void *a) { pthread_mutex_lock(&pi); pthread_mutex_unlock(&pi); return 0; }
static void *sem_waiter(void *a) { sem_wait(&sem); return 0; }
static void *timed_waiter(void *a)
{
	struct timespec ts = { 100, 0 };
	syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, 0, 0);
	return 0;
}

int main(void)
{
	pipe(fds);
	pipe(quit);
	pid_t p[16];
	int n = 0;
	char c;
	p[n++] = CHILD(close(quit[1]); read(quit[0], &c, 1));
	p[n++] = CHILD(nap(100000));
	p[n++] = CHILD(pause());
	p[n++] = CHILD(struct pollfd f = { fds[0], POLLIN }; poll(&f, 1, -1));
	p[n++] = CHILD(int e = epoll_create1(0); struct epoll_event ev; epoll_wait(e, &ev, 1, 100000));
	p[n++] = CHILD(pid_t k = CHILD(pause()); waitpid(k, 0, 0));
	p[n++] = CHILD(raise(SIGSTOP));
	p[n++] = CHILD(if (vfork() == 0) { nap(100000); _exit(0); });
	p[n++] = CHILD(sigset_t s; sigemptyset(&s); sigsuspend(&s));
	p[n++] = CHILD(sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR1); sigprocmask(SIG_BLOCK, &s, 0); int x; sigwait(&s, &x));
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi, &a);
	pthread_mutex_lock(&pi);
	pthread_t t[3];
	pthread_create(&t[0], 0, pi_waiter, 0);
	pthread_create(&t[1], 0, sem_waiter, 0);
	pthread_create(&t[2], 0, timed_waiter, 0);
	nap(300);
	setvbuf(stdout, 0, _IOLBF, 0);
	say("asleep");
	char line[64];
	while (fgets(line, sizeof line, stdin))
		printf("read %s", line);
	pthread_mutex_unlock(&pi);
	sem_post(&sem);
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	for (int i = 1; i < n; i++)
		kill(p[i], SIGKILL);
	write(quit[1], "q", 1);
	for (int i = 0; i < n; i++)
		waitpid(p[i], 0, 0);
	say("all woke");
	return 0;
}
