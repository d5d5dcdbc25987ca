// SPDX-License-Identifier: Apache-2.0
//
// mmap of anonymous memory and files, private and shared, EOF tails, errors, fixed

#include "t.h"

static char *map(size_t n, int prot, int flags, int fd, long off)
{
	char *p = mmap(0, n, prot, flags, fd, off);
	return p == MAP_FAILED ? (char *)-1L : p;
}
#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
	char *a = map(8192, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("zeroed %d", a[0] == 0 && a[8191] == 0);
	put("f", "hello file");
	int fd = open("f", O_RDWR), ro = open("f", O_RDONLY), wo = open("f", O_WRONLY);
	char *p = map(4096, RW, MAP_PRIVATE, fd, 0), *s = map(4096, RW, MAP_SHARED, fd, 0);
	say("%.10s|%.10s| tail zero %d", p, s, s[10] == 0 && s[4095] == 0);
	p[0] = 'P';
	s[1] = 'S';
	say("file %s private %.10s", text("f"), p);
	write(fd, "wrote", 5);
	say("shared sees write: %.10s, touched private page does not: %.10s", s, p);
	s[20] = 'x';
	say("bytes past EOF do not reach the file: size %zu", strlen(text("f")));
	ftruncate(fd, 4096);
	OK(map(4096, PROT_READ, MAP_SHARED, wo, 0));
	OK(map(4096, PROT_READ, MAP_PRIVATE, wo, 0));
	OK(map(4096, RW, MAP_SHARED, ro, 0));
	OK(map(4096, RW, MAP_PRIVATE, ro, 0) != (char *)-1 ? 0 : -1);
	char *r = map(4096, PROT_READ, MAP_SHARED, ro, 0);
	OK(mprotect(r, 4096, RW));
	OK(map(0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK(map(4096, RW, MAP_ANONYMOUS, -1, 0));
	OK(map(4096, RW, MAP_PRIVATE, fd, 100));
	OK(map(4096, RW, MAP_PRIVATE, -1, 0));
	OK(map(4096, RW, MAP_PRIVATE, 999, 0));
	OK(map(1UL << 60, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int d = open(".", O_RDONLY), op = open("f", O_PATH), pp[2];
	pipe(pp);
	OK(map(4096, PROT_READ, MAP_PRIVATE, d, 0));
	OK(map(4096, PROT_READ, MAP_PRIVATE, op, 0));
	OK(map(4096, PROT_READ, MAP_PRIVATE, pp[0], 0));
	OK(mmap((void *)4097, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
	OK(mmap(a, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED ? -1 : 0);
	a[0] = 7;
	SHOW(mmap(a, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == a);
	SHOW(a[0]);
	SHOW(mmap(a, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == a);
	say("%.5s", a);
	// the mapping outlives descriptor and name
	close(fd);
	close(ro);
	close(wo);
	close(op);
	unlink("f");
	s[0] = 'Z';
	say("after unlink: %.5s %.5s", s, a);
	// MAP_SHARED anonymous and file mappings over fork
	int *sh = (int *)map(4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	a = map(4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t c = CHILD(sh[0] = 41; a[0] = 1; s[2] = 'C'; munmap(s, 4096));
	reap(c);
	say("shared %d private %d file %.5s", sh[0], a[0], s);
	OK(munmap(a + 1, 4096));
	OK(munmap(a, 0));
	OK(munmap(a, 4096));
	OK(munmap(a, 4096));
	// a hole in the middle of a mapping
	a = map(5 * 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a[4 * 4096] = 3;
	OK(munmap(a + 4096, 4096));
	say("still there %d", a[4 * 4096]);
	OK(write(pp[1], a + 4096, 1));
	VAL(write(pp[1], a + 4095, 2));
	OK(mprotect(a, 5 * 4096, PROT_READ));
	OK(mprotect(a + 8192, 4096, PROT_NONE));
	OK(write(pp[1], a + 8192, 1));
	write(pp[1], "xx", 2);
	OK(read(pp[0], a, 1));
	OK(mprotect(a + 1, 4096, PROT_READ));
	// offset mappings
	fd = open("g", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 4; i++) {
		char b[4096];
		memset(b, 'a' + i, 4096);
		write(fd, b, 4096);
	}
	s = map(8192, RW, MAP_SHARED, fd, 8192);
	say("%c%c", s[0], s[4096]);
	s[0] = '!';
	char ch;
	pread(fd, &ch, 1, 8192);
	say("%c", ch);
	// execute code from a mapping
	unsigned char *x = (unsigned char *)map(4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(x, "\xb8\x2a\0\0\0\xc3", 6);
	SHOW(((int (*)(void))x)());
	int zfd = open("/dev/zero", O_RDWR);
	p = map(4096, RW, MAP_PRIVATE, zfd, 0);
	p[0]++;
	say("dev zero %d %d", p[0], p[1]);
}
