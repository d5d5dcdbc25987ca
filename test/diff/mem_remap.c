// SPDX-License-Identifier: Apache-2.0
//
// mremap grow, shrink, move, fixed, of files and shared memory, errors

#include "t.h"

#define RW (PROT_READ | PROT_WRITE)
static void *re(void *p, size_t o, size_t n, int f, void *to)
{
	void *r = mremap(p, o, n, f, to);
	return r == MAP_FAILED ? (void *)-1L : r;
}

int main(void)
{
	char *a = mmap(0, 16 * 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 16; i++)
		a[i * 4096] = i + 1;
	SHOW(re(a, 16 * 4096, 8 * 4096, 0, 0) == a);
	SHOW(re(a, 8 * 4096, 16 * 4096, 0, 0) == a);
	say("kept %d, new is zero %d", a[7 * 4096], a[8 * 4096]);
	mmap(a + 16 * 4096, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	OK(re(a, 16 * 4096, 17 * 4096, 0, 0));
	char *b = re(a, 16 * 4096, 64 * 4096, MREMAP_MAYMOVE, 0);
	say("moved %d contents %d %d, new zero %d", b != a, b[0], b[7 * 4096], b[40 * 4096]);
	OK(madvise(a, 4096, MADV_NORMAL));
	char *room = mmap(0, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(re(b, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 4096) == room + 4096);
	SHOW(room[4096]);
	OK(re(b + 4096, 4096, 4096, MREMAP_FIXED, room));
	OK(re(b + 1, 4096, 4096, MREMAP_MAYMOVE, 0));
	OK(re(b + 4096, 4096, 0, MREMAP_MAYMOVE, 0));
	OK(re(room + (1 << 24), 4096, 8192, MREMAP_MAYMOVE, 0));
	OK(re(b + 8192, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, b + 4096));
	OK(re(b + 4096, 4096, 4096, 0x80, 0));
	// files
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 8 * 4096);
	for (int i = 0; i < 8; i++)
		pwrite(fd, &(char){ 'a' + i }, 1, i * 4096);
	char *s = mmap(0, 4096, RW, MAP_SHARED, fd, 0);
	s = re(s, 4096, 8 * 4096, MREMAP_MAYMOVE, 0);
	say("grown shared %c%c", s[0], s[7 * 4096]);
	s[7 * 4096] = 'H';
	char c;
	pread(fd, &c, 1, 7 * 4096);
	say("%c", c);
	char *p = mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	p = re(p, 4096, 3 * 4096, MREMAP_MAYMOVE, 0);
	say("grown private %c%c%c", p[0], p[4096], p[8192]);
	// old size 0 duplicates a shared mapping and refuses a private one
	char *dup = re(s, 0, 4096, MREMAP_MAYMOVE, 0);
	dup[0] = 'D';
	say("duplicate %c", s[0]);
	OK(re(p, 0, 4096, MREMAP_MAYMOVE, 0));
	int *sh = mmap(0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sh[0] = 9;
	sh = re(sh, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	pid_t k = CHILD(sh[0] = 10);
	reap(k);
	SHOW(sh[0]);
	// MREMAP_DONTUNMAP leaves an empty mapping behind
	a = mmap(0, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a[0] = 8;
	b = re(a, 4096, 4096, MREMAP_MAYMOVE | 4, 0);
	say("dontunmap %d %d", b[0], a[0]);
}
