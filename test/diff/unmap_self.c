// SPDX-License-Identifier: Apache-2.0
//
// programs that unmap what they stand on: code, stack, everything

#include "t.h"

static long sys_munmap(unsigned long a, unsigned long n)
{
	long r;
	asm volatile("syscall" : "=a"(r) : "a"(SYS_munmap), "D"(a), "S"(n) : "rcx", "r11", "memory");
	return r;
}

__attribute__((noinline, aligned(4096))) static void code(void)
{
	sys_munmap((unsigned long)code, 4096);
}

static void stack(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0) & ~4095UL;
	sys_munmap(here - 8 * 4096, 16 * 4096);
	asm volatile("push %%rax; pop %%rax" ::: "memory");
}

// everything below and above, in halves
static void all(void)
{
	for (unsigned long n = 1UL << 47; n > 4096; n >>= 1)
		sys_munmap(0, n - 4096);
	for (;;)
		asm volatile("mov (%%rsp), %%rax" ::: "rax", "memory");
}

static void handler(int s)
{
	_exit(3);
}

int main(void)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	reap(CHILD(code()));
	reap(CHILD(stack()));
	reap(CHILD(all()));
	// a handler cannot help when its code or stack is gone
	reap(CHILD(signal(SIGSEGV, handler); stack()));
	reap(CHILD(block(SIGSEGV); code()));
	reap(CHILD(signal(SIGSEGV, SIG_IGN); code()));
}
