// SPDX-License-Identifier: Apache-2.0
//
// msync and mincore: flags, ranges with holes, what is synced is in the file

#include "t.h"

#define RW (PROT_READ | PROT_WRITE)
#define P 4096L

static int resident(void *p, int n)
{
	unsigned char v[64] = { 0 };
	int r = 0;
	if (mincore(p, n * P, v))
		return -errno;
	for (int i = 0; i < n; i++)
		r += v[i] & 1;
	return r;
}

int main(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	ftruncate(fd, 8 * P);
	char *s = mmap(0, 8 * P, RW, MAP_SHARED, fd, 0), *p = mmap(0, 8 * P, RW, MAP_PRIVATE, fd, 0);
	char *a = mmap(0, 8 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char c;
	memcpy(s + 5 * P, "stored", 6);
	OK(msync(s, 8 * P, MS_SYNC));
	OK(msync(s, 8 * P, MS_ASYNC));
	OK(msync(s, 8 * P, MS_SYNC | MS_INVALIDATE));
	OK(msync(s, 8 * P, 0));
	OK(msync(s, 8 * P, MS_SYNC | MS_ASYNC));
	OK(msync(s, 8 * P, 8));
	OK(msync(s + 1, P, MS_SYNC));
	OK(msync(s, 0, MS_SYNC));
	OK(msync(s, -P, MS_SYNC));
	OK(msync(s, -1L, MS_SYNC));
	OK(msync(s + 3 * P, 1, MS_SYNC));
	OK(msync(p, 8 * P, MS_SYNC));
	OK(msync(a, 8 * P, MS_SYNC));
	pread(fd, &c, 1, 5 * P);
	say("%c", c);
	munmap(s + 2 * P, P);
	memcpy(s + 6 * P, "behind", 6);
	OK(msync(s, 8 * P, MS_SYNC));
	OK(msync(s, 2 * P, MS_SYNC));
	OK(msync(s + 2 * P, P, MS_SYNC));
	OK(msync(s, 3 * P, MS_ASYNC));
	pread(fd, &c, 1, 6 * P);
	say("%c", c);
	// the mapping outlives descriptor and name
	close(fd);
	OK(msync(s + 3 * P, 5 * P, MS_SYNC));
	unlink("f");
	s[7 * P] = 'x';
	OK(msync(s + 3 * P, 5 * P, MS_SYNC));

	SHOW(resident(a, 8));
	a[2 * P] = a[5 * P] = 1;
	SHOW(resident(a, 8));
	SHOW(resident(a + P, 2));
	madvise(a, 8 * P, MADV_DONTNEED);
	SHOW(resident(a, 8));
	SHOW(resident(s + 5 * P, 1));
	SHOW(resident(s, 8));
	SHOW(resident(a + 1, 1));
	OK(mincore(a, P, (void *)8));
	OK(mincore(a, 0, (void *)8));
	OK(mincore(a, -P, (void *)8));
	return 0;
}
