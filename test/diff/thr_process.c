// SPDX-License-Identifier: Apache-2.0
//
// fork, exec, exit_group and fatal signals in a threaded process; /proc/self/task

#include "t.h"

static void *forever(void *a) { for (;;) pause(); return 0; }
static void *spin(void *a) { for (;;) ; return 0; }
static void *do_exec(void *a) { execl("/proc/self/exe", "x", a, (char *)0); return 0; }
static void *do_fork(void *a)
{
	pid_t p = fork();
	if (p == 0) {
		int n = 0;
		DIR *d = opendir("/proc/self/task");
		for (struct dirent *e; d && (e = readdir(d));)
			n += e->d_name[0] != '.';
		say("child of a thread: tid is pid %d, threads %d", gettid() == getpid(), n);
		_exit(9);
	}
	reap(p);
	return 0;
}
static void *waiter(void *a) { int st; pid_t p = waitpid(-1, &st, 0); say("thread waited: %s, right child %d", status(st), p == *(pid_t *)a); return 0; }
static void *seg(void *a) { *(volatile int *)0 = 1; return 0; }
static void *cwd(void *a) { chdir("d"); umask(0); return 0; }

int main(int argc, char **argv)
{
	if (argc > 1) {
		int n = 0;
		DIR *d = opendir("/proc/self/task");
		for (struct dirent *e; d && (e = readdir(d));)
			n += e->d_name[0] != '.';
		say("exec'ed (%s): pid is tid %d, threads %d, same pid %d", argv[1], gettid() == getpid(), n, atoi(getenv("PIDWAS")) == getpid());
		return 17;
	}
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	pthread_t t[4];
	pid_t p = CHILD(char b[30]; sprintf(b, "%d", getpid()); setenv("PIDWAS", b, 1);
		pthread_create(&t[0], 0, forever, 0); pthread_create(&t[1], 0, spin, 0);
		pthread_create(&t[2], 0, do_exec, "from a thread"); for (;;) pause());
	reap(p);
	p = CHILD(char b[30]; sprintf(b, "%d", getpid()); setenv("PIDWAS", b, 1);
		pthread_create(&t[0], 0, forever, 0); pthread_create(&t[1], 0, spin, 0); do_exec("from main"));
	reap(p);
	pthread_create(&t[0], 0, forever, 0);
	pthread_create(&t[1], 0, do_fork, 0);
	pthread_join(t[1], 0);
	p = CHILD(nap(20); _exit(5));
	pthread_create(&t[1], 0, waiter, &p);
	pthread_join(t[1], 0);
	p = CHILD(pthread_create(&t[0], 0, spin, 0); pthread_create(&t[1], 0, seg, 0); for (;;) pause());
	reap(p);
	p = CHILD(pthread_create(&t[0], 0, spin, 0); pthread_create(&t[1], 0, forever, 0); nap(20); _exit(11));
	reap(p);
	p = CHILD(pthread_create(&t[0], 0, spin, 0); pthread_create(&t[1], 0, forever, 0); nap(20); kill(getpid(), SIGKILL));
	reap(p);
	// threads share cwd, umask and descriptors
	mkdir("d", 0755);
	umask(022);
	pthread_create(&t[1], 0, cwd, 0);
	pthread_join(t[1], 0);
	char c[4096];
	getcwd(c, sizeof c);
	say("cwd moved %d", !!strstr(c, "/d"));
	OCT(umask(022));
	// fork in one thread while others allocate and fork
	int bad = 0;
	for (int i = 0; i < 20; i++) {
		p = CHILD(pthread_create(&t[2], 0, spin, 0); pid_t q = CHILD(_exit(3)); _exit(WEXITSTATUS(wait_quiet(q))));
		bad += WEXITSTATUS(wait_quiet(p)) != 3;
	}
	SHOW(bad);
}
