// SPDX-License-Identifier: Apache-2.0
//
// two threads re-point a descriptor while a third maps it

#include "h.h"

// Whatever a mapping shows must be one of the files that stood at that number,
// and a writable shared mapping must never be of a file opened read-only.

static int slot, rw, ro;
static volatile int stop;

static void *flip(void *a)
{
	while (!stop) {
		dup2(rw, slot);
		dup2(ro, slot);
		if ((long)a)
			close(slot);
	}
	return 0;
}
static void *open_close(void *a)
{
	while (!stop) {
		int fd = open("secret", O_WRONLY);
		close(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	start(argc, argv);
	char page[4096];
	memset(page, 'w', sizeof page);
	put("rw", "");
	put("ro", "");
	put("secret", "");
	rw = open("rw", O_RDWR);
	write(rw, page, 4096);
	memset(page, 'r', sizeof page);
	ro = open("ro", O_RDWR);
	write(ro, page, 4096);
	close(ro);
	ro = open("ro", O_RDONLY);
	memset(page, 's', sizeof page);
	int s = open("secret", O_WRONLY);
	write(s, page, 4096);
	close(s);
	slot = 50;
	for (long mode = 0; mode < 2; mode++) {
		stop = 0;
		pthread_t t[3];
		pthread_create(&t[0], 0, flip, (void *)mode);
		pthread_create(&t[1], 0, flip, (void *)mode);
		pthread_create(&t[2], 0, open_close, 0);
		long maps = 0;
		for (long long end = now_ms() + 3000; now_ms() < end;)
			for (int i = 0; i < 100; i++) {
				char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, slot, 0);
				if (p != MAP_FAILED) {
					if (p[1] != 'w')
						ESCAPED("writable shared mapping of %c", p[1]);
					p[0] = 'X';
					munmap(p, 4096);
					maps++;
				}
				p = mmap(0, 4096, PROT_READ, MAP_PRIVATE, slot, 0);
				if (p != MAP_FAILED) {
					if (p[1] != 'w' && p[1] != 'r')
						ESCAPED("mapping shows %c", p[1]);
					munmap(p, 4096);
				}
			}
		stop = 1;
		for (int i = 0; i < 3; i++)
			pthread_join(t[i], 0);
		char c = 0;
		pread(ro, &c, 1, 0);
		if (c != 'r')
			ESCAPED("read-only file was written");
		SHOW(maps > 0);
	}
	return finish();
}
