// SPDX-License-Identifier: Apache-2.0
//
// sendfile, copy_file_range, splice, tee, vmsplice

#include "t.h"

int main(void)
{
	char b[64] = "";
	put("src", "The quick brown fox");
	int s = open("src", O_RDONLY), d = open("dst", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2], q[2];
	pipe(p);
	pipe(q);
	VAL(sendfile(d, s, 0, 9));
	VAL(lseek(s, 0, SEEK_CUR));
	off_t o = 4;
	VAL(sendfile(d, s, &o, 5));
	SHOW(o);
	VAL(lseek(s, 0, SEEK_CUR));
	say("%s", text("dst"));
	VAL(sendfile(p[1], s, 0, 100));
	VAL(read(p[0], b, 64));
	say("%s", b);
	VAL(sendfile(d, s, 0, 10));
	OK(sendfile(s, s, 0, 10));
	OK(sendfile(d, p[0], 0, 10));
	o = -1;
	OK(sendfile(d, s, &o, 10));
	int a = open("dst", O_WRONLY | O_APPEND);
	o = 0;
	OK(sendfile(a, s, &o, 3));
	off_t i = 4, j = 0;
	VAL(copy_file_range(s, &i, d, &j, 5, 0));
	say("%ld %ld %s", i, j, text("dst"));
	VAL(copy_file_range(s, &i, d, &j, 1000, 0));
	i = 1000;
	VAL(copy_file_range(s, &i, d, &j, 10, 0));
	i = 0;
	j = 2;
	OK(copy_file_range(d, &i, d, &j, 10, 0));
	OK(copy_file_range(s, 0, d, 0, 10, 1));
	OK(copy_file_range(d, 0, s, 0, 10, 0));
	OK(copy_file_range(s, 0, p[1], 0, 10, 0));
	lseek(s, 0, SEEK_SET);
	VAL(splice(s, 0, p[1], 0, 9, 0));
	VAL(tee(p[0], q[1], 100, 0));
	VAL(splice(p[0], 0, q[1], 0, 100, 0));
	memset(b, 0, sizeof b);
	VAL(read(q[0], b, 64));
	say("%s", b);
	o = 2;
	write(p[1], "PIPE", 4);
	VAL(splice(p[0], 0, d, &o, 4, 0));
	say("%.8s %ld", text("dst"), o);
	OK(splice(s, 0, d, 0, 4, 0));
	OK(splice(p[0], &o, d, 0, 4, 0));
	OK(tee(p[0], p[1], 4, 0));
	OK(tee(s, p[1], 4, 0));
	struct iovec v = { "vm", 2 };
	VAL(vmsplice(p[1], &v, 1, 0));
	VAL(read(p[0], b, 9));
	close(p[1]);
	VAL(splice(p[0], 0, d, 0, 4, 0));
}
