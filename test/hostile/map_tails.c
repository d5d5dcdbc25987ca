// SPDX-License-Identifier: Apache-2.0
//
// mremap, offsets and truncation must not show bytes behind a file

#include "h.h"

static sigjmp_buf jb;
static void bad(int s, siginfo_t *si, void *u) { siglongjmp(jb, 1); }

// look searches readable bytes of [p, p+n) for foreign text.
static void look(const char *what, char *p, size_t n, size_t own)
{
	for (volatile size_t i = 0; i < n; i += 512) {
		if (sigsetjmp(jb, 1)) {
			i |= 4095; // this page faults: next one
			i -= 511;
			continue;
		}
		if (i < own)
			continue;
		for (size_t k = i; k < i + 512 && k + 10 < n; k++)
			if (!memcmp(p + k, "SECRETDATA", 10)) {
				ESCAPED("%s shows another file's bytes at %zu", what, k);
				return;
			}
	}
}

static void secrets(int n)
{
	char b[4096], name[40];
	for (int k = 0; k < 4096; k += 16)
		memcpy(b + k, "SECRETDATA......", 16);
	for (int i = 0; i < n; i++) {
		sprintf(name, "s%d", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0);
		for (int k = 0; k < 8; k++)
			write(fd, b, 4096);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	start(argc, argv);
	on(SIGBUS, bad, SA_NODEFER);
	on(SIGSEGV, bad, SA_NODEFER);
	secrets(20);
	put("small", "0123456789");
	secrets(40);
	int fd = open("small", O_RDWR);
	size_t big = 4 << 20;
	int prots[] = { PROT_READ, PROT_READ | PROT_WRITE }, flags[] = { MAP_PRIVATE, MAP_SHARED };
	for (int i = 0; i < 4; i++) {
		int prot = prots[i & 1], fl = flags[i >> 1];
		char *p = mmap(0, 4096, prot, fl, fd, 0);
		char *q = mremap(p, 4096, big, MREMAP_MAYMOVE);
		if (q != MAP_FAILED)
			look("grown mapping", q, big, 10);
		p = mmap(0, 4096, prot, fl, fd, 0);
		q = mremap(p, 0, big, MREMAP_MAYMOVE);
		if (q != MAP_FAILED)
			look("duplicated mapping", q, big, 10);
		p = mmap(0, big, prot, fl, fd, 0);
		if (p != MAP_FAILED)
			look("long mapping", p, big, 10);
		p = mmap(0, 65536, prot, fl, fd, 1 << 16);
		if (p != MAP_FAILED)
			look("mapping behind the end", p, 65536, 0);
		p = mmap(0, 65536, prot, fl, fd, 0);
		if (p != MAP_FAILED && syscall(SYS_remap_file_pages, p, 4096, 0, 8, 0) == 0)
			look("remap_file_pages", p, 65536, 10);
		p = mmap(0, 4096, prot, fl, fd, 0x7ffffffffffff000L);
		if (p != MAP_FAILED)
			look("offset near the top", p, 4096, 0);
	}
	// pages of a truncated or deleted file must not come back as another's
	for (int r = 0; r < 5; r++) {
		int t = open("trunc", O_RDWR | O_CREAT | O_TRUNC, 0600);
		ftruncate(t, 64 * 4096);
		char *p = mmap(0, 64 * 4096, PROT_READ | PROT_WRITE, r & 1 ? MAP_SHARED : MAP_PRIVATE, t, 0);
		for (int i = 0; i < 64; i += 2 + (r & 1))
			p[i * 4096] = 'x';
		ftruncate(t, 4096);
		if (r > 2) {
			close(t);
			unlink("trunc");
		}
		secrets(60);
		look("mapping of a truncated file", p, 64 * 4096, 0);
		if (r <= 2) {
			ftruncate(t, 64 * 4096);
			look("file made longer again", p, 64 * 4096, 0);
			close(t);
		}
	}
	// punched holes
	int h = open("hole", O_RDWR | O_CREAT, 0600);
	ftruncate(h, 16 * 4096);
	char *p = mmap(0, 16 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);
	memset(p, 'h', 16 * 4096);
	if (fallocate(h, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * 4096) == 0) {
		secrets(60);
		look("punched hole", p, 16 * 4096, 0);
	}
	// a private read-only mapping of a host file must not become writable to it
	int self = open("/proc/self/exe", O_RDONLY);
	p = mmap(0, 4096, PROT_READ, MAP_SHARED, self, 0);
	if (p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0)
		ESCAPED("shared mapping of a read-only descriptor became writable");
	return finish();
}
