// SPDX-License-Identifier: Apache-2.0
//
// A large file is cut while it is mapped privately, many pages changed, and shared

#include "t.h"

enum { SIZE = 20 << 20, P = 4096 };

int main(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	static char text[1 << 20];
	for (int i = 0; i < SIZE >> 20; i++) {
		memset(text, 'a' + i, sizeof text);
		write(fd, text, sizeof text);
	}
	fsync(fd);
	char *p = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), *s = mmap(0, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	for (int i = 0; i < SIZE / P; i++)
		if (i % 3)
			p[i * P + 5] = 'P';
	OK(ftruncate(fd, SIZE - P));
	int bad = 0;
	for (int i = 0; i < SIZE / P - 1; i++)
		bad += p[i * P] != 'a' + i / 256 || s[i * P] != 'a' + i / 256 || p[i * P + 5] != (i % 3 ? 'P' : 'a' + i / 256);
	SHOW(bad);
	OK(mprotect(s, SIZE, PROT_READ | PROT_WRITE));
	s[P] = 'S'; // made by a descriptor that writes
	char c;
	pread(fd, &c, 1, P);
	say("%c %c", c, p[P] == 'S' ? 'S' : 'P');
	return 0;
}
