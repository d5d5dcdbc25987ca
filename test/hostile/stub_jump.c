// SPDX-License-Identifier: Apache-2.0
//
// jump to every syscall instruction in the stub with forbidden arguments

#include "h.h"

// With the trap flag set, SIGTRAP comes after each instruction, so that we see
// what the call returned whatever the stub does next. Should the guest get no
// SIGTRAP there, the attack still takes place: the canary file, the host
// process and the exec'ed shell show whether it worked.

static unsigned long target;
static volatile long result;
static sigjmp_buf jb;

static void step(int s, siginfo_t *si, void *u)
{
	greg_t *g = ((ucontext_t *)u)->uc_mcontext.gregs;
	if ((unsigned long)g[REG_RIP] == target + 2) {
		result = g[REG_RAX];
		g[REG_EFL] &= ~0x100L;
		siglongjmp(jb, 1);
	}
}
static void bad(int s, siginfo_t *si, void *u) { _exit(0); }

static long jump(unsigned long addr, long nr, long a, long b, long c, long d, long e, int trap)
{
	target = addr;
	result = -9999;
	if (sigsetjmp(jb, 1))
		return result;
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = 0;
	register long r12 asm("r12") = addr;
	if (trap)
		asm volatile("pushfq; orq $0x100,(%%rsp); popfq; jmp *%%r12" :: "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), "r"(r12) : "memory", "rcx", "r11");
	else
		asm volatile("jmp *%%r12" :: "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), "r"(r12) : "memory", "rcx", "r11");
	return -9998;
}

static char script[5000];
static char *shell[] = { "sh", "-c", script, 0 };
static char *env[] = { 0 };
static struct iovec mine, theirs;
static char buf[4096];

static const struct attack { const char *name; long nr, a, b, c, d, e; } *attacks(int *n)
{
	mine = (struct iovec){ buf, 64 };
	theirs = (struct iovec){ (void *)0x400000, 64 };
	static struct attack t[40];
	struct attack v[] = {
		{ "open", SYS_open, (long)canary, O_RDWR | O_TRUNC, 0666 },
		{ "openat", SYS_openat, AT_FDCWD, (long)canary, O_RDWR | O_TRUNC, 0666 },
		{ "creat", SYS_creat, (long)canary, 0666 },
		{ "unlink", SYS_unlink, (long)canary },
		{ "truncate", SYS_truncate, (long)canary, 0 },
		{ "chmod", SYS_chmod, (long)canary, 0 },
		{ "rename", SYS_rename, (long)canary, (long)"x" },
		{ "execve sh", SYS_execve, (long)"/bin/sh", (long)shell, (long)env },
		{ "execveat sh", SYS_execveat, AT_FDCWD, (long)"/bin/sh", (long)shell, (long)env },
		{ "execve canary", SYS_execve, (long)canary, (long)shell, (long)env },
		{ "kill", SYS_kill, host_pid, SIGKILL },
		{ "tkill", SYS_tkill, host_pid, SIGKILL },
		{ "tgkill", SYS_tgkill, host_pid, host_pid, SIGKILL },
		{ "kill all", SYS_kill, -1, SIGCONT },
		{ "ptrace", SYS_ptrace, 16 /* ATTACH */, host_pid },
		{ "process_vm_readv", SYS_process_vm_readv, host_pid, (long)&mine, 1, (long)&theirs },
		{ "pidfd_open", SYS_pidfd_open, host_pid, 0 },
		{ "socket", SYS_socket, 2, 1, 0 },
		{ "socket unix", SYS_socket, 1, 1, 0 },
		{ "io_uring_setup", SYS_io_uring_setup, 8, (long)buf },
		{ "bpf", SYS_bpf, 0, (long)buf, 64 },
		{ "perf_event_open", SYS_perf_event_open, (long)buf, 0, -1, -1 },
		{ "userfaultfd", SYS_userfaultfd, 0 },
		{ "seccomp", SYS_seccomp, 1, 0, (long)buf },
		{ "mount", SYS_mount, (long)"none", (long)"/", (long)"tmpfs", 0 },
		{ "unshare", SYS_unshare, 0x10000000 },
		{ "shmget", SYS_shmget, 0, 4096, 01600 },
		{ "memfd_create", SYS_memfd_create, (long)"x", 0 },
		{ "clone", SYS_clone, SIGCHLD, 0, 0, 0 },
		{ "mmap fd 3", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 3 },
		// where exec has its files for a moment: nothing stands there now
		{ "mmap exec fd", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 200 },
		{ "mmap last exec fd", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 215 },
		{ "arch_prctl cpuid", SYS_arch_prctl, 0x1012, 0 },
		{ "prctl pdeathsig", SYS_prctl, PR_SET_PDEATHSIG, 0 },
		{ "setuid", SYS_setuid, 0 },
		{ "reboot", SYS_reboot, 0, 0, 0 },
	};
	*n = sizeof v / sizeof *v;
	memcpy(t, v, sizeof v);
	return t;
}

// judge says whether a result means that the host did something for us. A
// value that the guest kernel itself may rightly answer (its own file, its own
// process) is no escape; only the canary is proof, and calls that no route allows.
static void judge(const struct attack *t, long r)
{
	if (is_canary(r))
		ESCAPED("%s through the stub gave the canary", t->name);
	if (r >= 0 && t->nr == SYS_mmap && t->e >= 200)
		ESCAPED("%s through the stub mapped something", t->name);
	if (r == 64 && t->nr == SYS_process_vm_readv)
		ESCAPED("process_vm_readv read a host process");
	if (r >= 0 && (t->nr == SYS_perf_event_open || t->nr == SYS_bpf || t->nr == SYS_io_uring_setup))
		ESCAPED("%s through the stub returned %ld", t->name, r);
	if (r == 0 && (t->nr == SYS_kill || t->nr == SYS_tkill || t->nr == SYS_tgkill) && t->a == host_pid)
		ESCAPED("%s through the stub reached a process", t->name);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	snprintf(script, sizeof script, "echo ESCAPED; echo touched > %s", canary);
	int n, found = 0;
	const struct attack *t = attacks(&n);
	for (unsigned long page = STUB; page < STUB + STUB_LEN; page += 4096) {
		if (!readable(page))
			continue;
		for (unsigned long a = page; a < page + 4095; a++) {
			if (((unsigned char *)a)[0] != 0x0f || ((unsigned char *)a)[1] != 0x05)
				continue;
			found++;
			for (int i = 0; i < n; i++)
				// without the trap flag an attempt may hang until it is killed,
				// so each instruction gets a share of the attacks only
				for (int trap = 1; trap >= (i % 8 != found % 8); trap--)
					ATTEMPT(t[i].name, 50,
						on(SIGTRAP, step, 0); on(SIGSEGV, bad, 0); on(SIGILL, bad, 0); on(SIGBUS, bad, 0);
						judge(&t[i], jump(a, t[i].nr, t[i].a, t[i].b, t[i].c, t[i].d, t[i].e, trap)));
		}
		// every page of the stub entered at odd places
		for (int k = 0; k < 24; k++)
			ATTEMPT("entry", 50, on(SIGSEGV, bad, 0); on(SIGILL, bad, 0); on(SIGTRAP, bad, 0); on(SIGBUS, bad, 0);
				jump(page + k * 61, rnd() % 450, (long)canary, O_RDWR, 0666, 0, 0, 0));
	}
	say("syscall instructions found: %d", found);
	return finish();
}
