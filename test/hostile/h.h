// SPDX-License-Identifier: Apache-2.0
//
// h.h: what the hostile programs share. They attack the isolation of a guest
// and are to be run in a guest only, as
//
//	lodger run --pids 500 --volume BIN:/t:ro ROOT -- /t/NAME CANARY PID
//
// CANARY is the absolute path of a host file outside of everything the guest
// was given; its text starts with "CANARY-". PID is a host process. A program
// prints a line `ESCAPED what` for each attack that worked and `blocked` at
// the end. Whoever runs it checks besides that the canary file is as it was,
// that the host process lives, that the kernel did not panic and that no host
// process of the guest is left.

#include "../diff/t.h"

// STUB is where the guest kernel's stub lies; see the founding design, "Place".
#define STUB 0x7f0000000000UL
#define STUB_LEN 0x10000UL

static const char *canary = "/nonexistent/canary";
static int host_pid = 1 << 22;
static _Atomic int *escapes; // shared with children

static void start(int argc, char **argv)
{
	if (argc > 1)
		canary = argv[1];
	if (argc > 2)
		host_pid = atoi(argv[2]);
	escapes = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, 0, _IONBF, 0);
}

#define ESCAPED(...) ((*escapes)++, say("ESCAPED " __VA_ARGS__))

static int finish(void)
{
	say(*escapes ? "not blocked: %d" : "blocked", *escapes);
	return *escapes != 0;
}

// is_canary tells whether a descriptor shows the host's canary file.
static int is_canary(long fd)
{
	char b[8] = "";
	return fd >= 0 && fd < 1 << 20 && pread(fd, b, 7, 0) == 7 && !memcmp(b, "CANARY-", 7);
}

// await reaps a child within ms, killing it when its time is over; -1 means
// that even SIGKILL did not end it: a thread that cannot be stopped.
static int await(pid_t pid, int ms)
{
	int st;
	long long end = now_ms() + ms;
	for (;;) {
		if (waitpid(pid, &st, WNOHANG) == pid)
			return st;
		if (now_ms() > end)
			break;
		nap(2);
	}
	kill(pid, SIGKILL);
	end = now_ms() + 5000;
	while (now_ms() < end) {
		if (waitpid(pid, &st, WNOHANG) == pid)
			return st;
		nap(5);
	}
	return -1;
}

// attempt runs one attack in a child of its own, silent, and waits for it.
// An attempt at fork leaves descendants that end by themselves: wait for room.
static pid_t roomy_fork(void)
{
	pid_t p;
	for (int i = 0; (p = fork()) < 0 && errno == EAGAIN && i < 4000; i++)
		nap(5);
	return p;
}
#define ATTEMPT(name, ms, ...) do { \
	pid_t p_ = roomy_fork(); \
	if (p_ < 0) { say("fork: %s", en(errno)); _exit(97); } \
	if (p_ == 0) { __VA_ARGS__; _exit(0); } \
	if (await(p_, ms) == -1) ESCAPED("%s: child cannot be killed", name); } while (0)

// readable tells whether guest code may read an address, without faulting.
static int readable(unsigned long a)
{
	static int p[2] = { -1, -1 };
	char c;
	if (p[0] < 0 && pipe(p))
		return 0;
	if (write(p[1], (void *)a, 1) != 1)
		return 0;
	read(p[0], &c, 1);
	return 1;
}

static unsigned long seed = 88172645463325252UL;
static unsigned long rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}
