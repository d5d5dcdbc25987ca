// SPDX-License-Identifier: Apache-2.0
//
// t.h: what every differential test program shares. A program prints one line
// per observation, never a pid, an address or a time, so that the same binary
// prints the same on the host and in a guest.
//
//   OK(call)   prints `call -> ok` or `call -> ENAME`
//   VAL(call)  prints `call -> value` or `call -> ENAME`
//   SHOW(x)    prints `x = value`
//   CHILD(..)  forks, runs the statements in the child, exits 0, gives the pid
//   reap(pid)  waits and prints how the child ended

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wmisleading-indentation"

// say prints one line with one write, so that lines of several processes
// never mix and nothing waits in a buffer over fork.
__attribute__((format(printf, 1, 2))) static void say(const char *f, ...)
{
	char b[4096];
	va_list ap;
	int saved = errno;
	va_start(ap, f);
	int n = vsnprintf(b, sizeof b - 1, f, ap);
	va_end(ap);
	if (n > (int)sizeof b - 2)
		n = sizeof b - 2;
	b[n++] = '\n';
	if (write(1, b, n) != n)
		_exit(99);
	errno = saved;
}

static const char *en(int e)
{
	const char *s = e ? strerrorname_np(e) : "0";
	return s ? s : "E?";
}

// sn names a signal; real time ones by their distance from SIGRTMIN.
static const char *sn(int s)
{
	static _Thread_local char b[4][32];
	static _Thread_local int i;
	char *p = b[i++ & 3];
	if (s >= SIGRTMIN && s <= SIGRTMAX)
		snprintf(p, 32, "RTMIN+%d", s - SIGRTMIN);
	else
		snprintf(p, 32, "%s%s", s > 0 && sigabbrev_np(s) ? "SIG" : "", s > 0 && sigabbrev_np(s) ? sigabbrev_np(s) : s ? "SIG?" : "0");
	return p;
}

#define OK(x) ({ errno = 0; long r_ = (long)(x); \
	say("%s -> %s", #x, r_ == -1 ? en(errno) : "ok"); r_; })
#define VAL(x) ({ errno = 0; long r_ = (long)(x); \
	if (r_ == -1 && errno) \
		say("%s -> %s", #x, en(errno)); \
	else \
		say("%s -> %ld", #x, r_); \
	r_; })
#define SHOW(x) say("%s = %ld", #x, (long)(x))
#define OCT(x) say("%s = %lo", #x, (long)(x))
// MUST ends the program when a preparation that cannot fail does fail.
#define MUST(x) ({ long r_ = (long)(x); if (r_ == -1) { \
	say("line %d: %s: %s", __LINE__, #x, en(errno)); _exit(98); } r_; })
#define CHILD(...) ({ pid_t p_ = fork(); if (p_ == 0) { __VA_ARGS__; _exit(0); } \
	if (p_ < 0) { say("fork: %s", en(errno)); _exit(97); } p_; })

static const char *status(int st)
{
	static char b[64];
	if (WIFEXITED(st))
		snprintf(b, sizeof b, "exited %d", WEXITSTATUS(st));
	else if (WIFSIGNALED(st))
		snprintf(b, sizeof b, "killed by %s", sn(WTERMSIG(st)));
	else if (WIFSTOPPED(st))
		snprintf(b, sizeof b, "stopped by %s", sn(WSTOPSIG(st)));
	else if (WIFCONTINUED(st))
		snprintf(b, sizeof b, "continued");
	else
		snprintf(b, sizeof b, "status %#x", st);
	return b;
}

static int wait_quiet(pid_t pid)
{
	int st = -1;
	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			return -1;
	return st;
}

static void reap(pid_t pid)
{
	say("child %s", status(wait_quiet(pid)));
}

static void nap(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

// state gives the letter of /proc/PID/stat (0 when there is no such process).
static int state(pid_t pid)
{
	char f[64], b[512] = "", *p;
	snprintf(f, sizeof f, "/proc/%d/stat", pid);
	int fd = open(f, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	int n = read(fd, b, sizeof b - 1);
	close(fd);
	return n > 0 && (p = strrchr(b, ')')) && p[1] ? p[2] : 0;
}

// settle waits until a process sleeps (in the call that the test is about).
static void settle(pid_t pid)
{
	for (int i = 0; i < 200 && state(pid) != 'S'; i++)
		nap(5);
	nap(20);
}

static void put(const char *name, const char *text)
{
	int fd = MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	MUST(write(fd, text, strlen(text)));
	close(fd);
}

// text gives a file's contents, at most 4 KiB, or its errno's name.
static const char *text(const char *name)
{
	static char b[4097];
	int fd = open(name, O_RDONLY);
	if (fd < 0)
		return en(errno);
	int n = read(fd, b, 4096), e = errno;
	close(fd);
	if (n < 0)
		return en(e);
	b[n] = 0;
	return b;
}

static void on(int sig, void (*h)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_flags = flags | SA_SIGINFO };
	sa.sa_sigaction = h;
	sigemptyset(&sa.sa_mask);
	MUST(sigaction(sig, &sa, 0));
}

static sigset_t set1(int sig)
{
	sigset_t s;
	sigemptyset(&s);
	if (sig)
		sigaddset(&s, sig);
	return s;
}

static void block(int sig)
{
	sigset_t s = set1(sig);
	sigprocmask(SIG_BLOCK, &s, 0);
}

static void unblock(int sig)
{
	sigset_t s = set1(sig);
	sigprocmask(SIG_UNBLOCK, &s, 0);
}

// beat sends SIGALRM again and again, so that an interrupted call is met for
// certain however slow the machine is.
static void beat(int ms)
{
	struct itimerval it = { { ms / 1000, ms % 1000 * 1000 }, { ms / 1000, ms % 1000 * 1000 } };
	MUST(setitimer(ITIMER_REAL, &it, 0));
}

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int futex(void *p, int op, int val, const struct timespec *t, void *p2, int v3)
{
	return syscall(SYS_futex, p, op, val, t, p2, v3);
}
