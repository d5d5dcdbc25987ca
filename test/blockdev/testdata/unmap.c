// SPDX-License-Identifier: Apache-2.0
//
// A mount is busy while files on it are mapped, and not when they no longer are, though
// the process that had them mapped lives on. Its device has an ext4.
#include "t.h"
#include <sys/mount.h>

static const char *dev, *at;

static int begin(void) { return mount(dev, at, "ext4", 0, ""); }

static char *map(const char *name, int size, int len, int prot, int flags)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", at, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	MUST(ftruncate(fd, size));
	char *p = mmap(0, len, prot, flags, fd, 0);
	close(fd);
	return p;
}

static void try(const char *what, int size, int len, int prot, int flags, int touch)
{
	if (begin())
		say("mount: %s", en(errno));
	char *p = map("f", size, len, prot, flags), *q = map("g", 9000, 12288, PROT_READ, MAP_PRIVATE);
	if (touch)
		touch += *(volatile char *)p;
	if (touch && prot & PROT_WRITE)
		*p = 'x';
	say("%s", what);
	OK(umount(at));
	munmap(q, 12288);
	OK(umount(at));
	munmap(p, len);
	OK(umount(at));
}

static void *forever(void *p)
{
	for (;;)
		pause();
	return p;
}

// ends: what a process held is free when its parent hears of its end.
static void ends(void)
{
	int busy = 0, bad = 0;
	for (int i = 0; i < 300; i++) {
		bad += begin() != 0;
		int ready[2];
		char c;
		pipe(ready);
		pid_t k = fork();
		if (k == 0) {
			pthread_t t;
			for (int n = 0; n < 2; n++)
				pthread_create(&t, 0, forever, 0);
			char *p = map("f", 100000, 100000, PROT_READ | PROT_WRITE, MAP_SHARED);
			p[50000] = 'x';
			chdir(at);
			write(ready[1], "x", 1);
			if (i % 3 == 0)
				_exit(0);
			if (i % 3 == 1)
				*(volatile int *)8 = 1;
			pause();
		}
		read(ready[0], &c, 1);
		if (i % 3 == 2)
			kill(k, SIGKILL);
		waitpid(k, 0, 0);
		close(ready[0]), close(ready[1]);
		if (umount(at)) {
			busy++;
			umount2(at, MNT_DETACH);
		}
	}
	say("not mounted %d busy %d", bad, busy);
}

int main(int n, char **arg)
{
	dev = arg[1], at = arg[2];
	mkdir(at, 0755);
	try("untouched", 1, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	try("written", 1, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 1);
	try("read", 4096, 4096, PROT_READ, MAP_SHARED, 1);
	try("private", 100000, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE, 1);
	try("large", 100000, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, 1);
	try("empty", 0, 4096, PROT_READ, MAP_SHARED, 0);
	try("none", 5000, 8192, PROT_NONE, MAP_SHARED, 0);
	say("in two processes");
	OK(begin());
	char *p = map("f", 1, 4096, PROT_READ | PROT_WRITE, MAP_SHARED);
	int a[2], b[2];
	pipe(a), pipe(b);
	pid_t child = CHILD(char c; read(a[0], &c, 1); munmap(p, 4096); write(b[1], "x", 1); read(a[0], &c, 1); say("child goes"));
	munmap(p, 4096);
	OK(umount(at));
	char c;
	write(a[1], "x", 1), read(b[0], &c, 1);
	OK(umount(at));
	write(a[1], "x", 1);
	reap(child);
	ends();
	say("grown");
	OK(begin());
	p = map("f", 100000, 4096, PROT_READ, MAP_SHARED);
	mremap(p, 4096, 8192, MREMAP_MAYMOVE);
	OK(umount(at));
	OK(umount2(at, MNT_DETACH));
	return 0;
}
