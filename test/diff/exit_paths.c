// SPDX-License-Identifier: Apache-2.0
//
// atexit, exit from handlers and threads, exit_group status, output flushing

#include "t.h"

static void bye1(void) { say("bye1"); }
static void bye2(void) { say("bye2"); }
static void hx(int s, siginfo_t *i, void *u) { _exit(44); }
static void *th(void *a) { _exit(45); }
static void *thr(void *a) { nap(30); exit(46); }
static void *last(void *a) { nap(30); say("last thread"); return 0; }

int main(void)
{
	pid_t p = CHILD(atexit(bye1); atexit(bye2); exit(41));
	reap(p);
	p = CHILD(atexit(bye1); _exit(42));
	reap(p);
	p = CHILD(on(SIGUSR1, hx, 0); raise(SIGUSR1));
	reap(p);
	p = CHILD(pthread_t t; pthread_create(&t, 0, th, 0); for (;;) pause());
	reap(p);
	p = CHILD(pthread_t t; atexit(bye1); pthread_create(&t, 0, thr, 0); for (;;) pause());
	reap(p);
	// main thread leaves by pthread_exit, the process ends 0 with the last thread
	p = CHILD(pthread_t t; pthread_create(&t, 0, last, 0); pthread_exit(0));
	reap(p);
	// raw exit (not exit_group) of the main thread while another goes on
	p = CHILD(pthread_t t; pthread_create(&t, 0, thr, 0); syscall(SYS_exit, 3));
	reap(p);
	p = CHILD(syscall(SYS_exit, 47));
	reap(p);
	p = CHILD(printf("unflushed is lost"); _exit(0));
	reap(p);
	p = CHILD(printf("flushed by exit\n"); exit(0));
	reap(p);
}
