// SPDX-License-Identifier: Apache-2.0
//
// calls that could keep the kernel from serving others, or make it hold what it has not

#include "h.h"

// stalled runs an attack in a child for a while and asks how long others wait.
#define STALL(name, ...) do { \
	pid_t p_ = roomy_fork(); \
	if (p_ == 0) { alarm(4); __VA_ARGS__; _exit(0); } \
	long long worst_ = 0, end_ = now_ms() + 800; \
	while (now_ms() < end_) { \
		long long t_ = now_ms(); \
		syscall(SYS_getppid); \
		if (now_ms() - t_ > worst_) worst_ = now_ms() - t_; \
		nap(1); \
	} \
	if (worst_ > 5000) ESCAPED("%s: others waited %lld ms", name, worst_); \
	if (await(p_, 10) == -1) ESCAPED("%s: child cannot be killed", name); } while (0)

static void raise_files(void)
{
	struct rlimit l = { 1 << 20, 1 << 20 };
	setrlimit(RLIMIT_NOFILE, &l);
}

static int pulse[2];

// tower builds epoll files each of which is watched many times by the one above.
static int tower(int height, int width, int topdown)
{
	int e[64];
	for (int i = 0; i < height; i++)
		e[i] = epoll_create1(0);
	for (int k = 0; k < height - 1; k++) {
		int i = topdown ? k : height - 2 - k;
		struct epoll_event ev = { .events = EPOLLIN };
		for (int w = 0; w < width; w++)
			epoll_ctl(e[i], EPOLL_CTL_ADD, dup(e[i + 1]), &ev);
	}
	pipe(pulse);
	struct epoll_event ev = { .events = EPOLLIN };
	epoll_ctl(e[height - 1], EPOLL_CTL_ADD, pulse[0], &ev);
	return e[0];
}

// shake has something happen at the bottom of a tower while its top is looked at.
static void shake(int e)
{
	struct epoll_event ev[8];
	char c = 0;
	for (;;) {
		write(pulse[1], &c, 1);
		epoll_wait(e, ev, 8, 0);
		poll(&(struct pollfd){ e, POLLIN }, 1, 0);
		read(pulse[0], &c, 1);
		epoll_wait(e, ev, 8, 0);
	}
}

int main(int argc, char **argv)
{
	start(argc, argv);
	STALL("epoll tower", shake(tower(40, 2, 1)));
	STALL("epoll tower, bottom first", shake(tower(40, 2, 0)));
	STALL("wide epoll tower", raise_files(); shake(tower(5, 1000, 1)));
	STALL("wide epoll tower, bottom first", raise_files(); shake(tower(5, 1000, 0)));
	STALL("timers of a nanosecond",
		signal(SIGRTMIN, SIG_IGN); block(SIGUSR1);
		for (int i = 0; i < 200; i++) {
			struct sigevent s = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = i % 2 ? SIGUSR1 : SIGRTMIN };
			timer_t t;
			struct itimerspec v = { { 0, 1 }, { 0, 1 } };
			if (timer_create(CLOCK_MONOTONIC, &s, &t) == 0) timer_settime(t, 0, &v, 0);
		}
		for (;;) pause());
	STALL("timer files of a nanosecond",
		for (int i = 0; i < 200; i++) { struct itimerspec v = { { 0, 1 }, { 0, 1 } }; timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), 0, &v, 0); }
		for (;;) pause());
	STALL("interval timer of a microsecond", signal(SIGALRM, SIG_IGN); struct itimerval v = { { 0, 1 }, { 0, 1 } }; for (;;) { setitimer(ITIMER_REAL, &v, 0); pause(); });
	STALL("poll of everything", raise_files();
		int n = 1 << 20; struct pollfd *p = mmap(0, n * 8UL, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int q[2]; pipe(q);
		for (int i = 0; i < n; i++) p[i] = (struct pollfd){ q[0], POLLIN };
		for (;;) poll(p, n, 1));
	STALL("descriptors far up", raise_files(); for (int i = 0;; i++) { dup2(1, (1 << 20) - 1 - i % 1000); close((1 << 20) - 1 - i % 1000); });
	STALL("forks with a large table", raise_files(); dup2(1, (1 << 20) - 1); for (;;) { pid_t p = fork(); if (!p) _exit(0); waitpid(p, 0, 0); });
	STALL("pipes of a mebibyte", raise_files(); char b[65536]; for (int i = 0; i < 400; i++) { int q[2]; pipe2(q, O_NONBLOCK); fcntl(q[1], F_SETPIPE_SZ, 1 << 20); while (write(q[1], b, sizeof b) > 0); } for (;;) pause());
	STALL("deep directories", char path[4096]; for (int i = 0; i < 5000; i++) { if (mkdir("x", 0755) || chdir("x")) break; } for (int i = 0; i < 500; i++) getcwd(path, sizeof path); for (;;) { struct stat s; stat("../../../../../../x/x/x", &s); });
	STALL("a sparse file of a tebibyte", int f = open("sparse", O_CREAT | O_RDWR, 0644); ftruncate(f, 1L << 40); for (;;) { lseek(f, 0, SEEK_DATA); char b[4096]; pread(f, b, 4096, 1L << 39); });
	STALL("many symbolic links", for (int i = 0; i < 39; i++) { char a[32], b[128]; snprintf(a, sizeof a, "k%d", i); snprintf(b, sizeof b, "k%d/../k%d", i + 1, i + 1); symlink(b, a); } mkdir("k39", 0755); for (;;) { struct stat s; stat("k0", &s); });
	STALL("a vector of everything", static char zero[1 << 16]; struct iovec v[1024]; for (int i = 0; i < 1024; i++) v[i] = (struct iovec){ zero, 1 << 21 };
		int z = open("/dev/zero", O_RDONLY), n = open("/dev/null", O_WRONLY); for (;;) { readv(z, v, 1024); writev(n, v, 1024); });
	STALL("records locked one by one", int f = open("locks", O_CREAT | O_RDWR, 0644); for (int i = 0; i < 200000; i++) { struct flock l = { .l_type = F_WRLCK, .l_start = 2L * i, .l_len = 1 }; fcntl(f, F_SETLK, &l); } for (;;) pause());
	STALL("process files", for (;;) { static const char *const n[] = { "/proc/self/maps", "/proc/self/smaps", "/proc/self/status", "/proc/self/stat", "/proc/self/fd", "/proc/mounts" };
		for (int i = 0; i < 6; i++) { char b[65536]; int f = open(n[i], O_RDONLY); while (read(f, b, sizeof b) > 0); close(f); } });
	STALL("mappings in their thousands", char *p = mmap(0, 1 << 28, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); for (long i = 0; i < 30000; i++) mprotect(p + i * 8192, 4096, 1);
		for (;;) { char b[65536]; int f = open("/proc/self/smaps", O_RDONLY); while (read(f, b, sizeof b) > 0); close(f); });
	STALL("eight bytes at a time", int e = syscall(SYS_eventfd2, 0, 0), z = open("/dev/zero", O_RDONLY); write(e, "12345678", 8); for (;;) { sendfile(e, z, 0, 1 << 30); sendfile(e, e, 0, 1 << 30); });
	STALL("signals queued", block(SIGRTMIN); union sigval v = { 0 }; for (;;) { sigqueue(getpid(), SIGRTMIN, v); kill(getpid(), SIGRTMIN); });
	return finish();
}
