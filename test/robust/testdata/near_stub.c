// SPDX-License-Identifier: Apache-2.0
//
// A program's own memory may lie right beside the stub, or be too large for a filter
// to tell: calls on it must work all the same. Prints "fine".

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define CHECK(x) do { if (!(x)) { printf("line %d: %s: %s\n", __LINE__, #x, strerror(errno)); return 1; } } while (0)

// calls makes every call that the filter guards on n bytes at p.
static int calls(char *p, size_t n)
{
	CHECK(mprotect(p, n, PROT_READ) == 0);
	CHECK(mprotect(p, n, PROT_READ | PROT_WRITE) == 0);
	p[0] = p[n - 1] = 7;
	CHECK(madvise(p, n, MADV_NORMAL) == 0);
	CHECK(madvise(p, n, MADV_DONTNEED) == 0);
	CHECK(p[0] == 0 && p[n - 1] == 0);
	CHECK(mremap(p, n, n / 2, 0) == p);
	CHECK(munmap(p, n / 2) == 0);
	CHECK(madvise(p, 4096, MADV_NORMAL) == -1 && errno == ENOMEM);
	return 0;
}

int main(void)
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	unsigned long at[] = { 0x7efe80000000, 0x7eff00000000, 0x7efff0000000, 0x7f0080000000, 0x7f00f0000000, 0x7f0100000000 };
	for (int i = 0; i < 6; i++) {
		char *p = mmap((void *)at[i], 1 << 20, PROT_READ | PROT_WRITE, anon | MAP_FIXED_NOREPLACE, -1, 0);
		CHECK(p == (void *)at[i]);
		if (calls(p, 1 << 20))
			return 1;
	}
	char *big = mmap(0, 8UL << 30, PROT_READ | PROT_WRITE, anon, -1, 0);
	CHECK(big != MAP_FAILED);
	if (calls(big, 8UL << 30))
		return 1;
	puts("fine");
}
