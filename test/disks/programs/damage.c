// SPDX-License-Identifier: Apache-2.0
//
// damage FIRST COUNT: takes the images of /images one after the other, damages each as a
// seed says (FIRST and up), and does to it what guests do: mounts it, reads, maps and
// writes all of it, removes, renames, unmounts. The kernel may refuse whatever it likes.
// It must not hang or keep the device; that it lives is seen by the next image.
//
// Images are NAME.TYPE of a file system, or NAME.table of partition tables. Blocks that
// are full of the byte 0xda are file content, which nobody needs to damage.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 64, MOST = 20, SECONDS = 60 };

struct image {
	char name[64], *type;
	unsigned char *data;
	long size;
	int *pieces, n; // what is worth damaging
} images[MOST];

static uint64_t state;

static unsigned rnd(unsigned n)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return n ? (state >> 11) % n : 0;
}

static void fatal(const char *what)
{
	printf("FATAL %s: %s\n", what, strerror(errno));
	exit(2);
}

static void load(struct image *m, const char *name)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "/images/%s", name);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		fatal(path);
	snprintf(m->name, sizeof m->name, "%s", name);
	m->type = strrchr(m->name, '.') + 1;
	m->size = st.st_size;
	m->data = malloc(m->size);
	m->pieces = malloc(m->size / PIECE * sizeof(int));
	if (read(fd, m->data, m->size) != m->size)
		fatal(path);
	close(fd);
	for (int at = 0; at + PIECE <= m->size; at += PIECE) {
		unsigned char *p = m->data + at;
		int zero = 1, content = 1;
		for (int i = 0; i < PIECE; i++)
			zero &= !p[i], content &= p[i] == 0xda;
		if (!zero && !content)
			m->pieces[m->n++] = at;
	}
}

static int place(struct image *m)
{
	int i = rnd(4) ? rnd(m->n) : rnd(m->n < 64 ? m->n : 64); // the first hold the super block
	return m->pieces[i] + rnd(PIECE / 4) * 4;
}

static void damage(struct image *m, unsigned char *d)
{
	int edits = rnd(8) ? 1 + rnd(4) : 20;
	while (edits--) {
		unsigned char *p = d + place(m);
		switch (rnd(9)) {
		case 0: p[rnd(4)] ^= 1 << rnd(8); break;
		case 1: memset(p, 0, 4); break;
		case 2: memset(p, 0xff, 4); break;
		case 3: for (int i = 0; i < 4; i++) p[i] = rnd(256); break;
		case 4: p[rnd(4)] += 1 + rnd(3); break;
		case 5: p[rnd(4)]--; break;
		case 6: memcpy(p, d + place(m), 4); break; // a number that means something
		case 7: memcpy(p, d + place(m), 2); break;
		case 8: { // a structure in another's place
			unsigned char *from = d + m->pieces[rnd(m->n)];
			memmove(d + m->pieces[rnd(m->n)], from, PIECE);
		}
		}
	}
}

static sigjmp_buf fault;
static void caught(int sig) { siglongjmp(fault, sig); }

static void map(int fd, long size, int prot)
{
	long n = size > 1 << 20 ? 1 << 20 : size;
	if (n <= 0)
		return;
	volatile char *p = mmap(0, n, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return;
	for (volatile long at = 0; at < n; at += 4096)
		if (!sigsetjmp(fault, 1)) {
			char c = p[at];
			if (prot & PROT_WRITE)
				p[at] = c + 1;
		}
	msync((void *)p, n, MS_SYNC);
	munmap((void *)p, n);
}

static char buf[70000];

static void regular(const char *name, long size)
{
	struct { struct fiemap f; struct fiemap_extent e[8]; } fm = { { 0, ~0ULL, 0, 0, 8 } };
	int ro = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (ro >= 0) {
		pread(ro, buf, sizeof buf, 0);
		pread(ro, buf, 5000, size - 100);
		pread(ro, buf, 5000, size / 2);
		lseek(ro, 0, SEEK_HOLE);
		lseek(ro, 0, SEEK_DATA);
		ioctl(ro, FS_IOC_FIEMAP, &fm);
		map(ro, size, PROT_READ);
		close(ro);
	}
	int fd = open(name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	map(fd, size, PROT_READ | PROT_WRITE);
	pwrite(fd, buf, 5000, 3000);
	pwrite(fd, buf, 5000, size - 10);
	if (!rnd(2))
		fallocate(fd, 0, 0, 20000);
	if (!rnd(2))
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 9000);
	if (!rnd(4))
		fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096);
	if (!rnd(4))
		fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096, 4096);
	if (!rnd(4))
		fsync(fd);
	map(fd, size, PROT_READ | PROT_WRITE);
	if (!rnd(2))
		ftruncate(fd, 10);
	close(fd);
}

static int left;

static void walk(const char *dir, int depth)
{
	char path[6000], other[6000];
	DIR *d = opendir(dir);
	if (!d || depth > 6) {
		if (d)
			closedir(d);
		return;
	}
	struct dirent *e;
	int n = 0;
	while ((e = readdir(d)) && n++ < 400 && --left > 0) {
		struct stat st;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (lstat(path, &st))
			continue;
		long len = llistxattr(path, buf, 4000);
		for (char *x = buf, v[200]; len > 0 && x < buf + len; x += strlen(x) + 1)
			lgetxattr(path, x, v, sizeof v);
		lgetxattr(path, "system.posix_acl_access", buf, 1000);
		lsetxattr(path, "user.new", "value", 5, 0);
		if (!rnd(4))
			lsetxattr(path, "user.large", buf, 3000, 0);
		if (!rnd(8))
			lremovexattr(path, "user.a");
		if (S_ISLNK(st.st_mode))
			readlink(path, buf, sizeof buf);
		else if (S_ISREG(st.st_mode))
			regular(path, st.st_size);
		else if (S_ISDIR(st.st_mode))
			walk(path, depth + 1);
		snprintf(other, sizeof other, "%s/moved %d", dir, n);
		switch (rnd(8)) {
		case 0: case 1: if (unlink(path)) rmdir(path); break;
		case 2: rename(path, other); break;
		case 3: link(path, other); break;
		case 4: chmod(path, 0755); chown(path, 1, 1); break;
		}
	}
	closedir(d);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/a new directory of some length %d", dir, i);
		mkdir(path, 0755);
		snprintf(path, sizeof path, "%s/a new file %d", dir, i);
		int fd = open(path, O_CREAT | O_RDWR, 0600);
		if (fd >= 0)
			write(fd, buf, 6000), close(fd);
	}
	snprintf(path, sizeof path, "%s/a new link", dir);
	symlink(buf[0] ? "somewhere" : "elsewhere", path);
}

// use mounts an image, and gives whether that worked.
static int use(const char *dev, const char *type)
{
	static const char *const options[] = { "errors=continue", "errors=continue", "errors=remount-ro", "errors=continue,data=journal", "errors=continue,noload" };
	int ext = !strncmp(type, "ext", 3);
	int k = rnd(5);
	struct statfs fs;
	if (mount(dev, "/mnt", type, ext && k < 4 ? 0 : MS_RDONLY, ext ? options[k] : ""))
		return 0;
	statfs("/mnt", &fs);
	left = 500;
	walk("/mnt", 0);
	int fd = open("/mnt", O_RDONLY);
	if (!rnd(2))
		syncfs(fd);
	close(fd);
	if (!rnd(4))
		mount(0, "/mnt", 0, MS_REMOUNT | MS_RDONLY, ""), mount(0, "/mnt", 0, MS_REMOUNT, "");
	if (umount("/mnt")) {
		printf("BUSY %s\n", strerror(errno));
		umount2("/mnt", MNT_DETACH);
	}
	return 1;
}

static int table(const char *dev)
{
	char name[40];
	int fd = open(dev, O_RDWR), found = 0;
	if (ioctl(fd, BLKRRPART))
		printf("BUSY table: %s\n", strerror(errno));
	close(fd);
	for (int i = 1; i < 140; i++) {
		uint64_t size;
		snprintf(name, sizeof name, "%s%d", dev, i);
		fd = open(name, O_RDWR);
		if (fd < 0)
			continue;
		found++;
		ioctl(fd, BLKGETSIZE64, &size);
		pread(fd, buf, 4096, 0);
		pread(fd, buf, 4096, size - 4096);
		pwrite(fd, buf, 512, size - 512);
		pwrite(fd, buf, 4096, size - 100);
		pwrite(fd, buf, 4096, size + 100);
		uint64_t range[2] = { 0, size };
		ioctl(fd, BLKDISCARD, range);
		close(fd);
	}
	return found > 0;
}

static int one(struct image *m, long seed)
{
	signal(SIGBUS, caught);
	signal(SIGSEGV, caught);
	state = (seed + 1) * 0x9e3779b97f4a7c15;
	for (int i = 0; i < 8; i++)
		rnd(0);
	unsigned char *d = malloc(m->size);
	memcpy(d, m->data, m->size);
	damage(m, d);
	int parts = !strcmp(m->type, "table");
	const char *dev = parts ? "/dev/ubdd" : rnd(2) ? "/dev/ubdb1" : "/dev/ubdc";
	int fd = open(dev, O_RDWR | O_EXCL);
	if (fd < 0)
		fatal(dev);
	if (pwrite(fd, d, m->size, 0) != m->size)
		fatal("write");
	close(fd);
	int good = parts ? table(dev) : use(dev, m->type);
	if (good && !parts && !rnd(3))
		use(dev, m->type); // what is left of it
	if ((fd = open(dev, O_RDWR | O_EXCL)) < 0)
		printf("BUSY %s: %s\n", dev, strerror(errno));
	close(fd);
	return good;
}

int main(int argc, char **argv)
{
	long first = atol(argv[1]), count = atol(argv[2]), good[MOST] = { 0 }, all[MOST] = { 0 };
	struct dirent **names;
	int n = 0, k = scandir("/images", &names, 0, alphasort);
	setvbuf(stdout, 0, _IONBF, 0);
	for (int i = 0; i < k && n < MOST; i++)
		if (names[i]->d_name[0] != '.')
			load(&images[n++], names[i]->d_name);
	if (!n)
		fatal("no images");
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, 0);
	for (long seed = first; seed < first + count; seed++) {
		struct image *m = &images[seed % n];
		struct timespec limit = { SECONDS };
		int status;
		printf("%ld %s\n", seed, m->name);
		pid_t p = fork();
		if (!p)
			_exit(one(m, seed));
		while (sigtimedwait(&child, 0, &limit) < 0 && errno == EINTR)
			;
		if (waitpid(p, &status, WNOHANG) != p) {
			printf("HANGS %ld %s\n", seed, m->name);
			return 1;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			printf("DIED %ld %s: %#x\n", seed, m->name, status);
		all[seed % n]++;
		good[seed % n] += status == 1 << 8;
	}
	for (int i = 0; i < n; i++)
		printf("%s: %ld of %ld were mounted\n", images[i].name, good[i], all[i]);
	printf("survived\n");
	return 0;
}
