// SPDX-License-Identifier: Apache-2.0
//
// every i386 number through int $0x80: the filter must look at the architecture first

#include "h.h"

static long int80(long nr, long a, long b, long c, long d)
{
	long r;
	asm volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

int main(int argc, char **argv)
{
	start(argc, argv);
	// arguments must lie below 4 GiB
	char *low = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED) {
		say("blocked (no memory below 4 GiB)");
		return 0;
	}
	strcpy(low, canary);
	for (int nr = 0; nr <= 500; nr++) {
		// Were the filter broken and we root, these would harm the host for good:
		// stime, settimeofday, clock_settime, sethostname, setdomainname, vhangup.
		if (nr == 25 || nr == 79 || nr == 264 || nr == 404 || nr == 74 || nr == 121 || nr == 111)
			continue;
		if (nr == 1 || nr == 252 || nr == 2 || nr == 120 || nr == 190) // exit and fork tell nothing by their result
			continue;
		ATTEMPT("int80", 300,
			signal(SIGSEGV, SIG_DFL);
			// open-like: (path, O_RDWR, 0666); harmless to anything but the canary
			long r = int80(nr, (long)low, O_RDWR, 0666, 0);
			if (is_canary(r)) ESCAPED("i386 call %d opened the canary", nr);
			else if (r >= 0) ESCAPED("i386 call %d(path) returned %ld", nr, r));
		ATTEMPT("int80", 300,
			// *at-like: (AT_FDCWD, path, O_RDWR, 0666)
			long r = int80(nr, AT_FDCWD, (long)low, O_RDWR, 0666);
			if (is_canary(r)) ESCAPED("i386 call %d opened the canary", nr);
			else if (r >= 0) ESCAPED("i386 call %d(AT_FDCWD, path) returned %ld", nr, r));
	}
	ATTEMPT("int80", 300, if (int80(37, host_pid, SIGKILL, 0, 0) == 0) ESCAPED("i386 kill reached the host process"));
	ATTEMPT("int80", 300, if (int80(2, 0, 0, 0, 0) >= 0) ESCAPED("i386 fork"));
	ATTEMPT("int80", 300, if (int80(190, 0, 0, 0, 0) >= 0) ESCAPED("i386 vfork"));
	ATTEMPT("int80", 300, if (int80(102, 1, (long)low, 0, 0) >= 0) ESCAPED("i386 socketcall"));
	// a 32-bit segment and sysenter from compatibility mode: a far jump to code
	// that does open(canary) by int $0x80 and writes the result to memory
	ATTEMPT("compat", 500,
		unsigned char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (code == MAP_FAILED) _exit(0);
		unsigned char text[64] = { 0xb8, 5, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0xb9, 2, 0, 0, 0, 0xcd, 0x80, 0xa3, 0, 0, 0, 0, 0xeb, 0xfe };
		unsigned p32 = (unsigned)(long)low; unsigned res = p32 + 8192;
		memcpy(text + 6, &p32, 4); memcpy(text + 18, &res, 4); memcpy(code, text, sizeof text);
		*(volatile int *)(long)res = -1;
		pid_t w = fork();
		if (w == 0) {
			struct { unsigned off; unsigned short seg; } __attribute__((packed)) far = { (unsigned)(long)code, 0x23 };
			pthread_t t; (void)t;
			alarm(1);
			asm volatile("mov %1,%%rsp; ljmp *(%0)" :: "r"(&far), "r"((long)low + 60000) : "memory");
		}
		await(w, 200));
	return finish();
}
