// SPDX-License-Identifier: Apache-2.0
//
// every number with random arguments; only the caller may suffer

#include "h.h"

static unsigned long value(void *buf)
{
	static const unsigned long v[] = { 0, 1, 2, 3, 4, 8, 16, 255, 4095, 4096, 65536, 1UL << 31, 1UL << 32, 1UL << 47, 1UL << 63,
		-1UL, -2UL, -100UL, 0x7fffffff, 0xffffffff, STUB, STUB + 0x1000, STUB + 0x8000, 0xffffffffff600000UL };
	switch (rnd() % 6) {
	case 0: return rnd();
	case 1: return rnd() % 70;
	case 2: case 3: return (unsigned long)buf + rnd() % 8192;
	default: return v[rnd() % (sizeof v / sizeof *v)];
	}
}

static int spared(int nr)
{
	// These may hit the fuzzer's own parent inside the guest, by right.
	return nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill || nr == SYS_rt_sigqueueinfo || nr == SYS_rt_tgsigqueueinfo ||
		nr == SYS_reboot || nr == SYS_pidfd_send_signal || nr == SYS_ptrace || nr == SYS_process_vm_writev || nr == SYS_pause ||
		nr == SYS_exit_group || nr == SYS_exit || nr == SYS_fork || nr == SYS_vfork /* fork_bomb does that */ || nr == SYS_prlimit64 || nr == SYS_sched_setscheduler;
}

static void fuzz(int nr)
{
	// what the calls write must not reach the count that is shared with us
	munmap((void *)((unsigned long)escapes & ~4095UL), 4096);
	setpgid(0, 0);
	int null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	unsigned long *buf = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	alarm(1);
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 2048; k++)
			buf[k] = rnd() % 3 ? rnd() % 300 : value(buf);
		if (rnd() % 3 == 0)
			strcpy((char *)buf, canary);
		if (is_canary(syscall(nr, value(buf), value(buf), value(buf), value(buf), value(buf), value(buf))))
			_exit(99);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	int rounds = argc > 3 ? atoi(argv[3]) : 3;
	for (int r = 0; r < rounds; r++)
		for (int nr = 0; nr < 520; nr++) {
			seed += nr * 7919 + r;
			if (spared(nr))
				continue;
			pid_t p = roomy_fork();
			if (p == 0)
				fuzz(nr);
			int st = await(p, 150);
			if (st == -1)
				ESCAPED("call %d: child cannot be killed", nr);
			else if (WIFEXITED(st) && WEXITSTATUS(st) == 99)
				ESCAPED("call %d showed the canary", nr);
		}
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
	return finish();
}
