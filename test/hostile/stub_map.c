// SPDX-License-Identifier: Apache-2.0
//
// unmap, protect, replace and move the stub's memory, then go on as if nothing were

#include "h.h"

static void bad(int s, siginfo_t *si, void *u) { _exit(0); }

// after does what a damaged process would: calls of every route.
static void after(void)
{
	on(SIGUSR1, bad, 0);
	getpid();
	sigset_t s = set1(SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, 0);
	int fd = open(canary, O_RDWR);
	if (is_canary(fd))
		ESCAPED("canary opened");
	pid_t p = fork();
	if (p == 0)
		_exit(0);
	if (p > 0)
		waitpid(p, 0, 0);
	kill(getpid(), SIGUSR1);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	unsigned long len[] = { 4096, 8192, STUB_LEN, 1UL << 30 };
	for (unsigned long off = 0; off < STUB_LEN; off += 4096)
		for (int k = 0; k < 4; k++) {
			void *p = (void *)(STUB + off);
			size_t n = len[k];
			if (k > 1 && off)
				continue;
			ATTEMPT("munmap", 300, munmap(p, n); after());
			ATTEMPT("mprotect none", 300, mprotect(p, n, PROT_NONE); after());
			ATTEMPT("mprotect rwx", 300, if (mprotect(p, n, 7) == 0 && n <= STUB_LEN) memset(p, 0x90, n); after());
			ATTEMPT("mprotect growsdown", 300, mprotect(p, n, PROT_READ | PROT_WRITE | PROT_GROWSDOWN); after());
			ATTEMPT("map over", 300,
				// our own syscall instruction at the stub's trusted address
				unsigned char *q = mmap(p, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
				if (q == p) {
					memset(q, 0x90, 4096); memcpy(q + 4000, "\x0f\x05\xc3", 3);
					long r;
					asm volatile("call *%%rbx" : "=a"(r) : "a"(SYS_open), "b"(q + 4000), "D"(canary), "S"(O_RDWR | O_TRUNC), "d"(0666) : "rcx", "r11", "memory");
					if (r >= 0) ESCAPED("open from a page mapped over the stub: %ld", r);
				}
				after());
			ATTEMPT("file over", 300, int f = open("/proc/self/exe", O_RDONLY); mmap(p, n, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, f, 0); after());
			ATTEMPT("shared over", 300, mmap(p, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); after());
			ATTEMPT("mremap away", 300, mremap(p, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x10000000); after());
			ATTEMPT("mremap shrink", 300, mremap(p, n, 4096, 0); after());
			ATTEMPT("mremap zero", 300, mremap(p, 0, n, MREMAP_MAYMOVE); after());
			ATTEMPT("mremap onto", 300, void *m = mmap(0, n, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); mremap(m, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, p); after());
			int adv[] = { MADV_DONTNEED, MADV_REMOVE, MADV_FREE, MADV_DONTFORK, MADV_WIPEONFORK, 25 /* COLLAPSE */, 100, 102 /* GUARD_INSTALL */, 24 };
			for (int i = 0; i < 9; i++)
				ATTEMPT("madvise", 300, madvise(p, n, adv[i]); after());
			ATTEMPT("brk into it", 300, syscall(SYS_brk, STUB + off); after());
			ATTEMPT("stack in it", 300, stack_t s = { .ss_sp = p, .ss_size = n }; sigaltstack(&s, 0); on(SIGUSR2, bad, SA_ONSTACK); raise(SIGUSR2); after());
			ATTEMPT("read into it", 300, int z = open("/dev/urandom", O_RDONLY); read(z, p, n > 65536 ? 65536 : n); after());
			ATTEMPT("execve from it", 300, syscall(SYS_execve, p, p, p); after());
		}
	return finish();
}
