// SPDX-License-Identifier: Apache-2.0
//
// uname, sysinfo, getrandom, sched, priority, membarrier, getcpu, unknown calls

#include "t.h"

#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
	struct utsname u;
	OK(uname(&u));
	say("%s %s", u.sysname, u.machine);
	say("release has a version %d", atoi(u.release) >= 4);
	OK(uname((void *)8));
	struct sysinfo s;
	OK(sysinfo(&s));
	say("%d %d %d %d", s.uptime >= 0, s.totalram > 0, s.freeram <= s.totalram, s.procs > 0);
	char b[300] = { 0 }, z[300] = { 0 };
	VAL(getrandom(b, 256, 0));
	SHOW(memcmp(b, z, 256) != 0);
	VAL(getrandom(b, 16, GRND_NONBLOCK));
	VAL(getrandom(b, 0, 0));
	OK(getrandom(b, 16, 0x55));
	OK(getrandom((void *)8, 16, 0));
	VAL(sched_getscheduler(0));
	struct sched_param sp = { 0 };
	OK(sched_getparam(0, &sp));
	SHOW(sp.sched_priority);
	OK(sched_setscheduler(0, SCHED_BATCH, &sp));
	VAL(sched_getscheduler(0));
	OK(sched_setscheduler(0, SCHED_OTHER, &sp));
	sp.sched_priority = 5;
	OK(sched_setscheduler(0, SCHED_OTHER, &sp));
	OK(sched_setscheduler(0, 99, &sp));
	OK(sched_getscheduler(1 << 29));
	VAL(sched_get_priority_max(SCHED_FIFO));
	VAL(sched_get_priority_min(SCHED_RR));
	VAL(sched_get_priority_max(SCHED_OTHER));
	OK(sched_get_priority_max(99));
	OK(sched_yield());
	cpu_set_t c;
	OK(sched_getaffinity(0, sizeof c, &c));
	say("some cpu %d", CPU_COUNT(&c) > 0);
	OK(syscall(SYS_sched_getaffinity, 0, 1, &c));
	int first = 0;
	while (!CPU_ISSET(first, &c))
		first++;
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	OK(sched_setaffinity(0, sizeof one, &one));
	sched_getaffinity(0, sizeof c, &c);
	SHOW(CPU_COUNT(&c));
	SHOW(sched_getcpu() == first);
	CPU_ZERO(&one);
	OK(sched_setaffinity(0, sizeof one, &one));
	VAL(getpriority(PRIO_PROCESS, 0));
	OK(setpriority(PRIO_PROCESS, 0, 7));
	VAL(getpriority(PRIO_PROCESS, 0));
	OK(setpriority(PRIO_PROCESS, 0, 100));
	VAL(getpriority(PRIO_PROCESS, 0));
	OK(setpriority(9, 0, 1));
	OK(getpriority(PRIO_PROCESS, 1 << 29));
	VAL(getpriority(PRIO_PGRP, 0) >= -20);
	errno = 0;
	OK(syscall(463 + 500));
	OK(syscall(-1));
	OK(syscall(100000));
	OK(syscall(SYS_uselib, 0));
	OK(syscall(SYS_create_module, 0));
	OK(syscall(SYS_nfsservctl));
	OK(syscall(SYS_membarrier, 0, 0, 0) >= 0 ? 0 : -1);
	OK(gethostname(b, 300));
	OK(gethostname(b, 0));
	// a system call leaves the registers alone that the ABI says it does
	long r8 = 1, r9 = 2, r10 = 3, rbx = 4, ret;
	asm volatile("mov $11,%%r8; mov $12,%%r9; mov $13,%%r10; mov $14,%%rbx; mov $39,%%eax; syscall; mov %%r8,%0; mov %%r9,%1; mov %%r10,%2; mov %%rbx,%3; mov %%rax,%4"
		     : "=m"(r8), "=m"(r9), "=m"(r10), "=m"(rbx), "=m"(ret) :: "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "memory");
	say("%ld %ld %ld %ld %d", r8, r9, r10, rbx, ret == getpid());
}
