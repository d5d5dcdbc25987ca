// SPDX-License-Identifier: Apache-2.0
//
// mappings of a file while it is truncated, punched, grown, written and unlinked

#include "../../diff/t.h"

#define P 4096L
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf env;
static void bus(int sig, siginfo_t *i, void *u) { siglongjmp(env, sig); }

// peek gives a byte, or -signal.
static int peek(volatile char *p)
{
	int s = sigsetjmp(env, 1);
	return s ? -s : (unsigned char)*p;
}

static int poke(volatile char *p, int c)
{
	int s = sigsetjmp(env, 1);
	if (s)
		return -s;
	*p = c;
	return 0;
}

// look shows the first and the last byte of n pages.
static void look(const char *what, char *p, int n)
{
	char b[512];
	int at = 0;
	for (int i = 0; i < n; i++) {
		int a = peek(p + i * P), z = peek(p + i * P + P - 1);
		if (a == -SIGBUS)
			at += sprintf(b + at, " BUS");
		else
			at += sprintf(b + at, " %c%c", a > 0 ? a : '0', z > 0 ? z : '0');
	}
	say("%s:%s", what, at ? b : "");
}

static char *map(int fd, int pages, int prot, int flags, int first)
{
	char *p = mmap(0, pages * P, prot, flags, fd, first * P);
	return p == MAP_FAILED ? (char *)-1L : p;
}

// make makes a file of n pages: 'a', 'b', ...
static int make(const char *name, int n)
{
	char b[P];
	int fd = MUST(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (int i = 0; i < n; i++) {
		memset(b, 'a' + i, P);
		MUST(pwrite(fd, b, P, i * P));
	}
	return fd;
}

struct maps { int fd, ro; char *w, *r, *p, *q; };

static struct maps all(const char *name, int n)
{
	struct maps m;
	m.fd = make(name, n);
	m.ro = MUST(open(name, O_RDONLY));
	m.r = map(m.ro, n, PROT_READ, MAP_SHARED, 0);
	m.w = map(m.fd, n, RW, MAP_SHARED, 0);
	m.p = map(m.ro, n, RW, MAP_PRIVATE, 0);
	m.q = map(m.ro, n, RW, MAP_PRIVATE, 0);
	for (int i = 0; i < n; i += 2)
		m.p[i * P] = 'P';
	m.q[0] = 'Q'; // and made read-only, as the dynamic linker does
	m.q[(n - 1) * P] = 'Q';
	MUST(mprotect(m.q, n * P, PROT_READ));
	return m;
}

static void show(const char *what, struct maps *m, int n)
{
	say("-- %s", what);
	look("store", m->w, n);
	look("read", m->r, n);
	look("private", m->p, n);
	look("sealed", m->q, n);
	char b[P];
	for (int i = 0; i < n; i++) {
		ssize_t k = pread(m->ro, b, P, i * P);
		if (k > 0)
			say("file %d: %ld %c%c", i, (long)k, b[0] ? b[0] : '0', b[k - 1] ? b[k - 1] : '0');
	}
}

static void drop(struct maps *m, int n)
{
	munmap(m->w, n * P);
	munmap(m->r, n * P);
	munmap(m->p, n * P);
	munmap(m->q, n * P);
	close(m->fd);
	close(m->ro);
}

static void truncation(void)
{
	struct maps m = all("trunc", 6);
	show("whole", &m, 6);
	OK(ftruncate(m.fd, P + P / 2));
	show("short", &m, 6);
	SHOW(m.r[P + P / 2 - 1]);
	SHOW(m.r[P + P / 2]);
	SHOW(poke(m.w + P, 'x'));
	SHOW(poke(m.w + 3 * P, 'y'));
	OK(ftruncate(m.fd, 4 * P));
	show("longer", &m, 6);
	SHOW(poke(m.w + 3 * P, 'y'));
	pwrite(m.fd, "Z", 1, 2 * P);
	show("written", &m, 6);
	OK(ftruncate(m.fd, 0));
	show("empty", &m, 6);
	OK(ftruncate(m.fd, 6 * P));
	show("holes", &m, 6);
	drop(&m, 6);
	SHOW(unlink("trunc"));
}

static void truncateByOpen(void)
{
	struct maps m = all("otrunc", 3);
	int fd = OK(open("otrunc", O_WRONLY | O_TRUNC)) < 0 ? -1 : 0;
	show("O_TRUNC", &m, 3);
	put("otrunc", "new");
	show("new", &m, 3);
	OK(truncate("otrunc", 1));
	show("path", &m, 3);
	drop(&m, 3);
	unlink("otrunc");
}

static void punching(void)
{
	struct maps m = all("punch", 6);
	OK(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, P, 2 * P));
	show("punched", &m, 6);
	OK(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * P + 100, 200));
	SHOW(m.r[4 * P + 99]);
	SHOW(m.r[4 * P + 100]);
	SHOW(m.r[4 * P + 300]);
	m.w[P] = 'n';
	m.w[2 * P + P - 1] = 'm';
	show("stored into holes", &m, 6);
	OK(msync(m.w, 6 * P, MS_SYNC));
	OK(fsync(m.fd));
	show("synced", &m, 6);
	drop(&m, 6);
	int fd = open("punch", O_RDONLY);
	char b[6 * P];
	SHOW(read(fd, b, sizeof b));
	say("after: %c%c %c %c", b[0], b[P], b[2 * P] ? b[2 * P] : '0', b[3 * P - 1]);
	close(fd);
	unlink("punch");
}

static void unlinking(void)
{
	struct maps m = all("gone", 4);
	close(m.fd);
	close(m.ro);
	SHOW(unlink("gone"));
	for (int i = 0; i < 40; i++) {
		char name[32], b[4 * P];
		sprintf(name, "fill%d", i);
		memset(b, '#', sizeof b);
		int fd = open(name, O_WRONLY | O_CREAT, 0600);
		write(fd, b, sizeof b);
		close(fd);
	}
	sync();
	look("unlinked", m.r, 4);
	look("unlinked", m.p, 4);
	m.w[0] = 'u';
	look("stored", m.r, 4);
	for (int i = 0; i < 40; i++) {
		char name[32];
		sprintf(name, "fill%d", i);
		unlink(name);
	}
	m.fd = m.ro = -1;
	drop(&m, 4);
}

static void writes(void)
{
	struct maps m = all("write", 4);
	SHOW(pwrite(m.fd, "W", 1, 0));
	SHOW(pwrite(m.fd, "W", 1, P));
	show("written", &m, 4);
	m.w[2 * P] = 'S';
	show("stored", &m, 4);
	SHOW(pwrite(m.fd, "tail", 4, 4 * P));
	SHOW(pwrite(m.fd, "tail", 4, 5 * P + 10));
	show("appended", &m, 4);
	drop(&m, 4);
	struct stat st;
	stat("write", &st);
	SHOW(st.st_size);
	unlink("write");
}

static void protection(void)
{
	int fd = make("prot", 2), ro = open("prot", O_RDONLY);
	char *r = map(ro, 2, PROT_READ, MAP_SHARED, 0), *n = map(ro, 2, PROT_NONE, MAP_SHARED, 0);
	char *w = map(fd, 2, PROT_READ, MAP_SHARED, 0);
	OK(mprotect(r, P, RW));
	OK(mprotect(n, P, RW));
	OK(mprotect(w, P, RW));
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, P, P));
	OK(mprotect(r, P, RW));
	OK(mprotect(n, P, RW));
	OK(mprotect(w + P, P, RW));
	w[0] = '1';
	w[P] = '2';
	look("w", w, 2);
	look("r", r, 2);
	OK(mprotect(n, 2 * P, PROT_READ));
	look("n", n, 2);
	int s = open("prot", O_WRONLY);
	OK(map(s, 1, PROT_READ, MAP_SHARED, 0));
	OK(map(ro, 1, RW, MAP_SHARED, 0));
	OK(map(ro, 1, RW, MAP_PRIVATE, 0) == (char *)-1 ? -1 : 0);
	unlink("prot");
}

static void growing(void)
{
	int fd = make("grow", 6), other = make("behind", 6);
	char *s = map(fd, 2, RW, MAP_SHARED, 1);
	SHOW((s = mremap(s, 2 * P, 4 * P, MREMAP_MAYMOVE)) != MAP_FAILED);
	look("shared grown", s, 4);
	s[3 * P] = 'G';
	char b;
	pread(fd, &b, 1, 4 * P);
	say("file %c", b);
	SHOW((s = mremap(s, 4 * P, 8 * P, MREMAP_MAYMOVE)) != MAP_FAILED);
	look("beyond the end", s, 8);
	char *p = map(fd, 2, RW, MAP_PRIVATE, 0);
	p[P] = 'D';
	// nothing must be free behind it
	char *block = mmap(p + 2 * P, P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	OK(mremap(p, 2 * P, 3 * P, 0));
	SHOW((p = mremap(p, 2 * P, 6 * P, MREMAP_MAYMOVE)) != MAP_FAILED);
	look("private grown", p, 6);
	p[5 * P] = 'E';
	look("private stored", p, 6);
	char *to = mmap(0, 8 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(mremap(p, 6 * P, 7 * P, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	look("private fixed", to, 7);
	char *d = mremap(s, 0, 3 * P, MREMAP_MAYMOVE);
	SHOW(d != MAP_FAILED);
	if (d != MAP_FAILED)
		look("duplicate", d, 3);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * P, P));
	look("private punched", to, 7);
	look("shared punched", s, 8);
	SHOW((s = mremap(s, 8 * P, 9 * P, MREMAP_MAYMOVE)) != MAP_FAILED);
	look("grown again", s, 9);
	SHOW((s = mremap(s, 9 * P, 2 * P, 0)) != MAP_FAILED);
	look("shrunk", s, 2);
	close(other);
	unlink("grow");
	unlink("behind");
}

// Processes that map a file and do nothing, in all the ways of doing nothing.
static void sleepers(void)
{
	struct maps m = all("sleep", 5);
	int go[2], back[2], wait[2];
	pipe(go);
	pipe(back);
	pipe(wait);
	_Atomic int *word = mmap(0, P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int kind = 0; kind < 6; kind++) {
		pid_t c = CHILD({
			char b;
			struct timespec t = { 0, 50000000 };
			switch (kind) {
			case 0: read(go[0], &b, 1); break;
			case 1: syscall(SYS_futex, word, FUTEX_WAIT, 0, 0, 0, 0); read(go[0], &b, 1); break;
			case 2: while (!*word) ; read(go[0], &b, 1); break;
			case 3: while (!*word) nanosleep(&t, 0); read(go[0], &b, 1); break;
			case 4: { pid_t v = vfork(); if (v == 0) { read(go[0], &b, 1); _exit(0); } wait_quiet(v); break; }
			case 5: { t.tv_sec = 100; syscall(SYS_futex, word, FUTEX_WAIT, 0, &t, 0, 0); read(go[0], &b, 1); break; }
			}
			char name[16];
			sprintf(name, "kind %d", kind);
			look(name, m.r, 5);
			look(name, m.p, 5);
			look(name, m.q, 5);
		});
		nap(30);
		if (kind % 2)
			ftruncate(m.fd, 3 * P);
		else
			fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, P, P);
		*word = 1;
		syscall(SYS_futex, word, FUTEX_WAKE, 100, 0, 0, 0);
		write(go[1], "x", 1);
		reap(c);
		*word = 0;
		drop(&m, 5);
		unlink("sleep");
		m = all("sleep", 5);
	}
	drop(&m, 5);
	unlink("sleep");
}

// A futex in a mapping of the file, whose page moves while somebody waits.
static void futexes(void)
{
	for (int kind = 0; kind < 3; kind++) {
		struct maps m = all("futex", 5);
		_Atomic int *w = (void *)(m.w + 2 * P);
		*w = 7;
		pid_t c[3];
		for (int i = 0; i < 3; i++)
			c[i] = CHILD({
				struct timespec t = { 50, 0 };
				int *mine = mmap(0, P, RW, MAP_SHARED, m.fd, 2 * P);
				_exit(syscall(SYS_futex, i == 1 ? mine : (int *)w, FUTEX_WAIT, 7, i == 2 ? &t : 0, 0, 0) ? errno : 0);
			});
		nap(100);
		switch (kind) {
		case 0: ftruncate(m.fd, 4 * P); break;
		case 1: fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, P); break;
		case 2: pwrite(m.fd, "x", 1, 0); break;
		}
		nap(50);
		int n = 0;
		for (int i = 0; i < 200 && n < 3; i++) {
			n += syscall(SYS_futex, w, FUTEX_WAKE, 10, 0, 0, 0);
			if (n < 3)
				nap(10);
		}
		SHOW(n);
		for (int i = 0; i < 3; i++)
			reap(c[i]);
		drop(&m, 5);
		unlink("futex");
	}
}

static char *hw, *hr;
static _Atomic int stop;
static _Atomic long bad;

static void *hammer(void *a)
{
	long i = (long)a, n = 0;
	_Atomic long *mine = (void *)(hw + i * 64);
	while (!stop) {
		long v = atomic_fetch_add(mine, 1);
		if (v != n)
			bad++;
		n++;
		if (hr[P] != 'b' || hr[2 * P - 1] != 'b')
			bad++;
	}
	return (void *)n;
}

static void threads(void)
{
	int fd = make("hammer", 8);
	hw = map(fd, 8, RW, MAP_SHARED, 0);
	hr = map(fd, 8, PROT_READ, MAP_SHARED, 0);
	for (int round = 0; round < 3; round++) {
		memset(hw, 0, P);
		stop = 0;
		pthread_t th[4];
		for (long i = 0; i < 4; i++)
			pthread_create(&th[i], 0, hammer, (void *)i);
		pid_t c = CHILD({
			int own = open("hammer", O_RDWR);
			for (int i = 0; i < 60; i++) {
				ftruncate(own, (3 + i % 5) * P);
				pwrite(own, "x", 1, 7 * P);
				fallocate(own, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * P, P);
			}
		});
		reap(c);
		stop = 1;
		int same = 1;
		for (long i = 0; i < 4; i++) {
			void *n;
			pthread_join(th[i], &n);
			_Atomic long *mine = (void *)(hw + i * 64);
			same &= *mine == (long)n;
		}
		SHOW(same);
		SHOW(bad);
		munmap(hw, 8 * P);
		munmap(hr, 8 * P);
		close(fd);
		fd = make("hammer", 8);
		hw = map(fd, 8, RW, MAP_SHARED, 0);
		hr = map(fd, 8, PROT_READ, MAP_SHARED, 0);
	}
	unlink("hammer");
}

// Clones and execs while the file that they map changes.
static void births(void)
{
	for (int round = 0; round < 10; round++) {
		int fd = make("birth", 6);
		char *r = map(fd, 6, PROT_READ, MAP_SHARED, 0);
		pid_t c[3];
		for (int i = 0; i < 3; i++)
			c[i] = CHILD({
				for (int k = 0; k < 8; k++) {
					pid_t v = k % 3 == 2 ? vfork() : fork();
					if (v == 0) {
						if (r[0] != 'a')
							_exit(1);
						if (k % 3 == 1)
							execl("/proc/self/exe", "maps", "true", (char *)0);
						_exit(0);
					}
					int st = wait_quiet(v);
					if (st)
						_exit(2);
				}
			});
		for (int i = 0; i < 6; i++) {
			ftruncate(fd, 3 * P);
			ftruncate(fd, 6 * P);
		}
		int good = 1;
		for (int i = 0; i < 3; i++)
			good &= wait_quiet(c[i]) == 0;
		SHOW(good);
		munmap(r, 6 * P);
		close(fd);
		unlink("birth");
	}
}

// A file that was there before: on a copy-on-write disk its blocks lie in the base.
static void based(const char *name, int kind)
{
	int ro = open(name, O_RDONLY);
	if (ro < 0) { // nobody has prepared it
		close(make(name, 6));
		ro = MUST(open(name, O_RDONLY));
	}
	struct maps m = { .ro = ro };
	m.r = map(ro, 6, PROT_READ, MAP_SHARED, 0);
	m.p = map(ro, 6, RW, MAP_PRIVATE, 0);
	m.q = map(ro, 6, RW, MAP_PRIVATE, 0);
	m.w = m.r;
	m.p[P] = 'P';
	m.q[0] = 'Q';
	MUST(mprotect(m.q, 6 * P, PROT_READ));
	show(name, &m, 6);
	pid_t c = CHILD({
		while (m.r[2 * P] == 'c')
			nap(1);
		show("seen", &m, 6);
	});
	m.fd = MUST(open(name, O_RDWR));
	if (kind == 1) {
		m.w = map(m.fd, 6, RW, MAP_SHARED, 0);
		m.w[3 * P] = 'S';
		show("stored", &m, 6);
	}
	if (kind == 2)
		OK(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, P, P));
	if (kind == 3)
		OK(ftruncate(m.fd, 4 * P));
	int n = pwrite(m.fd, "WW", 2, 2 * P);
	reap(c);
	SHOW(n);
	show("written", &m, 6);
	OK(ftruncate(m.fd, 7 * P));
	show("longer", &m, 6);
	drop(&m, 6);
}

// A large file that was there before is written here and there: on a copy-on-write disk
// its parts move one by one, below processes that look at all of it.
static void parts(void)
{
	enum { N = 48 };
	char b[P], old[N];
	int ro = MUST(open("parts", O_RDONLY));
	struct maps m = { .ro = ro };
	m.r = m.w = map(ro, N + 1, PROT_READ, MAP_SHARED, 0);
	m.p = map(ro, N + 1, RW, MAP_PRIVATE, 0);
	m.q = map(ro, N + 1, RW, MAP_PRIVATE, 0);
	for (int i = 0; i < N; i += 7)
		m.p[i * P] = 'P';
	m.q[21 * P] = 'Q';
	MUST(mprotect(m.q, (N + 1) * P, PROT_READ));
	for (int i = 0; i < N; i++)
		old[i] = m.r[i * P + 1];
	_Atomic int *end = mmap(0, P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t c[3];
	for (int k = 0; k < 3; k++)
		c[k] = CHILD({
			char *l = k == 2 ? map(ro, N - 5, PROT_READ, MAP_PRIVATE, 5) - 5 * P : k ? m.p : m.r;
			end[1]++;
			while (!*end)
				for (int i = 5; i < N; i++)
					if (l[i * P + 1] != old[i] && l[i * P + 1] != 'w')
						_exit(1);
		});
	while (end[1] < 3)
		nap(1);
	m.fd = MUST(open("parts", O_RDWR | O_APPEND));
	int w = MUST(open("parts", O_WRONLY));
	memset(b, 'w', P);
	pwrite(w, b, P, 20 * P + 100); // two pages
	pwrite(w, b, 10, 47 * P);
	SHOW(write(m.fd, b, P));
	char *s = map(m.fd, 3, RW, MAP_SHARED, 33);
	s[1] = 'w';
	pwrite(w, b, 2, 6 * P);
	SHOW(copy_file_range(ro, &(loff_t){ 20 * P + 200 }, w, &(loff_t){ 40 * P }, 300, 0));
	nap(10);
	*end = 1;
	for (int k = 0; k < 3; k++)
		reap(c[k]);
	show("written here and there", &m, N + 1);
	OK(msync(s, 3 * P, MS_SYNC));
	OK(fallocate(w, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * P, 12 * P));
	OK(ftruncate(w, 44 * P + 1));
	show("cut here and there", &m, N + 1);
	munmap(s, 3 * P);
	munmap(end, P);
	close(w);
	drop(&m, N + 1);
}

// A file in many pieces, which has others between them.
static void pieces(void)
{
	char b[P], name[32];
	int fd[3];
	for (int k = 0; k < 3; k++) {
		sprintf(name, "piece%d", k);
		fd[k] = MUST(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	}
	for (int i = 0; i < 40; i++)
		for (int k = 0; k < 3; k++) {
			memset(b, k == 0 ? 'A' + i % 26 : '!', P);
			MUST(pwrite(fd[k], b, P, i * P));
			fsync(fd[k]);
		}
	char *s = map(fd[0], 40, RW, MAP_SHARED, 0), *p = map(fd[0], 38, RW, MAP_PRIVATE, 1);
	look("shared", s, 40);
	look("private", p, 38);
	for (int i = 0; i < 38; i += 5)
		p[i * P] = '-';
	s[17 * P] = '+';
	SHOW((s = mremap(s, 40 * P, 41 * P, MREMAP_MAYMOVE)) != MAP_FAILED);
	look("grown", s, 41);
	char *f = mmap(0, 40 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(mmap(f, 30 * P, PROT_READ, MAP_SHARED | MAP_FIXED, fd[0], 5 * P) == f);
	look("fixed", f, 30);
	OK(fallocate(fd[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * P, 20 * P));
	look("shared", s, 41);
	look("private", p, 38);
	look("fixed", f, 30);
	for (int k = 0; k < 3; k++) {
		sprintf(name, "piece%d", k);
		unlink(name);
	}
}

// Whoever maps a file sees nothing but what was ever in it, whatever happens to its
// blocks: the others write '#' only.
static void reuse(void)
{
	_Atomic int *end = mmap(0, P, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < 8; round++) {
		*end = 0;
		close(make("mine", 16));
		pid_t c[4];
		for (int i = 0; i < 4; i++)
			c[i] = CHILD({
				int fd = open("mine", i % 2 ? O_RDWR : O_RDONLY);
				char *r = map(fd, 16, PROT_READ, i < 2 ? MAP_SHARED : MAP_PRIVATE, 0);
				peek(r);
				end[1]++;
				while (!*end)
					for (int k = 0; k < 16; k++)
						for (int o = 0; o < P; o += 512)
							if (peek(r + k * P + o) == '#') {
								say("a stranger's byte in page %d", k);
								_exit(1);
							}
			});
		while (end[1] < 4)
			nap(1);
		end[1] = 0;
		int fd = open("mine", O_RDWR);
		switch (round % 4) {
		case 0: ftruncate(fd, P); break;
		case 1: fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, P, 14 * P); break;
		case 2: unlink("mine"); break;
		case 3: close(open("mine", O_WRONLY | O_TRUNC)); break;
		}
		close(fd);
		char b[16 * P];
		memset(b, '#', sizeof b);
		for (int i = 0; i < 60; i++) {
			char name[32];
			sprintf(name, "theirs%d", i);
			int o = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
			write(o, b, sizeof b);
			close(o);
		}
		if (round >= 4) // some die with what they map
			for (int i = 0; i < 2; i++)
				kill(c[i], SIGKILL);
		if (round == 6)
			unlink("mine");
		nap(10);
		*end = 1;
		for (int i = 0; i < 4; i++)
			reap(c[i]);
		unlink("mine");
		for (int i = 0; i < 60; i++) {
			char name[32];
			sprintf(name, "theirs%d", i);
			unlink(name);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "true"))
		return 0;
	on(SIGBUS, bus, SA_NODEFER);
	if (argc > 1) { // one part alone, for whoever looks for a bug
		if (!strcmp(argv[1], "births"))
			births();
		if (!strcmp(argv[1], "threads"))
			threads();
		if (!strcmp(argv[1], "reuse"))
			reuse();
		if (!strcmp(argv[1], "parts"))
			parts();
		return 0;
	}
	truncation();
	truncateByOpen();
	punching();
	unlinking();
	writes();
	protection();
	growing();
	sleepers();
	futexes();
	threads();
	births();
	for (int i = 0; i < 6; i++) {
		char name[16];
		sprintf(name, "base%d", i);
		based(name, i < 3 ? 0 : i - 2);
	}
	parts();
	pieces();
	reuse();
	return 0;
}
