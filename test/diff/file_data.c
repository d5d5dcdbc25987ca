// SPDX-License-Identifier: Apache-2.0
//
// read, write, lseek, pread, vectors, truncate, holes, fallocate, SEEK_DATA, limits

#include "t.h"

int main(void)
{
	char b[100] = "", c[10] = "";
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	VAL(write(fd, "0123456789", 10));
	VAL(lseek(fd, -3, SEEK_END));
	VAL(read(fd, b, 10));
	VAL(read(fd, b, 10));
	VAL(lseek(fd, 5, SEEK_SET));
	VAL(lseek(fd, 2, SEEK_CUR));
	OK(lseek(fd, -20, SEEK_CUR));
	OK(lseek(fd, 0, 77));
	VAL(lseek(fd, 100, SEEK_SET));
	VAL(read(fd, b, 1));
	VAL(write(fd, "Z", 1));
	struct stat st;
	fstat(fd, &st);
	SHOW(st.st_size);
	VAL(pread(fd, b, 5, 8));
	say("%d %d %d", b[0], b[1], b[2]);
	OK(pread(fd, b, 1, -1));
	VAL(pwrite(fd, "QQ", 2, 3));
	VAL(lseek(fd, 0, SEEK_CUR));
	struct iovec v[3] = { { "ab", 2 }, { 0, 0 }, { "cde", 3 } }, r[2] = { { b, 3 }, { c, 4 } };
	lseek(fd, 0, SEEK_SET);
	VAL(writev(fd, v, 3));
	lseek(fd, 0, SEEK_SET);
	VAL(readv(fd, r, 2));
	say("%.3s %.4s", b, c);
	VAL(pwritev(fd, v, 3, 50));
	VAL(preadv(fd, r, 2, 50));
	VAL(preadv2(fd, r, 2, 0, 0));
	OK(preadv2(fd, r, 2, 0, 0x8000));
	OK(readv(fd, r, -1));
	OK(readv(fd, r, 1025));
	VAL(readv(fd, r, 0));
	r[0].iov_len = -1;
	OK(readv(fd, r, 1));
	OK(read(fd, (void *)8, 10));
	OK(write(fd, (void *)8, 10));
	OK(read(999, b, 1));
	int wo = open("f", O_WRONLY), ro = open("f", O_RDONLY);
	OK(read(wo, b, 1));
	OK(write(ro, b, 1));
	OK(ftruncate(ro, 0));
	OK(ftruncate(fd, -1));
	OK(truncate(".", 0));
	OK(truncate("no", 0));
	OK(ftruncate(fd, 4));
	fstat(fd, &st);
	SHOW(st.st_size);
	OK(ftruncate(fd, 20));
	memset(b, 'x', 20);
	pread(fd, b, 20, 0);
	say("%.4s then zeros %d %d", b, b[4], b[19]);
	// holes
	int h = open("h", O_RDWR | O_CREAT, 0600);
	pwrite(h, "a", 1, 0);
	pwrite(h, "b", 1, 1 << 20);
	VAL(lseek(h, 0, SEEK_DATA));
	VAL(lseek(h, 0, SEEK_HOLE));
	VAL(lseek(h, 8192, SEEK_DATA));
	VAL(lseek(h, 1 << 20, SEEK_HOLE));
	OK(lseek(h, 2 << 20, SEEK_DATA));
	OK(lseek(h, 2 << 20, SEEK_HOLE));
	fstat(h, &st);
	say("sparse %d", st.st_blocks * 512 < st.st_size);
	OK(fallocate(h, 0, 0, 2 << 20));
	fstat(h, &st);
	SHOW(st.st_size);
	OK(fallocate(h, FALLOC_FL_KEEP_SIZE, 0, 3 << 20));
	fstat(h, &st);
	SHOW(st.st_size);
	OK(fallocate(h, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096));
	VAL(pread(h, b, 1, 1 << 20));
	SHOW(b[0]);
	OK(fallocate(h, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	OK(fallocate(h, 0, -1, 10));
	OK(fallocate(h, 0, 0, 0));
	OK(fallocate(ro, 0, 0, 10));
	OK(posix_fadvise(h, 0, 0, POSIX_FADV_WILLNEED));
	OK(fsync(h));
	OK(fdatasync(h));
	OK(sync_file_range(h, 0, 0, 2));
	OK(syncfs(h));
	VAL(write(fd, b, 0));
	OK(lseek(fd, 0x7fffffffffffffff, SEEK_SET));
	OK(write(fd, "xy", 2));
}
