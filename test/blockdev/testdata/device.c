// SPDX-License-Identifier: Apache-2.0
//
// What a block device answers: the same program asks a loop device of the host and a
// disk of a guest. Arguments: a device of 1052672 bytes that can be written, one of
// 1051136 bytes that is read-only.
#include "t.h"
#include <linux/blkpg.h>
#include <linux/blkzoned.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/falloc.h>
#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, __u64)
#endif

static int fd;
static char buf[8192] __attribute__((aligned(4096)));

static void ask(const char *name, unsigned long cmd, int size)
{
	unsigned char b[16];
	memset(b, 0xee, sizeof b);
	int r = ioctl(fd, cmd, b);
	uint64_t v = 0;
	memcpy(&v, b, size);
	say("%s -> %s %lld%s", name, r < 0 ? en(errno) : "ok", r < 0 ? 0LL : (long long)v,
	    !r && b[size] != 0xee ? " and more" : "");
}
#define ASK(c, size) ask(#c, c, size)

static void range(const char *name, unsigned long cmd, uint64_t off, uint64_t len)
{
	uint64_t r[2] = { off, len };
	say("%s %llx+%llx -> %s", name, (long long)off, (long long)len, ioctl(fd, cmd, r) < 0 ? en(errno) : "ok");
}

static void values(void)
{
	ASK(BLKROGET, 4);
	ASK(BLKGETSIZE, 8);
	ASK(BLKGETSIZE64, 8);
	ASK(BLKSSZGET, 4);
	ASK(BLKPBSZGET, 4);
	ASK(BLKBSZGET, 4);
	ASK(BLKIOMIN, 4);
	ASK(BLKIOOPT, 4);
	ASK(BLKALIGNOFF, 4);
	ASK(BLKDISCARDZEROES, 4);
	ASK(BLKGETZONESZ, 4);
	ASK(BLKGETNRZONES, 4);
	ASK(BLKSECTGET, 2);
	ASK(BLKSECTSET, 2);
	ASK(0x5331 /* CDROM_GET_CAPABILITY */, 4);
	ASK(FIONREAD, 4);
	ASK(FIBMAP, 4);
	ASK(FITRIM, 4);
	OK(ioctl(fd, BLKFLSBUF, 0));
	uint64_t seq = 0;
	OK(ioctl(fd, BLKGETDISKSEQ, &seq));
	SHOW(seq > 0);
	OK(ioctl(fd, HDIO_GETGEO, 0));
	OK(ioctl(fd, BLKSSZGET, 0));
	OK(ioctl(fd, BLKRAGET, 0));
	OK(ioctl(fd, BLKBSZGET, 0));
	OK(ioctl(fd, BLKBSZSET, 0));
	OK(ioctl(fd, BLKBSZSET, 1));
	OK(ioctl(fd, BLKROSET, 1));
	OK(ioctl(fd, BLKRASET, 77));
	ASK(BLKRAGET, 8);
	ASK(BLKFRAGET, 8);
}

static void ranges(void)
{
	static const uint64_t r[][2] = { { 0, 4096 }, { 1, 4096 }, { 0, 0 }, { 0, 1 << 20 }, { 0, 1 << 30 },
		{ 4096, 1048576 }, { 4096, 1048577 }, { 1ULL << 63, 4096 }, { -512ULL, 512 }, { -512ULL, 1024 } };
	for (int i = 0; i < (int)(sizeof r / sizeof r[0]); i++) {
		range("discard", BLKDISCARD, r[i][0], r[i][1]);
		range("secure discard", BLKSECDISCARD, r[i][0], r[i][1]);
		range("zeroout", BLKZEROOUT, r[i][0], r[i][1]);
	}
	OK(ioctl(fd, BLKDISCARD, 1));
	OK(ioctl(fd, BLKZEROOUT, 1));
}

static void block_size(const char *dev)
{
	static const int s[] = { 256, 512, 1024, 3000, 4096, 65536, 131072, 0, -1 };
	for (int i = 0; i < (int)(sizeof s / sizeof s[0]); i++) {
		long v = s[i];
		say("BLKBSZSET %d -> %s", s[i], ioctl(fd, BLKBSZSET, &v) < 0 ? en(errno) : "ok");
		ASK(BLKBSZGET, 4);
	}
	long v = 1024;
	int only, other;
	OK(only = open(dev, O_RDONLY | O_EXCL));
	OK(ioctl(fd, BLKBSZSET, &v));
	OK(ioctl(only, BLKBSZSET, &v));
	OK(open(dev, O_RDONLY | O_EXCL));
	OK(other = open(dev, O_RDONLY));
	close(other);
	close(only);
	OK(ioctl(fd, BLKBSZSET, &v));
}

static void positions(long size)
{
	VAL(lseek(fd, 0, SEEK_END) - size);
	VAL(lseek(fd, 1, SEEK_END));
	VAL(lseek(fd, size, SEEK_SET) - size);
	VAL(lseek(fd, size + 1, SEEK_SET));
	VAL(lseek(fd, -1, SEEK_SET));
	VAL(lseek(fd, 0, SEEK_DATA));
	VAL(lseek(fd, 0, SEEK_HOLE));
	VAL(lseek(fd, LONG_MAX, SEEK_CUR));
	VAL(lseek(fd, LONG_MAX, SEEK_END));
	VAL(pread(fd, buf, 10, size));
	VAL(pread(fd, buf, 1000, size - 10));
	VAL(pread(fd, buf, 10, size + 100));
	VAL(pread(fd, buf, 0, size + 100));
	VAL(pwrite(fd, buf, 10, size));
	VAL(pwrite(fd, buf, 20, size - 10));
	VAL(pwrite(fd, buf, 1, size + 5));
	VAL(pwrite(fd, buf, 0, size + 5));
	VAL(pwrite(fd, buf, 10, 0));
	char *large = calloc(1, size);
	VAL(pwrite(fd, large, 700000, 0)); // all at once
	VAL(pread(fd, large, 700000, 0));
	VAL(pwrite(fd, large, size, 1000) - size);
	lseek(fd, 0, SEEK_SET);
	VAL(write(fd, large, size) - size);
	VAL(read(fd, large, 1));
	free(large);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(syncfs(fd));
	OK(ftruncate(fd, 100));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	OK(readahead(fd, 0, 4096));
	struct stat st;
	OK(fstat(fd, &st));
	SHOW(st.st_size);
	SHOW(st.st_blocks);
	static const int modes[] = { 0, 1, 3, 0x10, 0x11, 8, 0x20, 2, 0x40, 0x12 };
	const long at[][2] = { { 0, 4096 }, { 0, 100 }, { 100, 4096 }, { size, 4096 }, { size - 4096, 8192 },
		{ size - 4096, 4096 }, { size - 4096, 4095 } };
	for (int i = 0; i < (int)(sizeof modes / sizeof modes[0]); i++)
		for (int j = 0; j < (int)(sizeof at / sizeof at[0]); j++)
			say("fallocate %#x %ld+%ld -> %s", modes[i], at[j][0] - (j > 2 ? size : 0), at[j][1],
			    fallocate(fd, modes[i], at[j][0], at[j][1]) < 0 ? en(errno) : "ok");
}

static void opens(const char *dev)
{
	int f;
	OK(f = open(dev, O_WRONLY | O_APPEND));
	VAL(write(f, "x", 1));
	VAL(lseek(f, 0, SEEK_CUR));
	VAL(pwrite(f, "x", 1, 5));
	close(f);
	OK(f = open(dev, O_RDWR | O_TRUNC));
	close(f);
	OK(f = open(dev, O_RDWR | O_CREAT, 0600));
	close(f);
	OK(open(dev, O_RDWR | O_CREAT | O_EXCL, 0600));
	OK(f = open(dev, O_RDWR | O_SYNC));
	VAL(write(f, buf, 512));
	close(f);
	OK(truncate(dev, 0));
	OK(mknod("blk", S_IFBLK | 0600, makedev(4000, 77)));
	OK(open("blk", O_RDONLY));
	unlink("blk");
}

static void direct(const char *dev, long size, int flags)
{
	int f;
	OK(f = open(dev, flags | O_DIRECT));
	const long at[][2] = { { 0, 512 }, { 0, 4096 }, { 0, 100 }, { 100, 512 }, { size, 512 }, { size - 512, 1024 },
		{ size - 512, 512 }, { size - 512, 700 }, { size + 1, 512 }, { size + 512, 512 }, { size, 100 }, { 0, 0 }, { 1, 0 } };
	for (int i = 0; i < (int)(sizeof at / sizeof at[0]); i++) {
		errno = 0;
		long r = pread(f, buf, at[i][1], at[i][0]);
		say("direct read %d -> %ld %s", i, r, en(errno));
		errno = 0;
		long w = pwrite(f, buf, at[i][1], at[i][0]);
		say("direct write %d -> %ld %s", i, w, en(errno));
	}
	OK(fcntl(f, F_SETFL, 0));
	VAL(pread(f, buf, 100, 1));
	OK(fcntl(f, F_SETFL, O_DIRECT));
	VAL(pread(f, buf, 100, 1));
	close(f);
}

static void pg(int op, long long start, long long length, int n)
{
	struct blkpg_partition p = { .start = start, .length = length, .pno = n };
	struct blkpg_ioctl_arg a = { .op = op, .datalen = sizeof p, .data = &p };
	say("BLKPG %d %lld+%lld %d -> %s", op, start, length, n, ioctl(fd, BLKPG, &a) < 0 ? en(errno) : "ok");
}

static void partitions(void)
{
	pg(BLKPG_ADD_PARTITION, 0, 4096, 1);
	pg(BLKPG_ADD_PARTITION, 4096, 4096, 2);
	pg(BLKPG_ADD_PARTITION, 4096, 512, 3);
	pg(BLKPG_ADD_PARTITION, 0, 0, 4);
	pg(BLKPG_ADD_PARTITION, 0, 100, 4);
	pg(BLKPG_ADD_PARTITION, 1 << 30, 512, 4);
	pg(BLKPG_ADD_PARTITION, 1048576, 8192, 4);
	pg(BLKPG_ADD_PARTITION, 1048576, 4096, 4);
	pg(BLKPG_ADD_PARTITION, -512, 512, 5);
	pg(BLKPG_ADD_PARTITION, LLONG_MAX, 512, 5);
	pg(BLKPG_ADD_PARTITION, 8192, 512, 0);
	pg(BLKPG_ADD_PARTITION, 8192, 512, -1);
	pg(BLKPG_ADD_PARTITION, 8192, 512, 256);
	pg(BLKPG_ADD_PARTITION, 8192, 512, 255);
	pg(BLKPG_ADD_PARTITION, 9216, 512, 1);
	pg(3, 4096, 8192, 2);
	pg(3, 4096, 2048, 2);
	pg(3, 0, 8192, 2);
	pg(3, 0, 8192, 1);
	pg(3, 4096, 8192, 9);
	pg(BLKPG_DEL_PARTITION, 0, 0, 9);
	pg(BLKPG_DEL_PARTITION, -1, -1, 2);
	pg(4, 0, 512, 1);
	pg(0, 0, 512, 1);
	struct blkpg_ioctl_arg a = { .op = 1, .datalen = 152, .data = (void *)8 };
	OK(ioctl(fd, BLKPG, &a));
	OK(ioctl(fd, BLKPG, 8));
	OK(ioctl(fd, BLKRRPART, 0)); // no table: all partitions go
	pg(BLKPG_DEL_PARTITION, 0, 0, 1);
}

// claims: partition 1 and the disk exclude each other.
static void claims(const char *dev)
{
	struct stat st;
	MUST(fstat(fd, &st));
	pg(BLKPG_ADD_PARTITION, 4096, 8192, 1);
	char major_minor[64], line[64] = "";
	const char *name = strrchr(dev, '/') + 1;
	snprintf(major_minor, sizeof major_minor, "/sys/block/%s/%s%s1/dev", name, name,
	    name[strlen(name) - 1] >= '0' && name[strlen(name) - 1] <= '9' ? "p" : "");
	strncpy(line, text(major_minor), sizeof line - 1);
	unsigned ma = 0, mi = 0;
	sscanf(line, "%u:%u", &ma, &mi);
	MUST(mknod("part", S_IFBLK | 0600, makedev(ma, mi)));
	int p, w;
	OK(p = open("part", O_RDWR | O_EXCL));
	SHOW(lseek(p, 0, SEEK_END));
	OK(open("part", O_RDONLY | O_EXCL));
	OK(w = open(dev, O_RDONLY | O_EXCL));
	OK(ioctl(fd, BLKRRPART, 0));
	pg(BLKPG_DEL_PARTITION, 0, 0, 1);
	pg(3, 4096, 4096, 1);
	SHOW(lseek(p, 0, SEEK_END));
	int was = fd;
	fd = p;
	ASK(BLKGETSIZE64, 8);
	OK(ioctl(fd, BLKRRPART, 0));
	pg(BLKPG_ADD_PARTITION, 0, 512, 9);
	OK(ioctl(fd, BLKROSET, &(int){ 1 }));
	ASK(BLKROGET, 4);
	VAL(pwrite(p, buf, 512, 0));
	fd = was;
	ASK(BLKROGET, 4);
	close(p);
	OK(w = open(dev, O_RDONLY | O_EXCL));
	OK(p = open("part", O_RDONLY | O_EXCL));
	OK(p = open("part", O_RDONLY));
	close(p);
	OK(ioctl(fd, BLKRRPART, 0));
	OK(ioctl(w, BLKRRPART, 0));
	OK(open("part", O_RDONLY));
	close(w);
	unlink("part");
}

// A caller without rights.
static void weak(const char *dev)
{
	pid_t p = CHILD({
		MUST(chmod(dev, 0666));
		MUST(setuid(65534));
		OK(fd = open(dev, O_RDWR));
		OK(ioctl(fd, BLKFLSBUF, 0));
		OK(ioctl(fd, BLKROSET, &(int){ 0 }));
		OK(ioctl(fd, BLKRASET, 8));
		OK(ioctl(fd, BLKBSZSET, &(int){ 512 }));
		OK(ioctl(fd, BLKRRPART, 0));
		pg(BLKPG_ADD_PARTITION, 0, 4096, 1);
		ASK(BLKGETSIZE64, 8);
		range("discard", BLKDISCARD, 0, 4096);
	});
	reap(p);
}

// The node tells when a device was written.
static void stamps(const char *dev)
{
	struct stat a, b, c;
	int f;
	MUST(f = open(dev, O_RDWR));
	stat(dev, &a);
	usleep(20000);
	VAL(pread(f, buf, 512, 0));
	fstat(f, &b);
	SHOW(!memcmp(&a.st_mtim, &b.st_mtim, sizeof a.st_mtim));
	VAL(pwrite(f, buf, 0, 0));
	VAL(pwrite(f, buf, 512, 0));
	fstat(f, &c);
	SHOW(memcmp(&b.st_mtim, &c.st_mtim, sizeof a.st_mtim) && !memcmp(&c.st_mtim, &c.st_ctim, sizeof a.st_mtim));
	usleep(20000);
	VAL(pread(f, buf, 512, 0));
	fstat(f, &a);
	SHOW(!memcmp(&a.st_mtim, &c.st_mtim, sizeof a.st_mtim));
	SHOW(!!memcmp(&a.st_atim, &b.st_atim, sizeof a.st_mtim)); // relatime
	close(f);
}

static void read_only(const char *dev, long size)
{
	OK(fd = open(dev, O_RDWR));
	values();
	ranges();
	positions(size);
	opens(dev);
	OK(ioctl(fd, BLKROSET, &(int){ 0 }));
	VAL(pwrite(fd, buf, 10, 0));
	close(fd);
}

int main(int n, char **arg)
{
	if (n != 3 || chdir("/tmp") < 0)
		return 1;
	const long size = 1052672, small = 1051136;
	MUST(fd = open(arg[1], O_RDONLY));
	say("-- read only descriptor");
	values();
	ranges();
	positions(size);
	close(fd);
	say("-- for writing");
	MUST(fd = open(arg[1], O_RDWR));
	values();
	ranges();
	positions(size);
	memset(buf, 0, sizeof buf);
	MUST(pwrite(fd, buf, 4096, 0));
	opens(arg[1]);
	direct(arg[1], size, O_RDWR);
	direct(arg[1], size, O_RDONLY);
	say("-- partitions");
	partitions();
	claims(arg[1]);
	say("-- made read-only");
	OK(ioctl(fd, BLKROSET, &(int){ 1 }));
	VAL(pwrite(fd, buf, 512, 0));
	int f;
	OK(f = open(arg[1], O_RDWR));
	VAL(pwrite(f, buf, 512, 0));
	range("zeroout", BLKZEROOUT, 0, 4096);
	range("discard", BLKDISCARD, 0, 4096);
	OK(fallocate(fd, 3, 0, 4096));
	OK(ioctl(fd, BLKROSET, &(int){ 0 }));
	VAL(pwrite(f, buf, 512, 0));
	weak(arg[1]);
	block_size(arg[1]);
	stamps(arg[1]);
	say("-- a device that is read-only");
	read_only(arg[2], small);
	return 0;
}
