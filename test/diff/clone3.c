// SPDX-License-Identifier: Apache-2.0
//
// arguments, sizes, exit signal, CHILD_CLEARTID, pidfd and its errors

#include "t.h"

#include <linux/sched.h>

static long c3(struct clone_args *a, size_t n)
{
	long r = syscall(SYS_clone3, a, n);
	if (r == 0)
		_exit(21);
	return r;
}

int main(void)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	long p = c3(&a, sizeof a);
	SHOW(p > 0);
	reap(p);
	p = c3(&a, CLONE_ARGS_SIZE_VER0);
	reap(p);
	OK(c3(&a, 32));
	OK(c3(&a, 1 << 16));
	OK(syscall(SYS_clone3, (void *)8, sizeof a));
	struct { struct clone_args a; long more[4]; } big = { .a = a };
	p = c3(&big.a, sizeof big);
	reap(p);
	big.more[3] = 1;
	OK(c3(&big.a, sizeof big));
	a.exit_signal = 0x100;
	OK(c3(&a, sizeof a));
	a.exit_signal = 65;
	OK(c3(&a, sizeof a));
	a.exit_signal = SIGCHLD;
	a.flags = 0xff;
	OK(c3(&a, sizeof a));
	a.flags = CLONE_THREAD;
	OK(c3(&a, sizeof a));
	a.flags = 0;
	a.stack = 4096;
	OK(c3(&a, sizeof a));
	a.stack = 0;
	a.stack_size = 4096;
	OK(c3(&a, sizeof a));
	a.stack_size = 0;
	a.flags = CLONE_DETACHED;
	OK(c3(&a, sizeof a));
	int ptid = 0;
	a.flags = CLONE_PARENT_SETTID;
	a.parent_tid = (uintptr_t)&ptid;
	p = c3(&a, sizeof a);
	SHOW(ptid == p);
	reap(p);
	// CLONE_CHILD_CLEARTID clears nothing when nobody shares the address space
	int *t = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	a.flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	a.child_tid = (uintptr_t)t;
	*t = -1;
	p = c3(&a, sizeof a);
	reap(p);
	SHOW(*t == p);
	// clear signal handlers in the child
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))main);
	memset(&a, 0, sizeof a);
	a.exit_signal = SIGCHLD;
	a.flags = CLONE_CLEAR_SIGHAND;
	p = syscall(SYS_clone3, &a, sizeof a);
	if (p == 0) {
		struct sigaction s1, s2;
		sigaction(SIGUSR1, 0, &s1);
		sigaction(SIGUSR2, 0, &s2);
		say("ignored stays %d, handler gone %d", s1.sa_handler == SIG_IGN, s2.sa_handler == SIG_DFL);
		_exit(0);
	}
	reap(p);
}
