// SPDX-License-Identifier: Apache-2.0
//
// Mappings of block devices of 1 MiB: one that can be written, one that is read-only.
#include "t.h"

static sigjmp_buf jump;

static void bus(int s, siginfo_t *i, void *c)
{
	siglongjmp(jump, s);
}

static char *map(const char *what, int fd, long off, int prot, int flags)
{
	char *p = mmap(0, 8192, prot, flags, fd, off);
	say("%s -> %s", what, p == MAP_FAILED ? en(errno) : "ok");
	return p == MAP_FAILED ? 0 : p;
}

static void touch(const char *what, char *p, int store)
{
	int s = sigsetjmp(jump, 1);
	if (!s) {
		if (store)
			*(volatile char *)p = 'y';
		else
			(void)*(volatile char *)p;
	}
	say("%s -> %s", what, s ? sn(s) : "ok");
}

static void try(const char *dev, int flags)
{
	int fd;
	char *p, b[8];
	say("-- %s", flags == O_RDWR ? "for writing" : "for reading");
	MUST(fd = open(dev, flags));
	if ((p = map("shared, to read", fd, 4096, PROT_READ, MAP_SHARED))) {
		touch("read", p, 0);
		OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
		touch("store after mprotect", p, 1);
	}
	if ((p = map("shared, to write", fd, 8192, PROT_READ | PROT_WRITE, MAP_SHARED))) {
		strcpy(p + 5, "stored");
		OK(msync(p, 4096, MS_SYNC));
		VAL(pread(fd, b, 7, 8192 + 5));
		say("%.7s", b);
		VAL(pwrite(fd, "wrote", 6, 8192 + 100));
		say("%s", p + 100);
		VAL(pread(fd, b, 7, 4096));
		say("%c", b[0]);
	}
	if ((p = map("private", fd, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE))) {
		p[5] = 'x';
		VAL(pread(fd, b, 7, 8192 + 5));
		say("%.7s", b);
	}
	if ((p = map("the end", fd, (1 << 20) - 4096, PROT_READ, MAP_PRIVATE))) {
		touch("before it", p, 0);
		touch("behind it", p + 4096, 0);
	}
	if ((p = map("behind the end", fd, 1 << 20, PROT_READ, MAP_PRIVATE)))
		touch("there", p, 0);
	if ((p = map("further behind", fd, 1 << 21, PROT_READ, MAP_PRIVATE)))
		touch("there", p, 0);
	close(fd);
}

int main(int n, char **arg)
{
	on(SIGBUS, bus, 0);
	on(SIGSEGV, bus, 0);
	try(arg[1], O_RDONLY);
	try(arg[1], O_RDWR);
	try(arg[1], O_RDONLY);
	try(arg[2], O_RDONLY);
	try(arg[2], O_RDWR);
	return 0;
}
