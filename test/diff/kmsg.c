// SPDX-License-Identifier: Apache-2.0
// The kernel log: /dev/kmsg, /proc/kmsg and syslog(2), as far as it leaves the log and
// its console as they are. NEED_ROOT.
#include "t.h"
#include <poll.h>
#include <sys/syscall.h>

static char tag[32];

// ours gives the text of the next record that has our tag, with its priority.
static const char *ours(int fd) {
	static char b[8192];
	for (;;) {
		ssize_t n = read(fd, b, sizeof b - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n < 0)
			return strerror(errno);
		b[n] = 0;
		char *text = strchr(b, ';'), *comma = strchr(b, ',');
		if (!text || !strstr(text, tag))
			continue;
		*comma = 0;
		static char out[9000];
		snprintf(out, sizeof out, "%s flags %c text %s", b, text[-1], strstr(text, tag) + strlen(tag));
		return out;
	}
}

static void message(int fd, const char *prefix, const char *text, size_t more) {
	char b[4096];
	int n = snprintf(b, sizeof b, "%s%s", prefix, tag);
	memcpy(b + n, text, more);
	errno = 0;
	printf("write %s: %zd", prefix, write(fd, b, n + more) - n - (ssize_t)more);
	printf(" %s\n", strerror(errno));
}

static int end(int flags) {
	int fd = open("/dev/kmsg", flags);
	lseek(fd, 0, SEEK_END);
	return fd;
}

static void records(void) {
	static const struct { const char *prefix, *text; size_t n; } msgs[] = {
		{"<3>", " \\ \x01 \xc3\xa4\t\x7f\n", 9}, {"", "\n", 1}, {"<999>", "\n", 1}, {"<>", "\n", 1}, {"<1x>", "\n", 1},
		{"<12>", " two\nlines\n\n", 12}, {"<6>", " a\0b\n", 5}, {"<6>", "\n", 1},
	};
	int fd = end(O_RDWR);
	for (size_t i = 0; i < sizeof msgs / sizeof *msgs; i++)
		message(fd, msgs[i].prefix, msgs[i].text, msgs[i].n);
	for (size_t i = 0; i < sizeof msgs / sizeof *msgs; i++)
		printf("%s", ours(fd));
	close(fd);
	// What is too long.
	static char x[2000];
	memset(x, 'x', sizeof x);
	fd = end(O_RDWR);
	size_t most = 1024 - strlen(tag);
	x[most - 1] = '\n';
	message(fd, "", x, most);
	x[most - 1] = 'x';
	message(fd, "", x, most);
	message(fd, "", x, most + 1);
	message(fd, "<6>", "end\n", 4);
	for (int i = 0; i < 3; i++)
		printf("%zu\n", strlen(ours(fd)));
	close(fd);
}

static void seeks(void) {
	int fd = end(O_RDWR | O_NONBLOCK);
	static const int whence[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE};
	for (int i = 0; i < 5; i++)
		for (int off = 0; off < 2; off++) {
			errno = 0;
			printf("lseek %d %d: %ld", off, whence[i], (long)lseek(fd, off, whence[i]));
			printf(" %s\n", strerror(errno));
		}
	lseek(fd, 0, SEEK_END);
	message(fd, "<6>", "one\n", 4);
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, 0};
	int ready = poll(&p, 1, 0);
	printf("poll %d %x\n", ready, p.revents);
	char b[8192];
	errno = 0;
	printf("small buffer %zd", read(fd, b, 3));
	printf(" %s\n", strerror(errno));
	printf("pread %d\n", pread(fd, b, sizeof b, 7) > 0 || errno == EAGAIN);
	printf("pwrite %zd\n", pwrite(fd, "<7>pwrite\n", 10, 7));
	printf("writev too long %zd\n", write(fd, b, 1025));
	close(fd);
	fd = open("/dev/kmsg", O_WRONLY);
	errno = 0;
	printf("read of a writer %zd", read(fd, b, sizeof b));
	printf(" %s\n", strerror(errno));
	close(fd);
}

// A reader waits until there is something.
static void waits(void) {
	int up[2], told[2];
	pipe(up);
	pipe(told);
	fflush(stdout);
	pid_t pid = fork();
	char c;
	if (pid == 0) {
		int fd = end(O_RDONLY);
		write(up[1], "x", 1);
		const char *l = ours(fd);
		read(told[0], &c, 1); // the writer has its say first
		printf("reader: %s", l);
		fflush(stdout);
		_exit(0);
	}
	read(up[0], &c, 1);
	int fd = open("/dev/kmsg", O_WRONLY);
	message(fd, "<5>", "wake up\n", 8);
	fflush(stdout);
	write(told[1], "x", 1);
	reap(pid);
	close(fd);
}

static void act(int action, char *buf, long len) {
	errno = 0;
	long n = syscall(SYS_syslog, action, buf, len);
	printf("syslog %d %s %ld: %s %s\n", action, buf ? "buf" : "NULL", len, n > 0 ? "some" : n == 0 ? "0" : "-1", strerror(errno));
}

static void actions(void) {
	static char b[1 << 20];
	static const int quiet[] = {-1, 0, 1, 2, 3, 4, 10, 11};
	for (int i = 0; i < 8; i++)
		act(quiet[i], NULL, 0);
	for (int a = 2; a <= 4; a++) {
		act(a, b, -1);
		act(a, b, 0);
		act(a, NULL, 5);
		act(a, (char *)-4096, 5);
	}
	act(8, NULL, 0);
	act(8, NULL, 9);
	act(8, NULL, -1);
	act(3, b, 2); // nothing is as short
	int fd = end(O_RDWR);
	message(fd, "<13>", "in syslog\nline\n", 15);
	message(fd, "<7>", "after\n", 6);
	close(fd);
	int n = syscall(SYS_syslog, 3, b, sizeof b - 1);
	b[n < 0 ? 0 : n] = 0;
	char *at = strstr(b, tag);
	for (char *next = at; next; next = strstr(next + 1, tag))
		at = strstr(next, "in syslog") ? next : at;
	char *line = at, *second = at ? strchr(at, '\n') : NULL;
	while (line && line > b && line[-1] != '\n')
		line--;
	int prio = 0, prio2 = 0, s, us;
	printf("%d", line ? sscanf(line, "<%d>[%d.%d] ", &prio, &s, &us) : -1);
	printf(" %d", second ? sscanf(second + 1, "<%d>[%d.%d] line", &prio2, &s, &us) : -1);
	printf(" prio %d %d\n", prio, prio2);
}

static void unprivileged(void) {
	int restricted = 0;
	FILE *f = fopen("/proc/sys/kernel/dmesg_restrict", "r");
	fscanf(f, "%d", &restricted);
	fclose(f);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		static char b[100];
		setgid(1000);
		setuid(1000);
		for (int a = -1; a < 12; a++) {
			if (a == 2) // would wait
				continue;
			int free = a == 3 || a == 10;
			errno = 0;
			long n = syscall(SYS_syslog, a, b, sizeof b);
			printf("uid 1000: syslog %d: %s\n", a, (n < 0 && errno == EPERM) == (!free || restricted) ? "as it should" : strerror(errno));
		}
		int fd = open("/dev/kmsg", O_RDONLY);
		printf("uid 1000: read /dev/kmsg: %s\n", (fd < 0 && errno == EPERM) == restricted ? "as it should" : strerror(errno));
		errno = 0;
		printf("uid 1000: write /dev/kmsg: %d", open("/dev/kmsg", O_WRONLY));
		printf(" %s\n", strerror(errno));
		errno = 0;
		printf("uid 1000: /proc/kmsg: %d", open("/proc/kmsg", O_RDONLY));
		printf(" %s\n", strerror(errno));
		errno = 0;
		printf("uid 1000: printk: %d", open("/proc/sys/kernel/printk", O_WRONLY));
		printf(" %s\n", strerror(errno));
		fflush(stdout);
		_exit(0);
	}
	reap(pid);
}

static void sysctl(const char *name, const char *text) {
	char path[100];
	snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
	int fd = open(path, O_WRONLY);
	errno = 0;
	printf("%s: %s: %d", name, text, write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	printf(" %s\n", strerror(errno));
	close(fd);
}

int main(void) {
	snprintf(tag, sizeof tag, "lodger-kmsg-%07d ", getpid());
	struct stat st;
	stat("/dev/kmsg", &st);
	printf("%o %x\n", st.st_mode, (unsigned)st.st_rdev);
	stat("/proc/kmsg", &st);
	printf("%o %ld\n", st.st_mode, (long)st.st_size);
	records();
	seeks();
	waits();
	actions();
	unprivileged();
	sysctl("printk", "x");
	sysctl("printk", "\n");
	sysctl("printk", "4,4");
	sysctl("dmesg_restrict", "2");
	sysctl("dmesg_restrict", "-1");
	sysctl("printk_devkmsg", "maybe");
	return 0;
}
