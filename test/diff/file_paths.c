// SPDX-License-Identifier: Apache-2.0
//
// symlinks, loops, limits, '..' at the root, trailing slashes, dots, long names

#include "t.h"

int main(void)
{
	char b[5000], c[5000];
	put("f", "x");
	mkdir("d", 0755);
	OK(symlink("f", "l"));
	OK(symlink("f", "l"));
	OK(symlink("", "empty"));
	VAL(readlink("l", b, sizeof b));
	VAL(readlink("l", b, 0));
	OK(readlink("f", b, 10));
	OK(readlink("no", b, 10));
	OK(symlink("loop2", "loop1"));
	OK(symlink("loop1", "loop2"));
	OK(open("loop1", O_RDONLY));
	OK(stat("loop1/x", (struct stat *)b));
	struct stat st;
	OK(lstat("loop1", &st));
	say("link size %ld mode %o", (long)st.st_size, st.st_mode);
	// 40 links in a row are followed, 41 are not
	symlink("f", "s0");
	for (int i = 1; i <= 41; i++) {
		sprintf(b, "s%d", i - 1);
		sprintf(c, "s%d", i);
		symlink(b, c);
	}
	OK(stat("s39", &st));
	OK(stat("s40", &st));
	OK(stat("d/", &st));
	OK(stat("f/", &st));
	OK(stat("f/.", &st));
	OK(stat("f/..", &st));
	OK(stat("d/../f", &st));
	OK(stat("no/../f", &st));
	OK(stat("./././/d///../d//.", &st));
	OK(mkdir("n/", 0755));
	OK(rmdir("n/"));
	OK(mkdir(".", 0755));
	OK(mkdir("..", 0755));
	OK(mkdir("/", 0755));
	OK(rmdir("."));
	OK(rmdir("d/."));
	OK(rmdir("d/.."));
	OK(unlink("d"));
	OK(unlink("f/"));
	OK(unlink("."));
	symlink("d", "ld");
	OK(stat("ld/", &st));
	OK(unlink("ld/"));
	OK(rmdir("ld"));
	OK(rmdir("ld/"));
	OK(mkdir("ld", 0755));
	symlink("missing", "dang");
	OK(mkdir("dang", 0755));
	OK(mkdir("dang/", 0755));
	struct stat r1, r2;
	stat("/", &r1);
	stat("/../..", &r2);
	say("root's parent is root %d", r1.st_ino == r2.st_ino && r1.st_dev == r2.st_dev);
	memset(b, 'n', 300);
	b[255] = 0;
	OK(mkdir(b, 0755));
	b[255] = 'n';
	b[256] = 0;
	OK(mkdir(b, 0755));
	OK(open(b, O_RDONLY));
	memset(b, '/', 4094);
	b[4094] = 'f';
	b[4095] = 0;
	OK(open(b, O_RDONLY));
	b[4095] = 'f';
	b[4096] = 0;
	OK(open(b, O_RDONLY));
	// deep directories: the absolute path outgrows PATH_MAX, relative work goes on
	memset(c, 'x', 250);
	c[250] = 0;
	for (int i = 0; i < 20; i++) {
		MUST(mkdir(c, 0755));
		MUST(chdir(c));
	}
	OK(getcwd(b, 4096) ? 0 : -1);
	OK(syscall(SYS_getcwd, b, 4096));
	OK(syscall(SYS_getcwd, b, 2));
	for (int i = 0; i < 20; i++) {
		MUST(chdir(".."));
		MUST(rmdir(c));
	}
	// a deleted directory
	mkdir("gone", 0755);
	chdir("gone");
	rmdir("../gone");
	VAL(syscall(SYS_getcwd, b, 4096));
	OK(open("x", O_CREAT | O_RDWR, 0600));
	OK(mkdir("x", 0755));
	OK(stat(".", &st));
	SHOW(st.st_nlink);
	OK(chdir(".."));
	OK(access("f", F_OK));
	OK(chdir("f"));
	OK(chdir("nope"));
}
