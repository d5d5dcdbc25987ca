// SPDX-License-Identifier: Apache-2.0
//
// /dev/null, zero, full, random, urandom, tty, fd, stdin and friends

#include "t.h"

int main(void)
{
	char b[64];
	memset(b, 7, 64);
	int n = OK(open("/dev/null", O_RDWR));
	VAL(read(n, b, 10));
	VAL(write(n, b, 64));
	VAL(lseek(n, 100, SEEK_SET));
	VAL(pread(n, b, 10, 5));
	OK(ftruncate(n, 0));
	int z = OK(open("/dev/zero", O_RDWR));
	VAL(read(z, b, 64));
	SHOW(b[0] | b[63]);
	VAL(write(z, b, 64));
	int f = OK(open("/dev/full", O_RDWR));
	VAL(read(f, b, 64));
	OK(write(f, b, 1));
	VAL(write(f, b, 0));
	int u = OK(open("/dev/urandom", O_RDONLY)), r = OK(open("/dev/random", O_RDONLY));
	VAL(read(u, b, 64));
	VAL(read(r, b, 16));
	struct stat st;
	const char *d[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
	for (int i = 0; i < 6; i++)
		if (stat(d[i], &st) == 0)
			say("%s chr %d %u:%u perm %o", d[i], S_ISCHR(st.st_mode), major(st.st_rdev), minor(st.st_rdev), st.st_mode & 0777);
		else
			say("%s: %s", d[i], en(errno));
	OK(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0600));
	OK(open("/dev/null", O_RDONLY | O_DIRECTORY));
	int pp[2];
	pipe(pp);
	dup2(pp[0], 0);
	write(pp[1], "abc", 3);
	int s = OK(open("/dev/stdin", O_RDONLY));
	VAL(read(s, b, 10));
	sprintf(b, "/dev/fd/%d", pp[0]);
	OK(open(b, O_RDONLY));
	OK(access("/dev/fd/999", F_OK));
	OK(access("/dev/shm", W_OK));
	OK(isatty(n) ? 0 : -1);
	OK(ioctl(n, TIOCGWINSZ, b));
	VAL(mmap(0, 4096, PROT_READ, MAP_PRIVATE, n, 0) == MAP_FAILED ? -1 : 0);
	struct pollfd p = { z, POLLIN | POLLOUT, 0 };
	VAL(poll(&p, 1, 0));
	for (int i = 0; i < 4; i++) { // they do not tell when they were used
		struct stat a;
		int k = open(d[i], O_RDWR);
		stat(d[i], &st);
		usleep(20000);
		read(k, b, 1);
		write(k, b, 1);
		stat(d[i], &a);
		say("%s same times %d %d", d[i], !memcmp(&a.st_mtim, &st.st_mtim, sizeof st.st_mtim), !memcmp(&a.st_atim, &st.st_atim, sizeof st.st_atim));
		close(k);
	}
}
