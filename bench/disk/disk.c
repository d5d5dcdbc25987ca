// SPDX-License-Identifier: Apache-2.0
//
// disk: the lines of the disks issue's numbers table that one program can measure.
// The same static binary runs natively on ext4 and in a guest on its image.
//
//   disk NAME DIR     one line, with its files in DIR
//   disk power-off    end the guest (where an image has no such program)
//
// It prints "NAME value": microseconds per operation (milliseconds per file for
// the seq lines), the median of the batches.
// Build: gcc -O2 -static -o disk disk.c

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REQUEST (128 << 10)
#define PAGE 4096
#define BIG (1L << 30)       // what is read: cached
#define NEW (256L << 20)     // what is written and synced
#define AROUND (64 << 10)    // what Linux maps around one read fault

static char buf[REQUEST];
static int dir, big;

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

// fill writes a file from its begin, in the requests of the seq lines.
static void fill(int fd, long len)
{
	for (long at = 0; at < len; at += REQUEST) {
		buf[0] = at >> 17; // no two requests alike, none of zeroes
		if (write(fd, buf, REQUEST) != REQUEST)
			die("write");
	}
}

// read_all reads the big file; what it read is cached from then on.
static void read_all(void)
{
	if (lseek(big, 0, SEEK_SET))
		die("lseek");
	for (long at = 0; at < BIG; at += REQUEST)
		if (read(big, buf, REQUEST) != REQUEST)
			die("read");
}

// open_big makes the big file when it is not there whole, and caches it.
static void open_big(void)
{
	struct stat st;
	big = openat(dir, "big", O_RDWR | O_CREAT, 0644);
	if (big < 0 || fstat(big, &st))
		die("big");
	if (st.st_size != BIG) {
		fill(big, BIG);
		if (fsync(big))
			die("fsync");
	}
	read_all();
}

static off_t somewhere(void) // a page of the big file; the same row every time
{
	static unsigned long x = 1;
	x = x * 6364136223846793005UL + 1442695040888963407UL;
	return (off_t)(x >> 33) % (BIG / PAGE) * PAGE;
}

// ---- one batch each; n is how many operations ----

static void seq_read(int n) { read_all(); }

// before_write makes the file new and lets nothing old wait to be written.
static void before_write(void)
{
	if (unlinkat(dir, "new", 0) && errno != ENOENT)
		die("unlink");
	if (syncfs(dir))
		die("syncfs");
}
static void seq_write(int n)
{
	int fd = openat(dir, "new", O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		die("new");
	fill(fd, NEW);
	if (fsync(fd) || close(fd))
		die("fsync");
}

static void pread_(int n)
{
	while (n--)
		if (pread(big, buf, PAGE, somewhere()) != PAGE)
			die("pread");
}
static void pwrite_(int n)
{
	while (n--)
		if (pwrite(big, buf, PAGE, somewhere()) != PAGE)
			die("pwrite");
}

static void create_unlink(int n)
{
	while (n--) {
		int fd = openat(dir, "created", O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			die("create");
		close(fd);
		if (unlinkat(dir, "created", 0))
			die("unlink");
	}
}

static char path[4096];
static void stat_(int n)
{
	struct stat st;
	while (n--)
		if (stat(path, &st))
			die(path);
}

// fault touches one page of each run that a read fault maps at once, so that each
// touch is a fault.
static void fault_(int n)
{
	volatile char *p = mmap(0, (size_t)n * AROUND, PROT_READ, MAP_PRIVATE, big, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < n; i++)
		p[i * AROUND];
	munmap((void *)p, (size_t)n * AROUND);
}

// ---- the table ----

static const struct line {
	const char *name;
	void (*run)(int);
	int batch; // operations in a batch
	int batches;
	double per; // divides microseconds
	int needs_big;
	void (*before)(void); // each batch
} lines[] = {
	{ "disk-seq-read", seq_read, 1, 5, 1000, 1 },
	{ "disk-seq-write-fsync", seq_write, 1, 3, 1000, 0, before_write },
	{ "disk-pread-4KiB", pread_, 4000, 11, 1, 1 },
	{ "disk-pwrite-4KiB", pwrite_, 4000, 11, 1, 1 },
	{ "disk-create-unlink", create_unlink, 500, 11, 1 },
	{ "disk-stat", stat_, 2000, 11, 1 },
	{ "disk-mmap-fault", fault_, BIG / AROUND, 7, 1, 1 },
};

static void measure(const struct line *l)
{
	double v[16];
	if (l->needs_big)
		open_big();
	for (int i = -1; i < l->batches; i++) { // the first warms up
		if (l->before)
			l->before();
		double s = now();
		l->run(l->batch);
		if (i >= 0)
			v[i] = (now() - s) / l->batch / l->per;
	}
	qsort(v, l->batches, sizeof *v, cmp);
	printf("%s %.4f\n", l->name, v[l->batches / 2]);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "power-off")) {
		sync();
		reboot(RB_POWER_OFF);
		die("reboot");
	}
	if (argc != 3) {
		fprintf(stderr, "usage: disk NAME DIR\n");
		return 2;
	}
	memset(buf, 'x', sizeof buf);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		die(argv[2]);
	snprintf(path, sizeof path, "%s/disk", argv[2]); // this program
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!strcmp(lines[i].name, argv[1])) {
			measure(&lines[i]);
			return 0;
		}
	fprintf(stderr, "disk: no line %s\n", argv[1]);
	return 2;
}
