// SPDX-License-Identifier: Apache-2.0
//
// rename and renameat2 over files, directories, links; every error

#include "t.h"

static int r2(const char *a, const char *b, int f) { return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, f); }

int main(void)
{
	put("a", "A");
	put("b", "B");
	OK(rename("a", "b"));
	say("%s %s", text("b"), text("a"));
	OK(rename("b", "b"));
	link("b", "hard");
	OK(rename("b", "hard"));
	say("both links stay: %s %s", text("b"), text("hard"));
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("d/sub", 0755);
	put("d/f", "x");
	OK(rename("b", "d"));
	OK(rename("d", "b"));
	OK(rename("e", "d"));
	OK(rename("d", "e"));
	say("%s", text("e/f"));
	OK(rename("e", "e/sub/in"));
	OK(rename("e/sub", "e"));
	OK(rename("e/f", "e/sub/f"));
	OK(rename("e/sub", "moved"));
	say("%s", text("moved/f"));
	struct stat p, q;
	stat(".", &p);
	stat("moved/..", &q);
	say("'..' follows the move: %d", p.st_ino == q.st_ino);
	OK(rename("none", "x"));
	OK(rename("hard", "none/x"));
	OK(rename("hard/", "x"));
	OK(rename("hard", "x/"));
	OK(rename("moved/", "moved2/"));
	OK(rename("moved2/.", "x"));
	OK(rename("moved2", "moved2/.."));
	OK(rename(".", "x"));
	OK(rename("/", "/x"));
	OK(rename("hard", "/proc/x"));
	OK(rename("/proc/self/exe", "x"));
	symlink("hard", "l");
	OK(rename("l", "l2"));
	say("link moved, not its target: %d", readlink("l2", (char[10]){ 0 }, 9) == 4);
	put("t", "T");
	OK(rename("t", "l2"));
	say("%s %s", text("l2"), text("hard"));
	OK(r2("l2", "hard", RENAME_NOREPLACE));
	OK(r2("l2", "fresh", RENAME_NOREPLACE));
	OK(r2("fresh", "hard", RENAME_EXCHANGE));
	say("%s %s", text("fresh"), text("hard"));
	OK(r2("fresh", "moved2", RENAME_EXCHANGE));
	say("%s %s", text("moved2"), text("fresh/f"));
	OK(r2("fresh", "nil", RENAME_EXCHANGE));
	OK(r2("fresh", "fresh/q", RENAME_EXCHANGE));
	OK(r2("fresh", "moved2", RENAME_EXCHANGE | RENAME_NOREPLACE));
	OK(r2("fresh", "moved2", 0x80));
	// link counts of directories
	mkdir("x", 0755);
	mkdir("y", 0755);
	mkdir("x/s", 0755);
	rename("x/s", "y/s");
	stat("x", &p);
	stat("y", &q);
	say("links %ld %ld", (long)p.st_nlink, (long)q.st_nlink);
	// an open file replaced by rename lives on
	put("o", "old");
	put("n", "new");
	int fd = open("o", O_RDONLY);
	rename("n", "o");
	char b[5] = "";
	read(fd, b, 4);
	fstat(fd, &p);
	say("%s %s links %ld", b, text("o"), (long)p.st_nlink);
}
