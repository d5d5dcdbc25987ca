// SPDX-License-Identifier: Apache-2.0
//
// Who changes a file takes its capabilities, root or not. NEED_ROOT

#include "t.h"
#include <linux/capability.h>
#include <sys/xattr.h>

static void give(const char *name)
{
	struct vfs_cap_data c = { VFS_CAP_REVISION_2, { { 1 << CAP_NET_RAW, 0 } } };
	OK(setxattr(name, "security.capability", &c, XATTR_CAPS_SZ_2, 0));
}

static void has(const char *name, const char *after)
{
	char b[100];
	int n = getxattr(name, "security.capability", b, sizeof b);
	say("after %s: %s", after, n < 0 ? en(errno) : "there");
}

int main(void)
{
	struct iovec v = { "x", 1 };
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0755), other = open("f", O_WRONLY);
	VAL(write(other, "text of it", 10)); // known to have none
	give("f");
	OK(utimensat(AT_FDCWD, "f", 0, 0));
	OK(chmod("f", 0711));
	VAL(write(other, "", 0));
	has("f", "nothing much");
	VAL(write(other, "x", 1));
	has("f", "write");
	VAL(write(other, "x", 1));
	give("f");
	VAL(pwritev(fd, &v, 1, 0));
	has("f", "pwritev");
	give("f");
	OK(ftruncate(fd, 5));
	has("f", "ftruncate");
	give("f");
	OK(truncate("f", 7));
	has("f", "truncate");
	give("f");
	OK(fallocate(fd, 0, 0, 100));
	has("f", "fallocate");
	give("f");
	OK(chown("f", 0, 0));
	has("f", "chown");
	give("f");
	OK(chown("f", -1, -1));
	has("f", "chown to nobody");
	give("f");
	OK(link("f", "g"));
	OK(rename("f", "h"));
	has("h", "rename");
	char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*m = 'y';
	OK(msync(m, 4096, MS_SYNC));
	has("g", "a store to a mapping");
	close(open("g", O_WRONLY | O_TRUNC));
	has("h", "O_TRUNC");
	int d = mkdir("d", 0755);
	give("d");
	OK(chown("d", 0, 0));
	has("d", "chown of a directory");
	return 0;
}
