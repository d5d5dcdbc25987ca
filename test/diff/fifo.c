// SPDX-License-Identifier: Apache-2.0
//
// named pipes: open blocks, ENXIO, both directions, unlink while open

#include "t.h"

int main(void)
{
	char b[20] = "";
	OK(mkfifo("f", 0640));
	OK(mkfifo("f", 0640));
	OK(open("f", O_WRONLY | O_NONBLOCK));
	int r = OK(open("f", O_RDONLY | O_NONBLOCK));
	VAL(read(r, b, 10));
	int w = OK(open("f", O_WRONLY | O_NONBLOCK));
	OK(read(r, b, 10));
	VAL(write(w, "abc", 3));
	VAL(read(r, b, 10));
	close(w);
	VAL(read(r, b, 10));
	close(r);
	pid_t c = CHILD(int k = open("f", O_WRONLY); write(k, "from child", 10));
	settle(c);
	say("child waits in open: %c", state(c));
	r = open("f", O_RDONLY);
	VAL(read(r, b, 20));
	say("%s", b);
	VAL(read(r, b, 20));
	reap(c);
	int rw = OK(open("f", O_RDWR));
	VAL(write(rw, "self", 4));
	VAL(read(rw, b, 20));
	OK(unlink("f"));
	VAL(write(rw, "gone", 4));
	VAL(read(rw, b, 20));
	struct stat st;
	fstat(rw, &st);
	say("links %ld", (long)st.st_nlink);
}
