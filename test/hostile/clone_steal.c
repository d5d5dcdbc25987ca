// SPDX-License-Identifier: Apache-2.0
//
// a thread that announces itself as a process, a process as a thread

#include "stub.h"

// The host's clone is made from the stub with exactly the agreed arguments, but
// the child comes out into our code: its stack holds a frame for rt_sigreturn.

static char area[1 << 18] __attribute__((aligned(4096)));
static volatile int go;
static volatile unsigned long token;
static unsigned long child_header;

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static void child(void)
{
	while (!go)
		;
	static struct stubcall c[2];
	c[0] = (struct stubcall){ OP_CHILD, 0, { token, child_header } };
	stub_calls_at(child_header, c, 1);
	long r = syscall(SYS_getpid); // whoever is not killed lives under a false name
	long p = syscall(SYS_getppid);
	ESCAPED("announced as what it is not: %lx, parent %ld", c[0].ret, p);
	_exit(0);
}

static ucontext_t *frame(void)
{
	static ucontext_t uc __attribute__((aligned(64)));
	greg_t *g = uc.uc_mcontext.gregs;
	g[REG_RIP] = (greg_t)child;
	g[REG_RSP] = (greg_t)(area + (1 << 17) - 8);
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] = 0x33 | (unsigned long)0x2b << 48;
	unsigned long size = stub_header - STUB - STUB_LEN;
	child_header = (unsigned long)area + (1 << 17) + 65536;
	uc.uc_stack.ss_sp = (void *)(child_header - size);
	uc.uc_stack.ss_size = size;
	return &uc;
}

// agree has the kernel agree to a clone and gives its token; the host is not asked.
static unsigned long agree(long flags)
{
	static int id;
	if (stub_call(OP_FRAME + SYS_clone, flags | CLONE_PARENT_SETTID, 0, (long)&id, 0, 0, 0) != ACT_CLONE)
		say("no clone was agreed");
	return *(unsigned long *)(stub_header + 0x68);
}

static void steal(int thread_first)
{
	// the host's clone: a thread, or a process that shares our memory
	long guest = thread_first ? THREAD : CLONE_VM | SIGCHLD, host = thread_first ? THREAD : 0x8000 | CLONE_VM;
	static int id;
	struct stubcall c[3] = { { OP_FRAME + SYS_clone, 0, { guest | CLONE_PARENT_SETTID, (long)frame(), (long)&id } },
		{ SYS_clone, 0, { host, (long)frame() } } };
	stub_calls(c, 2);
	if (c[0].ret != ACT_CLONE || c[1].ret < 0)
		say("no clone: %lx %ld", c[0].ret, c[1].ret);
	token = agree(thread_first ? SIGCHLD : THREAD);
	go = 1;
	nap(300);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	stub_find();
	ATTEMPT("a thread as a process", 3000, steal(1));
	ATTEMPT("a process as a thread", 3000, steal(0));
	return finish();
}
