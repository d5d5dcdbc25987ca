// SPDX-License-Identifier: Apache-2.0
//
// Files that want to share blocks where that cannot be (ext4) are told so. What is asked
// for is checked before.
#include "t.h"
#include <linux/fs.h>

int main(void)
{
	int a = open("a", O_RDWR | O_CREAT, 0600), b = open("b", O_RDWR | O_CREAT, 0600);
	int r = open("a", O_RDONLY), w = open("a", O_WRONLY), ap = open("b", O_RDWR | O_APPEND);
	int d = open(".", O_RDONLY), p = open("/proc/self/maps", O_RDONLY), n = open("/dev/null", O_RDWR);
	VAL(write(a, "12345678901234567890", 20));
	int pp[2];
	pipe(pp);
	OK(ioctl(b, FICLONE, a));
	OK(ioctl(b, FICLONE, 99));
	OK(ioctl(r, FICLONE, b));
	OK(ioctl(b, FICLONE, w));
	OK(ioctl(ap, FICLONE, a));
	OK(ioctl(d, FICLONE, a));
	OK(ioctl(b, FICLONE, d));
	OK(ioctl(b, FICLONE, p));
	OK(ioctl(n, FICLONE, a));
	OK(ioctl(b, FICLONE, n));
	OK(ioctl(pp[1], FICLONE, a));
	OK(ioctl(b, FICLONE, pp[0]));
	OK(ioctl(b, FICLONE, b));
	struct file_clone_range c = { a, 0, 4096, 0 };
	OK(ioctl(b, FICLONERANGE, &c));
	OK(ioctl(b, FICLONERANGE, 0));
	c.src_fd = 99;
	OK(ioctl(b, FICLONERANGE, &c));
	c.src_fd = a;
	c.src_offset = -5;
	OK(ioctl(b, FICLONERANGE, &c));
	struct file_dedupe_range *q = calloc(1, 4096);
	q->src_length = 10;
	q->dest_count = 1;
	q->info[0].dest_fd = b;
	OK(ioctl(a, FIDEDUPERANGE, q));
	q->info[0].dest_fd = 99;
	OK(ioctl(a, FIDEDUPERANGE, q));
	OK(ioctl(a, FIDEDUPERANGE, 0));
	q->dest_count = 1000;
	OK(ioctl(a, FIDEDUPERANGE, q));
	q->dest_count = 0;
	OK(ioctl(a, FIDEDUPERANGE, q));
	OK(ioctl(d, FIDEDUPERANGE, q));
	q->dest_count = 1;
	OK(ioctl(d, FIDEDUPERANGE, q));
	OK(ioctl(w, FIDEDUPERANGE, q));
	q->src_offset = 50;
	OK(ioctl(a, FIDEDUPERANGE, q));
	return 0;
}
