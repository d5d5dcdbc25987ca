// SPDX-License-Identifier: Apache-2.0
//
// What loop devices answer, on the host and in a guest. Argument: a directory where
// files can be made.
#include "t.h"
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/sysmacros.h>

#define SIZE (1 << 20)

static char dev[64], got[256];
static int ctl, n;

static void die(const char *what)
{
	say("%s: %s", what, en(errno));
	exit(1);
}

static int image(const char *name, int flags)
{
	int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (f < 0 || ftruncate(f, SIZE + 100) < 0)
		die("make file");
	for (int i = 0; i < SIZE; i += 4096)
		pwrite(f, &i, sizeof i, i);
	close(f);
	return open(name, flags);
}

static const char *attr(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "/sys/block/loop%d/loop/%s", n, name);
	int f = open(path, O_RDONLY);
	if (f < 0)
		return en(errno);
	ssize_t r = read(f, got, sizeof got - 1);
	close(f);
	got[r < 0 ? 0 : r] = 0;
	if (r > 0 && got[r - 1] == '\n')
		got[r - 1] = 0;
	char *slash = strrchr(got, '/');
	return slash ? slash + 1 : got;
}

static void show(int fd, const char *when)
{
	struct loop_info64 in;
	uint64_t size = 0;
	memset(&in, 0xee, sizeof in);
	int r = ioctl(fd, LOOP_GET_STATUS64, &in);
	ioctl(fd, BLKGETSIZE64, &size);
	say("%s: status %s, size %lld", when, r < 0 ? en(errno) : "ok", (long long)size);
	if (r == 0) {
		struct stat st;
		say("  offset %lld limit %lld flags %x name %s crypt %s number %d", (long long)in.lo_offset, (long long)in.lo_sizelimit,
		    in.lo_flags, in.lo_file_name, in.lo_crypt_name, in.lo_number == n);
		say("  inode %d", stat("a", &st) == 0 && in.lo_inode == st.st_ino && in.lo_rdevice == 0);
	}
	const char *names[] = { "offset", "sizelimit", "autoclear", "partscan", "dio", "backing_file" };
	for (int i = 0; i < 6; i++)
		say("  %s %s", names[i], attr(names[i]));
}

static void showold(int fd, const char *when)
{
	struct loop_info in;
	memset(&in, 0xee, sizeof in);
	int r = ioctl(fd, LOOP_GET_STATUS, &in);
	say("%s: older status %s", when, r < 0 ? en(errno) : "ok");
	if (r == 0) {
		struct stat st;
		unsigned sum = 0;
		for (unsigned i = 0; i < sizeof in.lo_init + sizeof in.reserved; i++)
			sum += ((unsigned char *)in.lo_init)[i];
		say("  offset %d type %d key size %d flags %x name %.64s rest %u %u %d", in.lo_offset, in.lo_encrypt_type, in.lo_encrypt_key_size,
		    in.lo_flags, in.lo_name, sum, in.lo_encrypt_key[0], in.lo_number == n);
		say("  inode %d", stat("a", &st) == 0 && in.lo_inode == st.st_ino && in.lo_device == st.st_dev && in.lo_rdevice == 0);
	}
}

static int value(int fd, long off)
{
	int v = -1;
	return pread(fd, &v, sizeof v, off) == sizeof v ? v : -1;
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]) < 0)
		die("directory");
	ctl = open("/dev/loop-control", O_RDWR);
	n = ioctl(ctl, LOOP_CTL_GET_FREE);
	if (n < 0)
		die("LOOP_CTL_GET_FREE");
	snprintf(dev, sizeof dev, "/dev/loop%d", n);
	say("-- unbound");
	int fd = open(dev, O_RDWR);
	struct stat st;
	fstat(fd, &st);
	SHOW(major(st.st_rdev) == 7 && minor(st.st_rdev) == n);
	show(fd, "unbound");
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	OK(ioctl(fd, LOOP_CHANGE_FD, 0));
	OK(ioctl(fd, LOOP_SET_CAPACITY, 0));
	struct loop_info none;
	memset(&none, 0, sizeof none);
	OK(ioctl(fd, LOOP_GET_STATUS, &none));
	OK(ioctl(fd, LOOP_SET_STATUS, &none));
	OK(ioctl(fd, LOOP_GET_STATUS64, 0));
	OK(ioctl(fd, LOOP_SET_DIRECT_IO, 0));
	OK(ioctl(fd, LOOP_SET_BLOCK_SIZE, 512));
	OK(ioctl(fd, 0x4c20, 0));
	OK(ioctl(ctl, LOOP_CTL_ADD, n));
	OK(ioctl(ctl, LOOP_CTL_REMOVE, -1));
	OK(ioctl(ctl, LOOP_CTL_REMOVE, 12345));
	OK(ioctl(ctl, 0x4c90, 0));
	SHOW(read(fd, got, 1));

	say("-- set fd");
	int a = image("a", O_RDWR);
	int dir = open(".", O_RDONLY), null = open("/dev/null", O_RDWR), path = open("a", O_PATH);
	OK(ioctl(fd, LOOP_SET_FD, -1));
	OK(ioctl(fd, LOOP_SET_FD, dir));
	OK(ioctl(fd, LOOP_SET_FD, null));
	OK(ioctl(fd, LOOP_SET_FD, path));
	OK(ioctl(fd, LOOP_SET_FD, fd));
	OK(ioctl(fd, LOOP_SET_FD, a));
	OK(ioctl(fd, LOOP_SET_FD, a));
	show(fd, "bound");
	SHOW(value(fd, 40960));
	int v = 77;
	SHOW(pwrite(fd, &v, sizeof v, 40960));
	OK(fsync(fd));
	SHOW(value(a, 40960));
	SHOW(pwrite(fd, &v, sizeof v, SIZE));
	OK(ioctl(ctl, LOOP_CTL_REMOVE, n));
	OK(ioctl(fd, LOOP_CHANGE_FD, a));
	OK(ioctl(fd, 0x4c20, 0));

	say("-- set status");
	struct loop_info64 in;
	memset(&in, 0, sizeof in);
	in.lo_offset = 4096;
	in.lo_sizelimit = 100000;
	in.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY | 0x100;
	strcpy((char *)in.lo_file_name, "some name");
	strcpy((char *)in.lo_crypt_name, "other name");
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	show(fd, "changed");
	SHOW(value(fd, 4096));
	in.lo_offset = 1ULL << 63;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	in.lo_offset = 10 << 20;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	show(fd, "beyond the file");
	memset(&in, 0, sizeof in);
	in.lo_encrypt_type = LO_CRYPT_XOR;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	in.lo_encrypt_type = 0;
	in.lo_encrypt_key_size = 33;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	OK(ioctl(fd, LOOP_SET_STATUS64, 8));
	OK(ioctl(fd, LOOP_GET_STATUS64, 8));
	in.lo_encrypt_key_size = 0;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	show(fd, "back");

	say("-- the older status");
	struct loop_info old;
	memset(&old, 0, sizeof old);
	old.lo_offset = 8192;
	old.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | 0x100;
	old.lo_encrypt_type = LO_CRYPT_XOR;
	old.lo_encrypt_key_size = 99;
	memset(old.lo_name, 'n', sizeof old.lo_name);
	OK(ioctl(fd, LOOP_SET_STATUS, &old));
	show(fd, "changed");
	showold(fd, "changed");
	old.lo_offset = -512;
	OK(ioctl(fd, LOOP_SET_STATUS, &old));
	OK(ioctl(fd, LOOP_SET_STATUS, 8));
	OK(ioctl(fd, LOOP_SET_STATUS, 0));
	OK(ioctl(fd, LOOP_GET_STATUS, 8));
	OK(ioctl(fd, LOOP_GET_STATUS, 0));
	OK(ioctl(fd, LOOP_GET_STATUS64, 0));
	memset(&in, 0, sizeof in);
	in.lo_offset = 0x7ffffe00;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	showold(fd, "far");
	in.lo_offset = 0x80000000;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	showold(fd, "too far");
	in.lo_offset = 0;
	in.lo_sizelimit = 4096;
	OK(ioctl(fd, LOOP_SET_STATUS64, &in));
	showold(fd, "limited");
	memset(&old, 0, sizeof old);
	OK(ioctl(fd, LOOP_SET_STATUS, &old));
	show(fd, "no limit");

	say("-- capacity, block size");
	OK(ftruncate(a, SIZE / 2));
	OK(ioctl(fd, LOOP_SET_CAPACITY, 0));
	show(fd, "smaller");
	OK(ftruncate(a, 2 * SIZE));
	OK(ioctl(fd, LOOP_SET_CAPACITY, 0));
	show(fd, "larger");
	OK(ioctl(fd, LOOP_SET_BLOCK_SIZE, 4096));
	int bs = 0;
	OK(ioctl(fd, BLKSSZGET, &bs));
	SHOW(bs);
	OK(ioctl(fd, LOOP_SET_BLOCK_SIZE, 1000));
	OK(ioctl(fd, LOOP_SET_BLOCK_SIZE, 256));
	OK(ioctl(fd, LOOP_SET_BLOCK_SIZE, 512));

	say("-- discard");
	struct stat before, after;
	fstat(a, &before);
	uint64_t range[2] = { 65536, 131072 };
	OK(ioctl(fd, BLKDISCARD, range));
	fsync(fd);
	fstat(a, &after);
	SHOW(after.st_size == before.st_size);
	SHOW(value(a, 65536));
	SHOW(value(a, 65536 + 131072));
	range[0] = 262144, range[1] = 4096;
	OK(ioctl(fd, BLKZEROOUT, range));
	fsync(fd);
	SHOW(value(a, 262144));

	say("-- detach");
	int second = open(dev, O_RDONLY);
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	show(fd, "while others have it open");
	close(second);
	show(fd, "one left");
	close(fd);
	fd = open(dev, O_RDWR);
	show(fd, "opened anew");
	OK(ioctl(fd, LOOP_SET_FD, a));
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	errno = 0;
	SHOW(open(dev, O_RDONLY) < 0);
	say("%s", en(errno));
	close(fd);

	say("-- configure");
	close(a);
	a = image("a", O_RDWR);
	int b = image("b", O_RDONLY);
	fd = open(dev, O_RDWR);
	struct loop_config c;
	memset(&c, 0, sizeof c);
	c.fd = a;
	c.block_size = 1000;
	OK(ioctl(fd, LOOP_CONFIGURE, &c));
	c.block_size = 1024;
	c.info.lo_flags = 0x100;
	OK(ioctl(fd, LOOP_CONFIGURE, &c));
	c.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_PARTSCAN;
	c.info.lo_offset = 512;
	OK(ioctl(fd, LOOP_CONFIGURE, &c));
	OK(ioctl(fd, LOOP_CONFIGURE, &c));
	show(fd, "configured");
	OK(ioctl(fd, BLKSSZGET, &bs));
	SHOW(bs);
	int ro = 0;
	OK(ioctl(fd, BLKROGET, &ro));
	SHOW(ro);
	SHOW(pwrite(fd, &v, sizeof v, 0));
	OK(ioctl(fd, LOOP_CHANGE_FD, fd));
	OK(ioctl(fd, LOOP_CHANGE_FD, dir));
	OK(ioctl(fd, LOOP_CHANGE_FD, b));
	v = 5;
	int w = open("b", O_RDWR);
	pwrite(w, &v, sizeof v, 512);
	fsync(w);
	show(fd, "changed");
	OK(ftruncate(w, SIZE / 2));
	int half = open("b", O_RDONLY);
	OK(ioctl(fd, LOOP_CHANGE_FD, half));
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);

	say("-- read-only");
	fd = open(dev, O_RDONLY);
	OK(ioctl(fd, LOOP_SET_FD, a));
	show(fd, "opened read-only");
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);
	fd = open(dev, O_RDWR);
	OK(ioctl(fd, LOOP_SET_FD, b));
	show(fd, "file read-only");
	unlink("b");
	say("  backing_file %s", attr("backing_file"));
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);

	say("-- autoclear");
	fd = open(dev, O_RDWR);
	memset(&c, 0, sizeof c);
	c.fd = a;
	c.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	OK(ioctl(fd, LOOP_CONFIGURE, &c));
	show(fd, "open");
	close(fd);
	fd = open(dev, O_RDWR);
	show(fd, "after close");
	close(fd);

	say("-- add and remove");
	int x = ioctl(ctl, LOOP_CTL_ADD, 700);
	SHOW(x);
	SHOW(access("/sys/block/loop700", F_OK));
	OK(ioctl(ctl, LOOP_CTL_ADD, 700));
	OK(ioctl(ctl, LOOP_CTL_REMOVE, 700));
	SHOW(access("/sys/block/loop700", F_OK));
	OK(ioctl(ctl, LOOP_CTL_REMOVE, 700));
	return 0;
}
