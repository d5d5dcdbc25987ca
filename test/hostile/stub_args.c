// SPDX-License-Identifier: Apache-2.0
//
// every call number from the stub's code, with results in sight: none but the
// native ones with harmless arguments may do anything

#include "stub.h"

static long as_told(long nr, long a, long b, long c, long d, long e, long f)
{
	return stub_call(nr, a, b, c, d, e, f);
}

// refused: the guest kernel must say EPERM, as it does to all that is not its stub's.
#define REFUSED(what, ...) do { long r_ = as_told(__VA_ARGS__); \
	if (r_ != -EPERM) ESCAPED("%s from the stub gave %ld", what, r_); } while (0)

static int native(int nr)
{
	// alone: by number; others below
	static const int n[] = { SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigtimedwait, SYS_set_tid_address, 462 /* mseal */,
		SYS_close, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_sched_yield, SYS_getrandom,
		SYS_membarrier, SYS_rseq, SYS_arch_prctl, SYS_clock_gettime, SYS_prctl, SYS_exit, SYS_exit_group, SYS_clone };
	for (int i = 0; i < sizeof n / sizeof *n; i++)
		if (n[i] == nr)
			return 1;
	return 0;
}

static void numbers(void)
{
	char name[32];
	for (int nr = 0; nr < 600; nr++) {
		if (native(nr))
			continue;
		snprintf(name, sizeof name, "call %d", nr);
		REFUSED(name, nr, 0, 0, 0, 0, 0, 0);
		REFUSED(name, nr, (long)canary, O_RDWR | O_TRUNC, 0666, 0, 0, 0);
	}
	for (int nr = 0; nr < 600; nr++) {
		long r = as_told(nr | 0x40000000, (long)canary, O_RDWR, 0666, 0, 0, 0);
		if (r != -ENOSYS)
			ESCAPED("x32 call %d from the stub gave %ld", nr, r);
	}
}

static void arguments(void)
{
	char b[4096] = "";
	REFUSED("close of the stub's image", SYS_close, 1, 0, 0, 0, 0, 0);
	REFUSED("close of the stub's image, high half", SYS_close, 1L << 32 | 1, 0, 0, 0, 0, 0);
	static const long more[] = { MAP_ANONYMOUS, MAP_HUGETLB, MAP_ANONYMOUS | MAP_HUGETLB, MAP_LOCKED, MAP_ANONYMOUS | MAP_LOCKED, MAP_POPULATE, MAP_GROWSDOWN, MAP_SYNC };
	for (int fd = 198; fd < 218; fd++) {
		for (int i = 0; i < 8; i++)
			REFUSED("mmap at an exec's number with more flags", SYS_mmap, 0, 4096, 1, MAP_PRIVATE | more[i], fd, 0);
		REFUSED("shared mmap at an exec's number", SYS_mmap, 0, 4096, 3, MAP_SHARED, fd, 0);
		long r = as_told(SYS_mmap, 0, 4096, 1, MAP_PRIVATE, fd, 0);
		if (r != -EPERM && r != -EBADF)
			ESCAPED("mmap of number %d from the stub gave %ld", fd, r);
	}
	for (int fd = 0; fd < 8; fd++)
		REFUSED("mmap of a descriptor", SYS_mmap, 0, 4096, 1, MAP_PRIVATE, fd, 0);
	REFUSED("huge anonymous mmap", SYS_mmap, 0, 2 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	REFUSED("shared anonymous mmap", SYS_mmap, 0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *page = mmap(0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REFUSED("mremap", SYS_mremap, (long)page, 0, 8192, MREMAP_MAYMOVE, 0, 0);
	for (int op = 6; op < 14; op++)
		if (op != 9 && op != 10)
			REFUSED("futex of priority inheritance", SYS_futex, (long)page, op, 0, 0, (long)page, 0);
	for (int clock = 0; clock < 12; clock++)
		if (clock != 1)
			REFUSED("clock_gettime", SYS_clock_gettime, clock, (long)b, 0, 0, 0, 0);
	for (int o = 0; o < 80; o++)
		if (o != 35)
			REFUSED("prctl", SYS_prctl, o, o == 1 ? 0 : 9, (long)b, 0, 0, 0);
	for (int o = 0; o < 20; o++)
		if (o != 14)
			REFUSED("prctl(PR_SET_MM)", SYS_prctl, 35, o, (long)page, 104, 0, 0);
	// the mapped program cannot be changed for another file, as root of nothing
	static unsigned long map[13];
	map[12] = (unsigned long)1 << 32;
	long r = as_told(SYS_prctl, 35, 14, (long)map, sizeof map, 0, 0);
	if (r >= 0)
		ESCAPED("PR_SET_MM_MAP changed the program's file");
	static const long flags[] = { 0, SIGCHLD, CLONE_VM, CLONE_VM | CLONE_FILES, 0x8000 | CLONE_FILES, 0x8000 | CLONE_VM, 0x8000 | CLONE_NEWUSER, CLONE_NEWUSER,
		0x8000 | CLONE_NEWNS, 0x8000 | CLONE_PTRACE, 0x8000 | CLONE_UNTRACED, 0x8000 | CLONE_IO, 0x8000 | CLONE_PARENT_SETTID, 0x8000 | CLONE_PIDFD,
		0x8000 | SIGCHLD, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
	for (int i = 0; i < sizeof flags / sizeof *flags; i++)
		REFUSED("clone", SYS_clone, flags[i], 0, 0, 0, 0, 0);
	REFUSED("clone with a stack", SYS_clone, 0x8000, (long)page + 8192, 0, 0, 0, 0);
	REFUSED("clone with a parent's id", SYS_clone, 0x8000, 0, (long)page, 0, 0, 0);
	REFUSED("clone3", SYS_clone3, (long)b, 88, 0, 0, 0, 0);
	REFUSED("the stub's execveat without an exec", SYS_execveat, 1, C_EMPTY, C_ARGV, C_ENVP, 0x1000, 0);
	REFUSED("execveat of another name", SYS_execveat, 1, (long)"", C_ARGV, C_ENVP, 0x1000, 0);
	REFUSED("execveat of another descriptor", SYS_execveat, 3, C_EMPTY, C_ARGV, C_ENVP, 0x1000, 0);
	REFUSED("arch_prctl(ARCH_SET_CPUID)", SYS_arch_prctl, 0x1012, 0, 0, 0, 0, 0);
	REFUSED("arch_prctl(ARCH_REQ_XCOMP_PERM)", SYS_arch_prctl, 0x1023, 18, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	stub_find();
	long pid = as_told(SYS_getpid, 0, 0, 0, 0, 0, 0);
	if (pid != -EPERM)
		say("getpid from the stub gave %ld", pid);
	ATTEMPT("numbers", 20000, numbers());
	ATTEMPT("arguments", 20000, arguments());
	return finish();
}
