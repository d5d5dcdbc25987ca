// SPDX-License-Identifier: Apache-2.0
//
// inotify: errors, watch numbers, limits, masks with flags, reading, waiting
// NEED_ROOT
#include "t.h"
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/ioctl.h>

static int in;

static char b[65536] __attribute__((aligned(8)));

static void events(const char *what)
{
	ssize_t n;
	say("%s:", what);
	while ((n = read(in, b, sizeof b)) > 0)
		for (char *p = b; p < b + n;) {
			struct inotify_event *e = (void *)p;
			say("  wd %d mask %x len %u '%s'", e->wd, e->mask, e->len, e->len ? e->name : "");
			p += sizeof *e + e->len;
		}
}

#define DO(...) do { __VA_ARGS__; events(#__VA_ARGS__); } while (0)

static void touch(const char *name) { close(MUST(open(name, O_CREAT | O_WRONLY, 0666))); }

static volatile int got;
static void onio(int sig) { got++; }

static void *waker(void *arg)
{
	nap(30);
	touch(arg);
	return 0;
}

int main(void)
{
	int fd, n, wd, p[2];
	MUST(mkdir("d", 0777));
	MUST(chmod("d", 0777));
	MUST(chdir("d"));
	OK(inotify_init1(1));
	in = MUST(inotify_init1(IN_NONBLOCK));
	SHOW(fcntl(in, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	SHOW(fcntl(in, F_GETFD));
	{
		char link[64], name[64];
		sprintf(link, "/proc/self/fd/%d", in);
		n = readlink(link, name, sizeof name - 1);
		name[n > 0 ? n : 0] = 0;
		say("it is %s", name);
	}
	touch("f");
	MUST(symlink("f", "l"));
	MUST(mkdir("sub", 0755));
	OK(inotify_add_watch(in, "f", 0));
	OK(inotify_add_watch(in, "f", 0x100000));
	OK(inotify_add_watch(in, "f", 0x100000 | IN_OPEN));
	OK(inotify_add_watch(-1, "f", IN_OPEN));
	OK(inotify_add_watch(-1, "f", 0));
	OK(inotify_add_watch(0, "f", IN_OPEN));
	OK(inotify_add_watch(in, "none", IN_OPEN));
	OK(inotify_add_watch(in, "", IN_OPEN));
	OK(inotify_add_watch(in, NULL, IN_OPEN));
	OK(inotify_add_watch(0, NULL, IN_OPEN));
	OK(inotify_add_watch(in, "f/x", IN_OPEN));
	OK(inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR));
	OK(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
	OK(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE));
	OK(inotify_rm_watch(in, 77));
	OK(inotify_rm_watch(0, 1));
	OK(inotify_rm_watch(-1, 1));
	OK(write(in, "x", 1));
	OK(lseek(in, 0, SEEK_SET));
	OK(pread(in, b, 100, 0));
	// Watch numbers.
	VAL(inotify_add_watch(in, "f", IN_CLOSE));
	VAL(inotify_add_watch(in, "l", IN_CLOSE));
	VAL(inotify_add_watch(in, "l", IN_CLOSE | IN_DONT_FOLLOW));
	VAL(inotify_add_watch(in, "sub", IN_ALL_EVENTS | IN_ONLYDIR));
	DO(VAL(inotify_rm_watch(in, 2)));
	OK(inotify_rm_watch(in, 2));
	VAL(inotify_add_watch(in, ".", IN_CREATE | IN_DELETE));
	// Masks.
	DO(touch("f"));
	DO(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD); touch("f"));
	DO(inotify_add_watch(in, "f", IN_OPEN); touch("f"));
	DO(inotify_add_watch(in, "f", IN_CLOSE_WRITE | IN_ONESHOT); touch("f"); touch("f"));
	DO(VAL(inotify_add_watch(in, "f", IN_ATTRIB)); chmod("f", 0640));
	// Reading.
	touch("x");
	MUST(ioctl(in, FIONREAD, &n));
	SHOW(n);
	OK(read(in, b, 0));
	OK(read(in, b, 15));
	OK(read(in, b, 31));
	VAL(read(in, b, 32));
	touch("exactly_15_byte");
	touch("exactly_16_bytes");
	MUST(ioctl(in, FIONREAD, &n));
	SHOW(n);
	VAL(read(in, b, 40));
	VAL(read(in, b, 400));
	OK(read(in, b, 400));
	OK(read(in, b, 4));
	touch("y");
	OK(read(in, (void *)8, 400));
	OK(read(in, b, 400));
	OK(ioctl(in, FIONREAD, (void *)8));
	OK(ioctl(in, 0x1234, 0));
	// Waiting.
	struct pollfd pfd = { in, POLLIN | POLLOUT | POLLRDNORM, 0 };
	VAL(poll(&pfd, 1, 0));
	touch("z");
	VAL(poll(&pfd, 1, 0));
	SHOW(pfd.revents);
	int ep = MUST(epoll_create1(0));
	struct epoll_event ev = { EPOLLIN, {} };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, in, &ev));
	VAL(epoll_wait(ep, &ev, 1, -1));
	events("z");
	VAL(epoll_wait(ep, &ev, 1, 0));
	fcntl(in, F_SETFL, 0);
	pthread_t t;
	pthread_create(&t, 0, waker, "blocked");
	VAL(read(in, b, sizeof b));
	pthread_join(t, 0);
	pthread_create(&t, 0, waker, "blocked2");
	VAL(poll(&pfd, 1, -1));
	pthread_join(t, 0);
	fcntl(in, F_SETFL, O_NONBLOCK);
	events("blocked2");
	signal(SIGIO, onio);
	MUST(fcntl(in, F_SETOWN, getpid()));
	MUST(fcntl(in, F_SETFL, O_NONBLOCK | O_ASYNC));
	touch("async");
	while (!got)
		nap(1);
	say("SIGIO came");
	fcntl(in, F_SETFL, O_NONBLOCK);
	events("async");
	signal(SIGIO, SIG_IGN);
	// IN_EXCL_UNLINK.
	wd = inotify_add_watch(in, ".", IN_MODIFY | IN_CLOSE | IN_EXCL_UNLINK);
	fd = MUST(open("x", O_WRONLY));
	DO(write(fd, "1", 1));
	MUST(unlink("x"));
	DO(write(fd, "1", 1); close(fd));
	inotify_add_watch(in, ".", IN_MODIFY | IN_CLOSE);
	fd = MUST(open("y", O_WRONLY));
	MUST(unlink("y"));
	DO(write(fd, "1", 1); close(fd));
	// /proc.
	inotify_rm_watch(in, wd);
	events("removed");
	{
		char path[64], text[1000];
		int ino = 0, first = 1;
		sprintf(path, "/proc/self/fdinfo/%d", in);
		FILE *f = fopen(path, "r");
		while (fgets(text, sizeof text, f))
			if (!strncmp(text, "inotify", 7)) {
				unsigned long i, dev, mask, ign;
				int w, k = sscanf(text, "inotify wd:%x ino:%lx sdev:%lx mask:%lx ignored_mask:%lx ", &w, &i, &dev, &mask, &ign);
				struct stat st;
				stat("f", &st);
				say("fdinfo: %d fields, wd %d mask %lx ignored %lx, f: %d %d", k, w, mask, ign, i == st.st_ino, dev == (major(st.st_dev) << 20 | minor(st.st_dev)));
			}
		fclose(f);
	}
	close(in);
	// Rights.
	MUST(mkdir("closed", 0700));
	touch("closed/f");
	touch("unreadable");
	MUST(chmod("unreadable", 0200));
	reap(CHILD({
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
		in = MUST(inotify_init1(IN_NONBLOCK));
		OK(inotify_add_watch(in, "closed/f", IN_OPEN));
		OK(inotify_add_watch(in, "closed", IN_OPEN));
		OK(inotify_add_watch(in, "unreadable", IN_OPEN));
		int k = 1;
		while (k < 1000 && inotify_init() >= 0)
			k++;
		say("%s", en(errno));
	}));
	// Overflow.
	in = MUST(inotify_init1(IN_NONBLOCK));
	inotify_add_watch(in, "f", IN_OPEN | IN_CLOSE);
	for (int i = 0; i < 8200; i++)
		touch("f");
	touch("f");
	n = 0;
	int over = 0;
	ssize_t r;
	uint32_t last = 0;
	while ((r = read(in, b, sizeof b)) > 0)
		for (char *q = b; q < b + r; q += sizeof(struct inotify_event)) {
			struct inotify_event *e = (void *)q;
			n++;
			over += e->mask == IN_Q_OVERFLOW && e->wd == -1;
			last = e->mask;
		}
	say("%d events, %d overflows, last %x", n, over, last);
	DO(touch("f"));
	// A file system that goes.
	MUST(mkdir("m", 0755));
	if (mount("t", "m", "tmpfs", 0, 0) == 0) {
		touch("m/f");
		MUST(mkdir("m/sub", 0755));
		VAL(inotify_add_watch(in, "m/f", IN_OPEN));
		OK(umount("m"));
		events("umount");
		mount("t", "m", "tmpfs", 0, 0);
		MUST(mkdir("m/sub", 0755));
		VAL(inotify_add_watch(in, "m/sub", IN_ALL_EVENTS));
		int cwd = MUST(open("m/sub", O_RDONLY));
		OK(umount("m"));
		events("busy");
		OK(umount2("m", MNT_DETACH));
		events("detached");
		close(cwd);
		events("closed");
	}
	// /proc/self/fd of a pipe, which is no file of a directory.
	MUST(pipe(p));
	in = MUST(inotify_init1(IN_NONBLOCK));
	sprintf(b, "/proc/self/fd/%d", p[0]);
	VAL(inotify_add_watch(in, b, IN_MODIFY | IN_ACCESS));
	DO(write(p[1], "x", 1); read(p[0], b, 1));
	// Watches of an instance that is gone.
	dup2(in, 100);
	close(in);
	close(100);
	touch("f");
	return 0;
}
