// SPDX-License-Identifier: Apache-2.0
//
// inotify: events of everything that happens to files, their order and masks
#include "t.h"
#include <sys/inotify.h>
#include <sys/xattr.h>

static int in;
static int wds[32];
static const char *names[32];
static int nwds;
static uint32_t cookies[64];
static int ncookies;

static const char *maskname(uint32_t m)
{
	static const struct { uint32_t bit; const char *name; } t[] = {
		{ IN_ACCESS, "ACCESS" }, { IN_MODIFY, "MODIFY" }, { IN_ATTRIB, "ATTRIB" }, { IN_CLOSE_WRITE, "CLOSE_WRITE" },
		{ IN_CLOSE_NOWRITE, "CLOSE_NOWRITE" }, { IN_OPEN, "OPEN" }, { IN_MOVED_FROM, "MOVED_FROM" },
		{ IN_MOVED_TO, "MOVED_TO" }, { IN_CREATE, "CREATE" }, { IN_DELETE, "DELETE" }, { IN_DELETE_SELF, "DELETE_SELF" },
		{ IN_MOVE_SELF, "MOVE_SELF" }, { IN_UNMOUNT, "UNMOUNT" }, { IN_Q_OVERFLOW, "Q_OVERFLOW" }, { IN_IGNORED, "IGNORED" },
		{ IN_ISDIR, "ISDIR" },
	};
	static char b[256];
	b[0] = 0;
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++)
		if (m & t[i].bit) {
			if (b[0])
				strcat(b, "|");
			strcat(b, t[i].name);
			m &= ~t[i].bit;
		}
	if (m)
		sprintf(b + strlen(b), "|%#x", m);
	return b;
}

static int watch(const char *path, uint32_t mask)
{
	int wd = inotify_add_watch(in, path, mask);
	if (wd < 0) {
		say("watch %s: %s", path, en(errno));
		return wd;
	}
	int i;
	for (i = 0; i < nwds; i++)
		if (wds[i] == wd)
			return wd;
	wds[nwds] = wd;
	names[nwds++] = path;
	return wd;
}

static int cookie(uint32_t c)
{
	if (!c)
		return 0;
	for (int i = 0; i < ncookies; i++)
		if (cookies[i] == c)
			return i + 1;
	cookies[ncookies++] = c;
	return ncookies;
}

// events prints what happened since it was last called.
static void events(const char *what)
{
	static char b[65536] __attribute__((aligned(8)));
	say("%s:", what);
	ssize_t n;
	while ((n = read(in, b, sizeof b)) > 0)
		for (char *p = b; p < b + n;) {
			struct inotify_event *e = (void *)p;
			const char *who = "?";
			for (int i = 0; i < nwds; i++)
				if (wds[i] == e->wd)
					who = names[i];
			int hash = e->len && e->name[0] == '#';
			say("  %s %s len %u '%s' cookie %d", e->wd == -1 ? "none" : who, maskname(e->mask), hash ? 0 : e->len, !e->len ? "" : hash ? "a number" : e->name, cookie(e->cookie));
			p += sizeof *e + e->len;
		}
}

#define DO(...) do { __VA_ARGS__; events(#__VA_ARGS__); } while (0)

int main(void)
{
	char buf[64];
	int fd, fd2, p[2];
	umask(022);
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	in = MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	OK(read(in, buf, sizeof buf));
	watch(".", IN_ALL_EVENTS);
	DO(fd = open("f", O_CREAT | O_WRONLY, 0644));
	watch("f", IN_ALL_EVENTS);
	DO(write(fd, "hello", 5));
	DO(write(fd, "hello", 5); write(fd, "hello", 5); write(fd, "", 0));
	DO(pwrite(fd, "x", 1, 3));
	DO(ftruncate(fd, 4));
	DO(fchmod(fd, 0600));
	DO(fchown(fd, -1, -1));
	DO(fchown(fd, getuid(), -1));
	DO(futimens(fd, 0));
	{
		struct timespec a[2] = { { 1, 0 }, { 0, UTIME_OMIT } }, m[2] = { { 0, UTIME_OMIT }, { 1, 0 } };
		DO(futimens(fd, a));
		DO(futimens(fd, m));
	}
	DO(fallocate(fd, 0, 0, 100));
	DO(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 100));
	DO(fsync(fd));
	DO(fsetxattr(fd, "user.a", "1", 1, 0));
	DO(fremovexattr(fd, "user.a"));
	DO(fremovexattr(fd, "user.b"));
	DO(fd2 = dup(fd); close(fd2));
	DO(close(fd));
	DO(fd = open("f", O_RDONLY));
	DO(read(fd, buf, 3));
	DO(pread(fd, buf, 3, 1000000));
	DO(readv(fd, &(struct iovec){ buf, 4 }, 1));
	DO(lseek(fd, 0, SEEK_SET));
	DO(close(fd));
	DO(fd = open("f", O_RDWR | O_TRUNC));
	DO(close(fd));
	DO(fd = open("f", O_PATH); close(fd));
	DO(truncate("f", 10));
	DO(fd = open("f", O_RDONLY); fd2 = open("g", O_CREAT | O_RDWR, 0644));
	DO(sendfile(fd2, fd, 0, 10));
	DO(copy_file_range(fd, &(off_t){ 0 }, fd2, &(off_t){ 10 }, 5, 0));
	MUST(pipe(p));
	DO(splice(fd, &(off_t){ 0 }, p[1], 0, 5, 0));
	DO(splice(p[0], 0, fd2, &(off_t){ 0 }, 5, 0));
	DO(close(fd); close(fd2));
	DO(fd = open("g", O_WRONLY | O_APPEND); write(fd, "1", 1); close(fd));
	DO(link("f", "l"));
	DO(symlink("f", "s"));
	DO(readlink("s", buf, sizeof buf));
	DO(stat("s", &(struct stat){}));
	DO(mkdir("sub", 0755));
	watch("sub", IN_ALL_EVENTS);
	DO(mknod("fifo", S_IFIFO | 0644, 0));
	DO(fd = open("fifo", O_RDWR); write(fd, "abc", 3); read(fd, buf, 3); close(fd));
	watch("fifo", IN_ALL_EVENTS);
	DO(fd = open("fifo", O_RDWR); write(fd, "abc", 3); read(fd, buf, 3); fchmod(fd, 0666); close(fd));
	DO(rename("f", "sub/f"));
	DO(rename("sub/f", "sub/f2"));
	DO(rename("sub/f2", "l")); // the same file: nothing happens
	DO(rename("sub/f2", "g"));
	watch("l", IN_ALL_EVENTS);
	DO(rename("g", "h"));
	DO(chmod("h", 0644));
	DO(fd = open("sub", O_RDONLY | O_DIRECTORY));
	DO(syscall(SYS_getdents64, fd, (char[1024]){ 0 }, 1024));
	DO(syscall(SYS_getdents64, fd, (char[1024]){ 0 }, 1024));
	DO(close(fd));
	DO(chmod("sub", 0700));
	DO(rename("sub", "sub2"));
	DO(mkdir("sub3", 0755));
	DO(rename("sub2", "sub3"));
	DO(syscall(SYS_renameat2, AT_FDCWD, "sub3", AT_FDCWD, "s", 2));
	DO(syscall(SYS_renameat2, AT_FDCWD, "h", AT_FDCWD, "fifo", 1));
	DO(rmdir("s"));
	DO(unlink("l"));
	DO(fd = open("h", O_RDWR));
	DO(unlink("h"));
	DO(write(fd, "x", 1));
	DO(fchmod(fd, 0));
	DO(close(fd));
	// A file that replaces another, which is open.
	DO(close(open("a", O_CREAT | O_WRONLY, 0644)); close(open("b", O_CREAT | O_WRONLY, 0644)));
	watch("a", IN_ALL_EVENTS);
	watch("b", IN_ALL_EVENTS);
	DO(fd = open("b", O_RDONLY));
	DO(rename("a", "b"));
	DO(close(fd));
	// Links: the last name ends the watch.
	DO(link("b", "b2"));
	DO(unlink("b"));
	DO(fd = open("b2", O_RDONLY); link("b2", "b3"); unlink("b2"));
	DO(unlink("b3"));
	DO(close(fd));
	// A directory somebody stands in.
	MUST(mkdir("cwd", 0755));
	watch("cwd", IN_ALL_EVENTS);
	MUST(chdir("cwd"));
	events("before");
	DO(rmdir("../cwd"));
	DO(chdir(".."));
	DO(rmdir("sub3"));
	DO(fd = open(".", O_TMPFILE | O_RDWR, 0600); close(fd));
	DO(fd = open("trunc", O_CREAT | O_TRUNC | O_WRONLY, 0644); close(fd));
	DO(open("trunc", O_CREAT | O_EXCL | O_WRONLY, 0644); open("nothing", O_RDONLY));
	DO(mkdir("trunc", 0755); link("trunc", "trunc"); rename("nothing", "x"));
	// execution
	MUST(chmod("trunc", 0755));
	fd = MUST(open("trunc", O_WRONLY));
	write(fd, "#!/nonexistent/x\n", 17);
	close(fd);
	events("before");
	inotify_add_watch(in, ".", IN_OPEN);
	DO(execl("./trunc", "trunc", NULL));
	return 0;
}
