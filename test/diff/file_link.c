// SPDX-License-Identifier: Apache-2.0
//
// link, unlink, rmdir, mkdir, mknod: errors, counts, unlinked open files

#include "t.h"

int main(void)
{
	struct stat st;
	put("f", "data");
	OK(link("f", "g"));
	stat("f", &st);
	SHOW(st.st_nlink);
	OK(link("f", "g"));
	OK(link("no", "h"));
	mkdir("d", 0755);
	OK(link("d", "h"));
	OK(link("f", "d/f/x"));
	OK(link("f", "/proc/h"));
	symlink("f", "l");
	OK(link("l", "l2"));
	lstat("l2", &st);
	say("hard link to the symlink itself %d", S_ISLNK(st.st_mode));
	OK(linkat(AT_FDCWD, "l", AT_FDCWD, "l3", AT_SYMLINK_FOLLOW));
	lstat("l3", &st);
	say("followed %d links %ld", S_ISREG(st.st_mode), (long)st.st_nlink);
	OK(linkat(AT_FDCWD, "l", AT_FDCWD, "l4", 0x40));
	int fd = open("f", O_RDWR);
	OK(unlink("f"));
	OK(unlink("f"));
	OK(unlink("g"));
	OK(unlink("l3"));
	fstat(fd, &st);
	SHOW(st.st_nlink);
	VAL(pwrite(fd, "more", 4, 4));
	char b[10] = "";
	VAL(pread(fd, b, 8, 0));
	char n[64], t[200] = "";
	sprintf(n, "/proc/self/fd/%d", fd);
	readlink(n, t, sizeof t - 1);
	say("named deleted %d", !!strstr(t, "(deleted)"));
	OK(linkat(AT_FDCWD, n, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	put("d/x", "1");
	OK(rmdir("d"));
	OK(rmdir("d/x"));
	OK(unlinkat(AT_FDCWD, "d", 0));
	OK(unlinkat(AT_FDCWD, "d/x", AT_REMOVEDIR));
	OK(unlinkat(AT_FDCWD, "d", 0x77));
	OK(unlink("d/x"));
	int dd = open("d", O_RDONLY);
	OK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	OK(openat(dd, "y", O_CREAT | O_RDWR, 0600));
	OK(fstat(dd, &st));
	SHOW(st.st_nlink);
	OK(mkdir("e", 0755));
	OK(mkdir("e", 0755));
	OK(mkdir("no/e", 0755));
	OK(mkdir("l/e", 0755));
	stat("e", &st);
	say("links %ld", (long)st.st_nlink);
	mkdir("e/1", 0755);
	mkdir("e/2", 0755);
	stat("e", &st);
	say("links %ld", (long)st.st_nlink);
	OK(rmdir("/"));
	OK(rmdir("/proc"));
	OK(mknod("p", S_IFIFO | 0600, 0));
	OK(mknod("r", S_IFREG | 0600, 0));
	OK(mknod("r", S_IFREG | 0600, 0));
	OK(mknod("s", S_IFSOCK | 0600, 0));
	OK(mknod("z", S_IFDIR | 0600, 0));
	OK(mknod("z", 0170000, 0));
	lstat("s", &st);
	say("socket %d", S_ISSOCK(st.st_mode));
	OK(open("s", O_RDONLY));
}
