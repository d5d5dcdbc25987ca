// SPDX-License-Identifier: Apache-2.0
//
// micro: the micro-benchmark whose lines the numbers table of the boot issue
// names. The same static binary runs natively and in a guest.
//
//   micro            all lines
//   micro NAME...    some lines
//   micro -l         names only
//
// Each line of output is "name value": microseconds per operation, the median
// of BATCHES batches (for "calls" lines: calls per second, of all callers).
// Build: gcc -O2 -static -pthread -o micro micro.c

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 11

extern char **environ;
static char self[4096];

static double now(void) // microseconds
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int cmp(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;
	return x < y ? -1 : x > y;
}

// ---- one operation each; n is how many to do in a batch ----

static void getppid_(int n) { while (n--) syscall(SYS_getppid); }

static void fork_(int n)
{
	while (n--) {
		pid_t p = fork();
		if (p == 0)
			_exit(0);
		if (p < 0 || waitpid(p, 0, 0) != p)
			die("fork");
	}
}

static char *touched;
static void fork64_(int n)
{
	if (!touched) {
		touched = mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(touched, 64 << 20, MADV_NOHUGEPAGE);
		for (long i = 0; i < 64 << 20; i += 4096)
			touched[i] = 1;
	}
	fork_(n);
}
static void free64(void)
{
	munmap(touched, 64 << 20);
	touched = 0;
}

static void wait_ok(pid_t p)
{
	int st;
	if (waitpid(p, &st, 0) != p || st != 0)
		die("child");
}

static void spawn_(int n)
{
	char *a[] = { "micro", "-0", 0 };
	while (n--) {
		pid_t p;
		if (posix_spawn(&p, self, 0, 0, a, environ))
			die("posix_spawn");
		wait_ok(p);
	}
}

static const char *dash(void)
{
	static const char *all[] = { "/bin/dash", "/usr/bin/dash", "/bin/sh" };
	for (int i = 0; i < 3; i++)
		if (access(all[i], X_OK) == 0)
			return all[i];
	return 0;
}
static void dash_(int n)
{
	const char *d = dash();
	if (!d)
		return;
	while (n--) {
		pid_t p = fork();
		if (p == 0) {
			execl(d, "dash", "-c", ":", (char *)0);
			_exit(127);
		}
		wait_ok(p);
	}
}

static void *nothing(void *a) { return a; }
static void thread_(int n)
{
	while (n--) {
		pthread_t t;
		if (pthread_create(&t, 0, nothing, 0))
			die("pthread_create");
		pthread_join(t, 0);
	}
}

static void fault_(int n)
{
	size_t len = (size_t)n * 4096;
	char *p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, len, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < len; i += 4096)
		p[i] = 1;
	munmap(p, len);
}

static void map_(int n)
{
	while (n--) {
		void *p = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("mmap");
		munmap(p, 65536);
	}
}

static int word;
static int rounds;
static void fwait(int v) { while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) != v) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, !v, 0, 0, 0); }
static void fset(int v) { __atomic_store_n(&word, v, __ATOMIC_SEQ_CST); syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }
static void *ponger(void *a)
{
	for (int i = 0; i < rounds; i++) {
		fwait(1);
		fset(0);
	}
	return 0;
}
static void futex_(int n)
{
	pthread_t t;
	word = 0;
	rounds = n;
	pthread_create(&t, 0, ponger, 0);
	for (int i = 0; i < n; i++) {
		fset(1);
		fwait(0);
	}
	pthread_join(t, 0);
}

static void clock_(int n)
{
	struct timespec t;
	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void pipe_(int n)
{
	int a[2], b[2];
	char c = 0;
	if (pipe(a) || pipe(b))
		die("pipe");
	pid_t p = fork();
	if (p == 0) {
		for (int i = 0; i < n; i++)
			if (read(a[0], &c, 1) != 1 || write(b[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < n; i++)
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			die("pipe");
	wait_ok(p);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static volatile int handled;
static void handler(int s) { handled++; }
static void raise_(int n)
{
	signal(SIGUSR1, handler);
	while (n--)
		raise(SIGUSR1);
}

static int file = -1;
static char buf[4096];
static void open_file(void)
{
	if (file >= 0)
		return;
	file = open(self, O_RDONLY);
	if (file < 0)
		die(self);
}
static void pread_(int n)
{
	open_file();
	while (n--)
		if (pread(file, buf, 4096, 4096) != 4096)
			die("pread");
}
static void stat_(int n)
{
	struct stat st;
	while (n--)
		if (stat(self, &st))
			die("stat");
}
static void openclose_(int n)
{
	while (n--) {
		int fd = open(self, O_RDONLY);
		if (fd < 0)
			die("open");
		close(fd);
	}
}
static void devnull_(int n)
{
	static int fd = -1;
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY);
	while (n--)
		write(fd, "x", 1);
}

// ---- the host's floor: a notified call that the barest receiver answers ----

// floor_child attaches the filter, tells the listener's number through the shared
// table and then makes the calls.
static double floor_child(volatile int *listener)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 4, f };
	double v[BATCHES];
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	// NEW_LISTENER and WAIT_KILLABLE_RECV, as a guest's processes have it
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 8 | 32, &p);
	*listener = fd < 0 ? -1 : fd;
	if (fd < 0)
		return 0;
	getppid_(200);
	for (int i = 0; i < BATCHES; i++) {
		double s = now();
		getppid_(2000);
		v[i] = (now() - s) / 2000;
	}
	qsort(v, BATCHES, sizeof *v, cmp);
	return v[BATCHES / 2];
}

// notify_floor prints what a hand-off takes on this host, whoever receives; nothing
// where it is not to be had (as in a guest).
static void notify_floor(void)
{
	struct shared { volatile int listener; double us; } *sh =
		mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t p = syscall(SYS_clone, 0x400 /* CLONE_FILES */ | SIGCHLD, 0, 0, 0, 0);
	if (p < 0)
		return;
	if (p == 0) {
		sh->us = floor_child(&sh->listener);
		_exit(0);
	}
	while (sh->listener == 0 && waitpid(p, 0, WNOHANG) == 0)
		usleep(1000);
	int fd = sh->listener;
	if (fd > 0) {
		struct seccomp_notif n;
		struct seccomp_notif_resp r;
		ioctl(fd, 0x40082104, 1); // SYNC_WAKE_UP
		while (memset(&n, 0, sizeof n), ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0) {
			memset(&r, 0, sizeof r);
			r.id = n.id;
			ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
		}
		close(fd);
		waitpid(p, 0, 0);
	}
	if (sh->us > 0)
		printf("notify-floor %.4f\n", sh->us);
}

// ---- several callers at once: total calls per second over half a second ----

static volatile int *go;
static long *counts;
static void count(int k)
{
	long n = 0;
	while (!*go)
		sched_yield();
	while (*go == 1) {
		for (int i = 0; i < 64; i++)
			syscall(SYS_getppid);
		n += 64;
	}
	counts[k * 8] = n;
}
static void *caller(void *a) { count((long)a); return 0; }

static double many(int processes)
{
	pthread_t t[4];
	pid_t p[4];
	*go = 0;
	for (long i = 0; i < 4; i++) {
		if (!processes) {
			pthread_create(&t[i], 0, caller, (void *)i);
		} else if ((p[i] = fork()) == 0) {
			count(i);
			_exit(0);
		}
	}
	double s = now();
	*go = 1;
	usleep(300000);
	*go = 2;
	double e = now();
	long n = 0;
	for (int i = 0; i < 4; i++) {
		if (processes)
			wait_ok(p[i]);
		else
			pthread_join(t[i], 0);
		n += counts[i * 8];
	}
	return n / (e - s) * 1e6;
}

// ---- the table ----

static const struct line {
	const char *name;
	void (*run)(int);
	int batch; // operations in a batch
	void (*after)(void);
} lines[] = {
	{ "getppid", getppid_, 2000 },
	{ "write-devnull", devnull_, 2000 },
	{ "fork-exit-wait", fork_, 50 },
	{ "fork-64MiB", fork64_, 10, free64 },
	{ "spawn-static-glibc", spawn_, 20 },
	{ "fork-exec-dash", dash_, 20 },
	{ "thread-create-join", thread_, 100 },
	{ "page-fault-anon", fault_, 4096 },
	{ "futex-ping-pong", futex_, 1000 },
	{ "mmap-munmap-64KiB", map_, 2000 },
	{ "clock_gettime", clock_, 20000 },
	{ "pipe-ping-pong", pipe_, 500 },
	{ "raise-handler", raise_, 1000 },
	{ "pread-4KiB", pread_, 2000 },
	{ "stat", stat_, 2000 },
	{ "open-close", openclose_, 1000 },
};

static void measure(const struct line *l)
{
	double v[BATCHES];
	if (!strcmp(l->name, "fork-exec-dash") && !dash())
		return;
	l->run(l->batch / 10 + 1); // warm up
	for (int i = 0; i < BATCHES; i++) {
		double s = now();
		l->run(l->batch);
		v[i] = (now() - s) / l->batch;
	}
	qsort(v, BATCHES, sizeof *v, cmp);
	if (l->after)
		l->after();
	printf("%s %.4f\n", l->name, v[BATCHES / 2]);
	fflush(stdout);
}

static int wanted(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-0")) // the program that spawn_ starts
		return 0;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		snprintf(self, sizeof self, "%s", argv[0]);
	int names = argc > 1 && !strcmp(argv[1], "-l");
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		if (names)
			puts(lines[i].name);
		else if (wanted(argc, argv, lines[i].name))
			measure(&lines[i]);
	if (names)
		puts("notify-floor");
	else if (wanted(argc, argv, "notify-floor"))
		notify_floor();
	char *sh = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	go = (int *)sh;
	counts = (long *)(sh + 1024);
	const char *many_names[] = { "calls-4-threads", "calls-4-processes" };
	for (int k = 0; k < 2; k++) {
		if (names) {
			puts(many_names[k]);
		} else if (wanted(argc, argv, many_names[k])) {
			double v[5];
			for (int i = 0; i < 5; i++)
				v[i] = many(k);
			qsort(v, 5, sizeof *v, cmp);
			printf("%s %.0f\n", many_names[k], v[2]);
		}
	}
	return 0;
}
