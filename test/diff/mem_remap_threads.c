// SPDX-License-Identifier: Apache-2.0
//
// mremap that grows memory in a process with several threads

#include "t.h"

#define P 4096L
#define RW (PROT_READ | PROT_WRITE)

static char *re(void *p, size_t o, size_t n, int f, void *to)
{
	char *r = mremap(p, o * P, n * P, f, to);
	return r == MAP_FAILED ? (char *)-1L : r;
}

// area gives n pages with nothing behind them for as many again.
static char *area(int n)
{
	char *a = mmap(0, 3 * n * P, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(a + n * P, 2 * n * P);
	for (int i = 0; i < n; i++)
		a[i * P] = i + 1;
	return a;
}

static int kept(char *a, int n)
{
	int ok = 0;
	for (int i = 0; i < n; i++)
		ok += a[i * P] == i + 1;
	return ok;
}

static int fresh(char *a, int n)
{
	int ok = 0;
	for (int i = 0; i < n * P; i += 512)
		ok += a[i] == 0;
	return ok == n * 8;
}

static void grow(void)
{
	char *a = area(8), *b;
	SHOW(re(a, 8, 12, 0, 0) == a);
	say("kept %d fresh %d", kept(a, 8), fresh(a + 8 * P, 4));
	a[11 * P] = 12;
	SHOW(re(a, 12, 16, MREMAP_MAYMOVE, 0) == a);
	say("kept %d fresh %d last %d", kept(a, 8), fresh(a + 12 * P, 4), a[11 * P]);
	// something lies behind it
	mmap(a + 16 * P, P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	OK(re(a, 16, 17, 0, 0));
	b = re(a, 16, 32, MREMAP_MAYMOVE, 0);
	say("moved %d kept %d fresh %d", b != a && b != (char *)-1L, kept(b, 8), fresh(b + 16 * P, 16));
	OK(msync(a, P, MS_ASYNC)); // the old place is gone
	// what has grown before grows again, shrinks and grows
	b[20 * P] = 21;
	b = re(b, 32, 64, MREMAP_MAYMOVE, 0);
	say("kept %d page 20 %d fresh %d", kept(b, 8), b[20 * P], fresh(b + 32 * P, 32));
	SHOW(re(b, 64, 24, 0, 0) == b);
	b = re(b, 24, 100, MREMAP_MAYMOVE, 0);
	say("kept %d page 20 %d fresh %d", kept(b, 8), b[20 * P], fresh(b + 24 * P, 76));
	// to a place that is named
	char *room = mmap(0, 256 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(re(b, 100, 120, MREMAP_MAYMOVE | MREMAP_FIXED, room + 16 * P) == room + 16 * P);
	b = room + 16 * P;
	say("kept %d page 20 %d fresh %d", kept(b, 8), b[20 * P], fresh(b + 100 * P, 20));
	OK(re(b, 120, 121, MREMAP_MAYMOVE | MREMAP_FIXED, b + P));
	OK(re(b, 120, 121, MREMAP_MAYMOVE | MREMAP_FIXED, room + 1));
	OK(re(b, 120, 121, MREMAP_FIXED, room));
	OK(re(b, 0, 121, MREMAP_MAYMOVE, 0));
	OK(re(b, 121, 122, MREMAP_MAYMOVE, 0) == (char *)-1L ? -1 : 0); // a PROT_NONE page is behind
	// a protection goes with it
	mprotect(b, 120 * P, PROT_READ);
	b = re(b, 120, 140, MREMAP_MAYMOVE, 0);
	int fd[2];
	pipe(fd);
	OK(read(fd[0], (write(fd[1], "x", 1), b + 130 * P), 1));
	mprotect(b, 140 * P, RW);
	write(fd[1], "x", 1);
	OK(read(fd[0], b + 130 * P, 1));
	say("kept %d", kept(b, 8));
	// a child has its own
	pid_t k = CHILD(char *c = re(b, 140, 300, MREMAP_MAYMOVE, 0); c[7 * P] = 1; say("child: kept %d fresh %d", kept(c, 8), fresh(c + 140 * P, 160)));
	reap(k);
	say("kept %d", kept(b, 8));
	munmap(b, 140 * P);
	OK(munmap(room, 256 * P));
	// shared memory and files
	int file = open("f", O_RDWR | O_CREAT, 0644);
	ftruncate(file, 8 * P);
	pwrite(file, "eighth", 6, 7 * P);
	char *s = mmap(0, P, RW, MAP_SHARED, file, 0);
	s = re(s, 1, 8, MREMAP_MAYMOVE, 0);
	say("%.6s", s + 7 * P);
	s[7 * P] = 'E';
	char c;
	pread(file, &c, 1, 7 * P);
	say("%c", c);
}

static atomic_int done;

static void *idle(void *p)
{
	while (!done)
		sched_yield();
	return p;
}

static void *reallocs(void *p)
{
	size_t n = 200000 + (long)p;
	unsigned char *b = malloc(n);
	memset(b, (long)p, n);
	for (int i = 0; i < 60; i++) {
		size_t more = n + n / 8 + 5000;
		b = realloc(b, more);
		for (size_t k = 0; k < n; k += 997)
			if (b[k] != (unsigned char)(long)p)
				return "lost";
		if (b[n - 1] != (unsigned char)(long)p)
			return "lost the end";
		memset(b + n, (long)p, more - n);
		n = more;
		if (n > 40000000) {
			n = 200000;
			b = realloc(b, n);
		}
	}
	free(b);
	return "kept all";
}

int main(void)
{
	pthread_t t[4];
	pthread_create(&t[0], 0, idle, 0);
	grow();
	done = 1;
	pthread_join(t[0], 0);
	// alone again, with memory that grew before
	grow();
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], 0, reallocs, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		void *r;
		pthread_join(t[i], &r);
		say("%s", (char *)r);
	}
	return 0;
}
