// SPDX-License-Identifier: Apache-2.0
//
// write to the read-only volume /t after mounting it anew in every way

#include <sys/mount.h>
#include <sys/xattr.h>
#include "h.h"

static char self[256];

#define CHANGED(call) do { if ((call) >= 0) ESCAPED("%s (%s)", #call, how); } while (0)

static void changes(const char *how, const char *dir)
{
	char file[300], other[300];
	snprintf(file, sizeof file, "%s/%s", dir, self);
	snprintf(other, sizeof other, "%s/new", dir);
	struct timespec now[2] = { { 1, 1 }, { 1, 1 } };
	CHANGED(open(file, O_WRONLY | O_APPEND));
	CHANGED(open(file, O_RDWR | O_APPEND));
	CHANGED(open(other, O_CREAT | O_WRONLY, 0644));
	CHANGED(mkdir(other, 0755));
	CHANGED(symlink("x", other));
	CHANGED(mknod(other, S_IFIFO | 0644, 0));
	CHANGED(mknod(other, S_IFCHR | 0644, makedev(1, 3)));
	CHANGED(link(file, other));
	CHANGED(rename(file, other));
	CHANGED(unlink(file));
	CHANGED(truncate(file, 0));
	CHANGED(chmod(file, 0777));
	CHANGED(chmod(dir, 0777));
	CHANGED(chown(file, 3, 3));
	CHANGED(utimensat(AT_FDCWD, file, now, 0));
	CHANGED(setxattr(file, "user.a", "b", 1, 0));
	int fd = open(file, O_RDONLY);
	CHANGED(fchmod(fd, 0777));
	CHANGED(fchown(fd, 3, 3));
	CHANGED(fsetxattr(fd, "user.a", "b", 1, 0));
	CHANGED(ftruncate(fd, 0));
	CHANGED(fallocate(fd, 0, 0, 1 << 20));
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	CHANGED(open(link, O_RDWR));
	char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		ESCAPED("writable shared mapping (%s)", how);
	p = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0)
		ESCAPED("a read-only mapping became writable (%s)", how);
	close(fd);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	snprintf(self, sizeof self, "%s", strrchr(argv[0], '/') + 1);
	changes("as it is", "/t");
	mount("none", "/t", 0, MS_REMOUNT | MS_BIND, "");
	changes("remount, bind", "/t");
	mount("none", "/t", 0, MS_REMOUNT, "");
	changes("remount", "/t");
	mount("none", "/t", 0, MS_REMOUNT, "rw");
	changes("remount, rw", "/t");
	mkdir("/tmp/b", 0755);
	mount("/t", "/tmp/b", 0, MS_BIND | MS_REC, "");
	mount("none", "/tmp/b", 0, MS_REMOUNT | MS_BIND, "");
	mount("none", "/tmp/b", 0, MS_REMOUNT, "");
	changes("bind, remount", "/tmp/b");
	mount("/tmp/b", "/mnt", 0, MS_MOVE, "");
	changes("moved", "/mnt");
	return finish();
}
