// SPDX-License-Identifier: Apache-2.0
//
// brk, madvise, msync, mincore, mlock, memfd, stack growth

#include "t.h"

static int deep(int n) { volatile char b[4096]; b[0] = n; return n ? deep(n - 1) + b[0] * 0 : 0; }

int main(void)
{
	char *b0 = sbrk(0);
	SHOW(sbrk(10000) == b0);
	memset(b0, 7, 10000);
	SHOW((char *)sbrk(0) == b0 + 10000);
	sbrk(-5000);
	SHOW((char *)sbrk(0) == b0 + 5000);
	say("kept %d", b0[100]);
	SHOW(syscall(SYS_brk, 0) == (long)sbrk(0));
	SHOW(syscall(SYS_brk, 4096) == (long)sbrk(0));
	sbrk(64 << 20);
	memset(b0 + 5000, 1, 64 << 20);
	sbrk(-(64 << 20));
	sbrk(8192);
	pid_t p = CHILD(sbrk(4096); b0[0] = 9);
	reap(p);
	say("parent's heap %d", b0[0]);
	char *a = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(a, 1, 4 * 4096);
	OK(madvise(a, 4096, MADV_DONTNEED));
	say("dontneed %d, next %d", a[0], a[4096]);
	OK(madvise(a + 1, 4096, MADV_DONTNEED));
	OK(madvise(a, 4096, 12345));
	OK(madvise(a, 4096, MADV_WILLNEED));
	OK(madvise(a, 4096, MADV_SEQUENTIAL));
	OK(madvise(a, 4096, MADV_FREE));
	OK(madvise(a, 4096, MADV_HUGEPAGE) & 0);
	OK(madvise(a + 4096, 4096, MADV_DONTFORK));
	p = CHILD(a[4096] = 1);
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	reap(p);
	OK(madvise(a + 8192, 4096, MADV_WIPEONFORK));
	p = CHILD(say("wiped in the child %d", a[8192]));
	reap(p);
	say("not in the parent %d", a[8192]);
	OK(mlock(a, 4096));
	OK(munlock(a, 4096));
	OK(mlockall(0x80));
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 8192);
	char *s = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s[0] = 'm';
	OK(msync(s, 8192, MS_SYNC));
	OK(msync(s, 8192, MS_ASYNC));
	OK(msync(s, 8192, MS_SYNC | MS_ASYNC));
	OK(msync(s + 1, 4096, MS_SYNC));
	munmap(s + 4096, 4096);
	OK(msync(s, 8192, MS_SYNC));
	unsigned char v[2] = { 0 };
	OK(mincore(s, 4096, v));
	SHOW(v[0] & 1);
	OK(mincore(s, 8192, v));
	OK(mincore(s + 1, 4096, v));
	int m = MUST(memfd_create("mem", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	ftruncate(m, 4096);
	s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	strcpy(s, "memory file");
	char b[20] = "";
	VAL(pread(m, b, 11, 0));
	say("%s", b);
	VAL(fcntl(m, F_GET_SEALS));
	OK(fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK));
	OK(ftruncate(m, 0));
	OK(ftruncate(m, 8192));
	OK(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(s, 4096);
	OK(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	OK(write(m, "x", 1));
	OK(fcntl(m, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(deep(1000));
}
