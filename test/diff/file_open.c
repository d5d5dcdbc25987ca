// SPDX-License-Identifier: Apache-2.0
//
// open flags and their errors, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_TMPFILE

#include "t.h"

int main(void)
{
	char b[64] = "";
	umask(022);
	OK(open("no", O_RDONLY));
	OK(open("", O_RDONLY));
	OK(open("no/such", O_RDONLY | O_CREAT, 0644));
	int fd = OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	write(fd, "0123456789", 10);
	OK(open("f/x", O_RDONLY));
	OK(open("f/", O_RDONLY));
	OK(open("f", O_DIRECTORY));
	MUST(mkdir("d", 0755));
	OK(open("d", O_RDONLY));
	OK(open("d", O_WRONLY));
	OK(open("d", O_RDWR));
	OK(open("d", O_RDONLY | O_CREAT, 0644));
	OK(open("d/", O_RDONLY | O_CREAT, 0644));
	OK(open("new/", O_RDWR | O_CREAT, 0644));
	int d = open("d", O_RDONLY | O_DIRECTORY);
	OK(read(d, b, 1));
	OK(write(d, b, 1));
	VAL(lseek(d, 0, SEEK_SET));
	MUST(symlink("f", "l"));
	MUST(symlink("nowhere", "dangling"));
	OK(open("l", O_RDONLY | O_NOFOLLOW));
	OK(open("dangling", O_RDONLY));
	OK(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
	OK(open("dangling", O_WRONLY | O_CREAT, 0644));
	OK(access("nowhere", F_OK));
	int a = MUST(open("f", O_WRONLY | O_APPEND));
	VAL(lseek(a, 0, SEEK_CUR));
	VAL(write(a, "ab", 2));
	VAL(lseek(a, 0, SEEK_CUR));
	lseek(a, 0, SEEK_SET);
	write(a, "cd", 2);
	VAL(pwrite(a, "ef", 2, 0));
	say("%s", text("f"));
	close(MUST(open("f", O_RDONLY | O_TRUNC)));
	say("O_RDONLY|O_TRUNC leaves %zu bytes", strlen(text("f")));
	int p = MUST(open("f", O_PATH));
	OK(read(p, b, 1));
	OK(write(p, b, 1));
	OK(fchmod(p, 0600));
	OK(lseek(p, 0, SEEK_SET));
	OK(ioctl(p, FIONREAD, b));
	struct stat st;
	OK(fstat(p, &st));
	VAL(fcntl(p, F_GETFL) & ~O_LARGEFILE);
	int q = OK(dup(p));
	close(q);
	int pl = OK(open("l", O_PATH | O_NOFOLLOW));
	fstat(pl, &st);
	say("O_PATH|O_NOFOLLOW of a link: is link %d", S_ISLNK(st.st_mode));
	VAL(readlinkat(pl, "", b, sizeof b));
	sprintf(b, "/proc/self/fd/%d", p);
	OK(open(b, O_RDWR));
	int pd = open("d", O_PATH);
	OK(openat(pd, "x", O_RDWR | O_CREAT, 0600));
	OK(fchdir(pd));
	OK(chdir(".."));
	int t = OK(open(".", O_TMPFILE | O_RDWR, 0600));
	write(t, "tmp", 3);
	fstat(t, &st);
	say("links %ld size %ld", (long)st.st_nlink, (long)st.st_size);
	sprintf(b, "/proc/self/fd/%d", t);
	OK(linkat(AT_FDCWD, b, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	say("%s", text("linked"));
	OK(open(".", O_TMPFILE | O_RDONLY, 0600));
	OK(open("f", O_TMPFILE | O_RDWR, 0600));
	OK(open("f", O_RDONLY | O_DIRECTORY | O_CREAT, 0600));
	VAL(fcntl(fd, F_GETFL) & ~O_LARGEFILE);
	VAL(fcntl(a, F_GETFL) & ~O_LARGEFILE);
	OK(openat(999, "f", O_RDONLY));
	OK(openat(fd, "f", O_RDONLY));
	OK(open((char *)8, O_RDONLY));
	OK(creat("c", 0777));
	stat("c", &st);
	OCT(st.st_mode);
	// O_ACCMODE 3: no reading or writing, yet it opens
	int x = OK(open("f", O_ACCMODE));
	OK(read(x, b, 1));
	// lowest number first
	close(0);
	SHOW(open("f", O_RDONLY));
	close(2);
	SHOW(open("f", O_RDONLY));
}
