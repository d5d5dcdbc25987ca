// SPDX-License-Identifier: Apache-2.0
//
// flock between descriptions, over fork and dup, upgrades

#include "t.h"

int main(void)
{
	put("f", "x");
	int a = open("f", O_RDWR), b = open("f", O_RDONLY), c = dup(a);
	OK(flock(a, LOCK_EX));
	OK(flock(a, LOCK_EX));
	OK(flock(b, LOCK_EX | LOCK_NB));
	OK(flock(b, LOCK_SH | LOCK_NB));
	OK(flock(c, LOCK_SH));
	OK(flock(b, LOCK_SH | LOCK_NB));
	OK(flock(b, LOCK_EX | LOCK_NB));
	OK(flock(b, LOCK_UN));
	OK(flock(a, LOCK_EX | LOCK_NB));
	close(a);
	OK(flock(b, LOCK_EX | LOCK_NB));
	OK(flock(c, LOCK_UN));
	OK(flock(b, LOCK_EX | LOCK_NB));
	OK(flock(b, 77));
	OK(flock(999, LOCK_SH));
	close(c);
	int d = open("f", O_RDWR), pp[2];
	pipe(pp);
	OK(flock(b, LOCK_UN));
	// the child's copy is the same lock; the child's unlock is everybody's
	OK(flock(d, LOCK_EX));
	pid_t p = CHILD(OK(flock(d, LOCK_EX | LOCK_NB)); OK(flock(d, LOCK_UN)));
	reap(p);
	OK(flock(b, LOCK_SH | LOCK_NB));
	OK(flock(b, LOCK_UN));
	// a waiter gets it when the holder dies
	p = CHILD(int k = open("f", O_RDWR); flock(k, LOCK_EX); write(pp[1], "x", 1); nap(50));
	char ch;
	read(pp[0], &ch, 1);
	OK(flock(b, LOCK_EX | LOCK_NB));
	OK(flock(b, LOCK_EX));
	reap(p);
}
