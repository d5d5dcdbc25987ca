// SPDX-License-Identifier: Apache-2.0
//
// swapon and swapoff of a block device of 8 MiB, which nobody else may use now.
#include "t.h"
#include <sys/swap.h>

static int fd;
static unsigned char page[4096];
static const char *dev;

static void header(unsigned version, unsigned last, unsigned bad, unsigned first_bad)
{
	memset(page, 0, sizeof page);
	memcpy(page + 4086, "SWAPSPACE2", 10);
	memcpy(page + 1024, &version, 4);
	memcpy(page + 1028, &last, 4);
	memcpy(page + 1032, &bad, 4);
	memcpy(page + 1536, &first_bad, 4);
	MUST(pwrite(fd, page, 4096, 0));
}

// sizes shows the lines of /proc/swaps without the names.
static void sizes(void)
{
	char b[4096];
	strcpy(b, text("/proc/swaps"));
	for (char *l = strtok(b, "\n"); l; l = strtok(0, "\n")) {
		char *p = strchr(l, ' ');
		say("swaps: %s", p ? p + strspn(p, " ") : l);
	}
}

static void try(const char *what, unsigned version, unsigned last, unsigned bad, unsigned first_bad)
{
	header(version, last, bad, first_bad);
	int r = swapon(dev, 0);
	say("%s -> %s", what, r < 0 ? en(errno) : "ok");
	if (!r) {
		sizes();
		OK(swapoff(dev));
	}
}

int main(int n, char **arg)
{
	dev = arg[1];
	MUST(fd = open(dev, O_RDWR));
	OK(swapon(dev, 0));
	header(1, 2047, 0, 0);
	OK(swapon(dev, 0));
	sizes();
	OK(swapon(dev, 0));
	OK(open(dev, O_RDONLY | O_EXCL));
	int f;
	OK(f = open(dev, O_RDWR));
	VAL(pwrite(f, "x", 1, 0));
	VAL(pread(f, page, 512, 0));
	close(f);
	OK(swapon(dev, 0x1000000));
	OK(swapoff(dev));
	sizes();
	OK(swapoff(dev));
	VAL(pwrite(fd, page, 512, 0));
	OK(swapoff("/nonexistent"));
	OK(swapoff("/dev/null"));
	OK(swapoff("/"));
	OK(swapon("/nonexistent", 0));
	OK(swapon("/dev/null", 0));
	OK(swapon("/", 0));
	OK(swapon((char *)8, 0));
	OK(swapoff((char *)8));
	header(1, 2047, 0, 0);
	OK(swapon(dev, SWAP_FLAG_PREFER | 5));
	sizes();
	OK(swapoff(dev));
	OK(swapon(dev, SWAP_FLAG_DISCARD | 0x20000));
	OK(swapoff(dev));
	try("version 2", 2, 2047, 0, 0);
	try("no last page", 1, 0, 0, 0);
	try("one page", 1, 1, 0, 0);
	try("too long", 1, 2048, 0, 0);
	try("huge", 1, 0xffffffff, 0, 0);
	try("a bad page", 1, 2047, 1, 5);
	try("a bad page outside", 1, 2047, 1, 2048);
	try("page 0 is bad", 1, 2047, 1, 0);
	try("all pages bad", 1, 1, 1, 1);
	try("638 bad pages", 1, 2047, 638, 1);
	header(1, 2047, 0, 0);
	MUST(pwrite(fd, "SWAPSPACE1", 10, 4086));
	OK(swapon(dev, 0));
	reap(CHILD({
		MUST(setuid(65534));
		OK(swapon(dev, 0));
		OK(swapon(dev, -1));
		OK(swapoff(dev));
	}));
	return 0;
}
