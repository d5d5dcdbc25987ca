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

// A mapping that grows must not show what lies behind its piece of the file on the
// disk, whatever another thread puts there meanwhile. The file's pages lie between a
// stranger's.
static char *volatile growing;
static int grow_fd;
static atomic_int grown;

static void interleave(void)
{
	static char page[4096];
	memset(page, 'S', sizeof page);
	int rest = open("rest", O_CREAT | O_RDWR, 0600), n = 0;
	for (; write(rest, page, sizeof page) == sizeof page; n++)
		; // all that is left of the disk
	if (n < 400 || ftruncate(rest, (n - 20) * 4096L) || fsync(rest)) // for the block map of so many pieces
		ESCAPED("no room: %d", n);
	for (int i = 0; i < 100; i++)
		if (fallocate(rest, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * 8192L, 4096))
			ESCAPED("no hole: %d", errno);
	sync();
	grow_fd = make("grow", 'a');
	close(rest);
}

static void *swap(void *a)
{
	for (volatile int n = 0; !grown; n++) {
		mmap(growing, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, grow_fd, n % 63 * 4096);
		for (volatile int i = 0; i < n % 64 * 500; i++)
			;
		mmap(growing, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
		for (volatile int i = 0; i < n % 61 * 500; i++)
			;
	}
	return 0;
}

static void spy(char *p, const char *how)
{
	if (p != MAP_FAILED && readable((unsigned long)p + 4096) && p[4096] == 'S')
		ESCAPED("a strange block behind a mapping that grew %s", how);
}

static void grow(void)
{
	interleave();
	growing = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pthread_create(&t, 0, swap, 0);
	for (int i = 0; i < 4000; i++) {
		char *q = mremap(growing, 4096, 8192, MREMAP_MAYMOVE);
		spy(q, "while it was replaced");
		if (q != MAP_FAILED) {
			munmap(q + 4096, 4096);
			if (q != growing)
				munmap(q, 4096);
		}
	}
	grown = 1;
	pthread_join(t, 0);
	for (int i = 0; i < 64; i++)
		for (int shared = 0; shared < 2; shared++) {
			char *p = mmap(0, 4096, PROT_READ, shared ? MAP_SHARED : MAP_PRIVATE, grow_fd, i * 4096);
			char *q = mremap(p, 4096, 8192, MREMAP_MAYMOVE);
			spy(q, "alone");
			q = mremap(q, 0, 8192, MREMAP_MAYMOVE);
			spy(q, "from nothing");
		}
	unlink("rest");
}

// A growth that was allowed while no file of the disk was mapped must not be made once
// another thread has mapped one there. This program must lie elsewhere.
static atomic_int late_go, late_ready;
static long late_page;
static void *map_late(void *a)
{
	while (!late_go)
		sched_yield();
	mmap(growing, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, grow_fd, late_page * 4096);
	late_ready = 1;
	return 0;
}

static void late_growth(int page)
{
	late_page = page;
	growing = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pthread_create(&t, 0, map_late, 0);
	stub_call(OP_FRAME + SYS_mremap, (long)growing, 4096, 8192, MREMAP_MAYMOVE, 0, 0);
	struct stubcall ok = *(struct stubcall *)(stub_header + 0x180);
	late_go = 1; // from here on no call but the one that was allowed
	while (!late_ready)
		;
	char *p = (char *)stub_call(SYS_mremap, ok.a[0], ok.a[1], ok.a[2], ok.a[3], ok.a[4], ok.a[5]);
	if ((unsigned long)p < -4095UL)
		spy(p, "late");
	p = (char *)stub_call(SYS_mremap, (long)growing, 4096, 8192, MREMAP_MAYMOVE, 0, 0);
	if ((unsigned long)p < -4095UL)
		spy(p, "late, unasked");
}

int main(int argc, char **argv)
{
	start(argc, argv);
	stub_find();
	if (strcmp(argv[0], "/tmpfs/late") == 0) {
		interleave();
		for (int page = 0; page < 8; page++)
			ATTEMPT("late growth", 5000, late_growth(page));
		unlink("rest");
		return finish();
	}
	ATTEMPT("late mapping", 20000, late_mapping());
	ATTEMPT("first thread ended", 20000, leaderless());
	ATTEMPT("many numbers", 20000, many_numbers());
	ATTEMPT("pretended exec", 5000, pretend(0));
	ATTEMPT("pretended exec, marked", 5000, pretend(1));
	ATTEMPT("growing mremap", 20000, grow());
	return finish();
}
