// SPDX-License-Identifier: Apache-2.0
//
// resolve flags and argument checks

#include "t.h"

#include <linux/openat2.h>

static int o2(int d, const char *p, unsigned long flags, unsigned long res)
{
	struct open_how h = { .flags = flags, .resolve = res };
	if (flags & O_CREAT)
		h.mode = 0600;
	int fd = syscall(SYS_openat2, d, p, &h, sizeof h);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

int main(void)
{
	mkdir("r", 0755);
	mkdir("r/a", 0755);
	mkdir("r/a/b", 0755);
	mkdir("etc", 0755);
	put("r/f", "in");
	put("out", "out");
	put("r/a/g", "g");
	symlink("../f", "r/a/up");
	symlink("/f", "r/abs");
	symlink("../out", "r/esc");
	symlink("a/up", "r/chain");
	symlink("loop", "r/loop");
	symlink("a", "r/adir");
	int d = MUST(open("r", O_PATH | O_DIRECTORY));
	OK(o2(d, "f", O_RDONLY, 0));
	OK(o2(d, "../out", O_RDONLY, 0));
	OK(o2(d, "../out", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "a/../f", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "a/../../r/f", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "abs", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "esc", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "chain", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "/f", O_RDONLY, RESOLVE_BENEATH));
	OK(o2(d, "/f", O_RDONLY, RESOLVE_IN_ROOT));
	OK(o2(d, "abs", O_RDONLY, RESOLVE_IN_ROOT));
	OK(o2(d, "../../../f", O_RDONLY, RESOLVE_IN_ROOT));
	OK(o2(d, "esc", O_RDONLY, RESOLVE_IN_ROOT));
	OK(o2(d, "/../a/../f", O_RDONLY, RESOLVE_IN_ROOT));
	OK(o2(d, "abs", O_RDONLY, RESOLVE_NO_SYMLINKS));
	OK(o2(d, "adir/g", O_RDONLY, RESOLVE_NO_SYMLINKS));
	OK(o2(d, "a/g", O_RDONLY, RESOLVE_NO_SYMLINKS));
	OK(o2(d, "adir", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
	OK(o2(d, "loop", O_RDONLY, 0));
	OK(o2(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	OK(o2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0));
	OK(o2(AT_FDCWD, "/proc/self/fd/0", O_PATH, RESOLVE_NO_MAGICLINKS));
	OK(o2(AT_FDCWD, "/proc/self", O_PATH, RESOLVE_NO_MAGICLINKS));
	OK(o2(AT_FDCWD, "/proc", O_PATH, RESOLVE_NO_XDEV));
	OK(o2(AT_FDCWD, "r/f", O_PATH, RESOLVE_NO_XDEV));
	OK(o2(d, "new", O_RDWR | O_CREAT | O_EXCL, RESOLVE_BENEATH));
	OK(o2(d, "../new", O_RDWR | O_CREAT, RESOLVE_BENEATH));
	OK(o2(d, "f", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	OK(o2(d, "f", O_RDONLY, 0x1000));
	OK(o2(d, "f", 1UL << 40, 0));
	struct open_how h = { .flags = O_RDONLY, .mode = 0600 };
	OK(syscall(SYS_openat2, d, "f", &h, sizeof h));
	h.mode = 0;
	OK(syscall(SYS_openat2, d, "f", &h, 8));
	struct { struct open_how h; long more; } big = { .more = 1 };
	OK(syscall(SYS_openat2, d, "f", &big, sizeof big));
	big.more = 0;
	OK(syscall(SYS_openat2, d, "f", &big, sizeof big) >= 0 ? 0 : -1);
	h.flags = O_CREAT;
	h.mode = 010000;
	OK(syscall(SYS_openat2, d, "q", &h, sizeof h));
}
