// SPDX-License-Identifier: Apache-2.0
//
// attacks on the mappings of files on a disk image: to see blocks of the disk that
// are not the file's

#include "../../hostile/stub.h"

enum { SIZE = 64 << 12 };

// make fills a file that nobody else has.
static int make(const char *name, int c)
{
	static char b[SIZE];
	memset(b, c, sizeof b);
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);
	if (write(fd, b, sizeof b) != sizeof b || fsync(fd))
		ESCAPED("no file to map: %d", errno);
	return fd;
}

// reuse frees a file's blocks and fills the disk with others.
static void reuse(int fd)
{
	ftruncate(fd, 0);
	char name[] = "otherA";
	for (int i = 0; i < 8; i++, name[5]++)
		close(make(name, 'S'));
}

// An allowed mapping that is not made at once must not be made when the file has
// become shorter.
static void late_mapping(void)
{
	int fd = make("late", 'a');
	long r = stub_call(OP_FRAME + SYS_mmap, 0, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	struct stubcall ok = *(struct stubcall *)(stub_header + 0x180);
	if (ok.nr != SYS_mmap)
		ESCAPED("no mapping was allowed: this program is out of date (%lx, %u)", r, ok.nr);
	reuse(fd);
	char *p = (char *)stub_call(SYS_mmap, ok.a[0], ok.a[1], ok.a[2], ok.a[3], ok.a[4], ok.a[5]);
	if ((unsigned long)p < -4095UL)
		ESCAPED("a mapping allowed before a truncation was made behind it: %c", *p);
	for (int n = 3; n < 256; n++) { // what was injected for it
		p = (char *)stub_call(SYS_mmap, 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, n, 0);
		if ((unsigned long)p < -4095UL)
			ESCAPED("descriptor %d can be mapped at will", n);
	}
}

// The filter lets the stub map some numbers without asking.
static void many_numbers(void)
{
	int fds[260], n = 0;
	mkdir("/dev/shm", 0777);
	for (; n < 230; n++) { // each stays in the host process's table
		char name[40];
		snprintf(name, sizeof name, "/tmpfs/f%d", n);
		fds[n] = open(name, O_CREAT | O_RDWR, 0600);
		ftruncate(fds[n], 4096);
		mmap(0, 4096, PROT_READ, MAP_SHARED, fds[n], 0);
	}
	int fd = make("number", 'a');
	for (int i = 0; i < 20; i++) {
		stub_call(OP_FRAME + SYS_mmap, 0, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
		struct stubcall ok = *(struct stubcall *)(stub_header + 0x180);
		if (ok.a[4] < 216)
			ESCAPED("a disk's descriptor is put at number %ld", ok.a[4]);
	}
}

static long fake[1 << 14];

// A pretended exec has the program's files put where they can be mapped at will.
static void pretend(int close_image)
{
	char *argv[] = { "/bin/steal", 0 }, *envp[] = { 0 };
	struct stubcall c[12] = {
		{ OP_FRAME + SYS_execve, 0, { (long)argv[0], (long)argv, (long)envp } },
		{ SYS_set_robust_list, 0, { 1L << 63, 24 } },
		{ OP_BATCH },
		{ SYS_close, 0, { 1 } },
		{ SYS_execveat, 0, { 1, C_EMPTY, C_ARGV, C_ENVP, 0x1000 } },
		{ OP_START, 0, { (long)(fake + (1 << 14) - 32), 0 } },
		{ SYS_mmap, 0, { 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, 200, 0 } },
	};
	if (!close_image) { // without the proof
		memmove(c + 1, c + 3, 4 * sizeof *c);
		stub_calls(c, 5);
	} else
		stub_calls(c, 7);
	if (readable(0x10000000))
		ESCAPED("a block of the disk by a pretended exec");
}

// A process whose first thread has ended is mapped by the others still.
static int dead_fd;
static void *outlive(void *a)
{
	char *p = mmap(0, SIZE, PROT_READ, MAP_SHARED, dead_fd, 0);
	volatile char c = *p;
	nap(100); // the first thread is gone
	pid_t kid = fork();
	if (kid == 0) {
		reuse(dead_fd);
		_exit(0);
	}
	waitpid(kid, 0, 0);
	for (int i = 0; i < SIZE; i += 4096)
		if (readable((unsigned long)p + i) && p[i] == 'S')
			ESCAPED("a freed block is still mapped: the first thread has ended");
	_exit(0);
}

static void leaderless(void)
{
	dead_fd = make("leader", 'a');
	pthread_t t;
	pthread_create(&t, 0, outlive, 0);
	pthread_exit(0);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	stub_find();
	ATTEMPT("late mapping", 20000, late_mapping());
	ATTEMPT("first thread ended", 20000, leaderless());
	ATTEMPT("many numbers", 20000, many_numbers());
	ATTEMPT("pretended exec", 5000, pretend(0));
	ATTEMPT("pretended exec, marked", 5000, pretend(1));
	return finish();
}
