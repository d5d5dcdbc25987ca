// SPDX-License-Identifier: Apache-2.0
//
// utimensat, UTIME_NOW and OMIT, mtime and ctime rules, relatime-free facts, statx

#include "t.h"

#include <linux/stat.h>

static struct stat st, s2;
static int statx_(const char *p, int f, unsigned m, struct statx *x) { return syscall(SYS_statx, AT_FDCWD, p, f, m, x); }

int main(void)
{
	put("f", "x");
	struct timespec t[2] = { { 1000, 5 }, { 2000, 123456789 } };
	OK(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("%ld.%ld %ld.%ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 3000;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	t[1].tv_nsec = UTIME_NOW;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("now %d", st.st_mtim.tv_sec > 1600000000);
	OK(utimensat(AT_FDCWD, "f", 0, 0));
	t[0].tv_nsec = 1000000000;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	OK(utimensat(AT_FDCWD, "no", 0, 0));
	OK(utimensat(AT_FDCWD, "f", 0, 0x7));
	t[0] = (struct timespec){ -5, 0 };
	t[1] = (struct timespec){ 1UL << 33, 0 };
	OK(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	symlink("f", "l");
	t[0] = t[1] = (struct timespec){ 77, 0 };
	OK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
	lstat("l", &st);
	say("link %ld", st.st_mtim.tv_sec);
	int fd = open("f", O_RDWR);
	OK(futimens(fd, t));
	nap(15);
	// what moves mtime and ctime
#define BEFORE() (utimensat(AT_FDCWD, "f", t, 0), stat("f", &st), nap(15))
#define AFTER(w) (stat("f", &s2), say("%s: mtime %s ctime %s", w, s2.st_mtim.tv_sec != st.st_mtim.tv_sec ? "moves" : "stays", \
	s2.st_ctim.tv_sec != st.st_ctim.tv_sec || s2.st_ctim.tv_nsec != st.st_ctim.tv_nsec ? "moves" : "stays"))
	BEFORE(); write(fd, "y", 1); AFTER("write");
	BEFORE(); write(fd, "", 0); AFTER("write of nothing");
	BEFORE(); chmod("f", 0600); AFTER("chmod");
	BEFORE(); link("f", "g"); AFTER("link");
	BEFORE(); rename("f", "h"); rename("h", "f"); AFTER("rename");
	BEFORE(); ftruncate(fd, 100); AFTER("ftruncate");
	BEFORE(); ftruncate(fd, 100); AFTER("ftruncate to the same size");
	BEFORE(); truncate("f", 100); AFTER("truncate to the same size");
	BEFORE(); close(open("f", O_RDWR | O_TRUNC)); AFTER("O_TRUNC");
	BEFORE(); chown("f", -1, -1); AFTER("chown -1");
	BEFORE(); fallocate(fd, 0, 0, 10); AFTER("fallocate");
	mkdir("d", 0755);
	utimensat(AT_FDCWD, "d", t, 0);
	close(creat("d/x", 0600));
	stat("d", &st);
	say("directory moves on create %d", st.st_mtim.tv_sec != 77);
	utimensat(AT_FDCWD, "d", t, 0);
	unlink("d/x");
	stat("d", &st);
	say("directory moves on unlink %d", st.st_mtim.tv_sec != 77);
	struct statx x;
	OK(statx_("f", 0, STATX_BASIC_STATS, &x));
	stat("f", &st);
	say("agrees %d %d %d %d", x.stx_ino == st.st_ino, x.stx_size == (unsigned long)st.st_size, x.stx_mode == st.st_mode, x.stx_nlink == st.st_nlink);
	say("basic mask %d", (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	OK(statx_("f", 0, 0x80000000, &x));
	OK(statx_("f", 0x4, STATX_SIZE, &x));
	OK(statx_("", AT_EMPTY_PATH, STATX_SIZE, &x));
	say("cwd is a directory %d", S_ISDIR(x.stx_mode));
	OK(statx_("", 0, STATX_SIZE, &x));
	OK(statx_("l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	say("link %d", S_ISLNK(x.stx_mode));
	OK(syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH));
	OK(syscall(SYS_newfstatat, fd, "", &st, 0));
	OK(stat("f", (void *)8));
}
