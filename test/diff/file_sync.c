// SPDX-License-Identifier: Apache-2.0
//
// Writes that are large or durable happen once, at one place, as a whole, whoever had to
// wait for the disk in the meantime.
#include "t.h"
#include <sys/uio.h>

int main(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct iovec v = { "one line\n", 9 };
	struct stat st;
	for (int i = 0; i < 3; i++) {
		VAL(pwritev2(fd, &v, 1, -1, RWF_DSYNC));
		VAL(lseek(fd, 0, SEEK_CUR));
	}
	VAL(pwritev2(fd, &v, 1, -1, RWF_SYNC));
	VAL(pwritev2(fd, &v, 1, 0, RWF_SYNC | RWF_APPEND));
	fstat(fd, &st);
	SHOW(st.st_size);
	int s = open("s", O_RDWR | O_CREAT | O_TRUNC | O_SYNC | O_APPEND, 0600);
	for (int i = 0; i < 3; i++)
		VAL(write(s, "more\n", 5));
	fstat(s, &st);
	SHOW(st.st_size);
	long n = 5 << 20;
	char *b = malloc(n), *c = malloc(n);
	for (long i = 0; i < n; i++)
		b[i] = i * 7 + i / 4096;
	VAL(write(s, b, n));
	VAL(pwrite(fd, b, n, 100));
	VAL(pread(fd, c, n, 100));
	SHOW(memcmp(b, c, n));
	fstat(s, &st);
	SHOW(st.st_size);
	VAL(pread(s, c, n, 15));
	SHOW(memcmp(b, c, n));
	return 0;
}
