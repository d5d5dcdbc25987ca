// SPDX-License-Identifier: Apache-2.0
//
// general, SSE, AVX and AVX-512 registers survive a handler that ruins them

#include "t.h"

#include <cpuid.h>
#include <immintrin.h>

static volatile int n;

__attribute__((target("avx512f"))) static void ruin512(void)
{
	asm volatile("vpternlogd $0xff,%%zmm0,%%zmm0,%%zmm0\n vmovdqa64 %%zmm0,%%zmm17\n vmovdqa64 %%zmm0,%%zmm31\n kxnorw %%k1,%%k1,%%k1" ::: "memory");
}
__attribute__((target("avx"))) static void ruin256(void)
{
	asm volatile("vxorps %%ymm0,%%ymm0,%%ymm0\n vxorps %%ymm15,%%ymm15,%%ymm15" ::: "memory");
}

static int has512, has256;
static void h(int s, siginfo_t *si, void *u)
{
	n++;
	if (has256)
		ruin256();
	if (has512)
		ruin512();
	asm volatile("fninit; fldpi; fldpi; pxor %%xmm3,%%xmm3" ::: "memory");
	unsigned mx = 0x1f80 | 0x6000;
	asm volatile("ldmxcsr %0" :: "m"(mx));
}

__attribute__((target("avx512f"))) static int check512(void)
{
	char a[64], b[64];
	memset(b, 0, 64);
	for (int i = 0; i < 64; i++)
		a[i] = i * 3 + 1;
	unsigned k = 0x1234, k2 = 0;
	asm volatile("vmovdqu64 (%0),%%zmm31\n kmovw %3,%%k1\n mov %4,%%eax\n mov %5,%%edi\n mov %6,%%esi\n syscall\n vmovdqu64 %%zmm31,(%1)\n kmovw %%k1,%2"
		     :: "r"(a), "r"(b), "r"(k2), "r"(k), "i"(SYS_tkill), "r"(getpid()), "i"(SIGUSR1) : "rax", "rcx", "r11", "rdi", "rsi", "memory");
	return !memcmp(a, b, 64);
}
__attribute__((target("avx"))) static int check256(void)
{
	char a[32], b[32];
	memset(b, 0, 32);
	for (int i = 0; i < 32; i++)
		a[i] = i * 5 + 1;
	asm volatile("vmovdqu (%0),%%ymm15\n mov %2,%%eax\n mov %3,%%edi\n mov %4,%%esi\n syscall\n vmovdqu %%ymm15,(%1)"
		     :: "r"(a), "r"(b), "i"(SYS_tkill), "r"(getpid()), "i"(SIGUSR1) : "rax", "rcx", "r11", "rdi", "rsi", "memory");
	return !memcmp(a, b, 32);
}

int main(void)
{
	has256 = __builtin_cpu_supports("avx");
	has512 = __builtin_cpu_supports("avx512f");
	on(SIGUSR1, h, 0);
	long r[6] = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666 }, q[6];
	asm volatile("mov 0(%0),%%rbx\n mov 8(%0),%%r12\n mov 16(%0),%%r13\n mov 24(%0),%%r14\n mov 32(%0),%%r15\n mov 40(%0),%%rdx\n"
		     "mov %2,%%eax\n mov %3,%%edi\n mov %4,%%esi\n syscall\n"
		     "mov %%rbx,0(%1)\n mov %%r12,8(%1)\n mov %%r13,16(%1)\n mov %%r14,24(%1)\n mov %%r15,32(%1)\n mov %%rdx,40(%1)"
		     :: "r"(r), "r"(q), "i"(SYS_tkill), "r"(getpid()), "i"(SIGUSR1)
		     : "rax", "rbx", "rcx", "rdx", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "memory");
	say("general registers kept %d", !memcmp(r, q, sizeof r));
	double d = 0;
	unsigned mx = 0;
	asm volatile("finit; fld1; mov %2,%%eax\n mov %3,%%edi\n mov %4,%%esi\n syscall\n fstpl %0; stmxcsr %1" : "=m"(d), "=m"(mx)
		     : "i"(SYS_tkill), "r"(getpid()), "i"(SIGUSR1) : "rax", "rcx", "r11", "rdi", "rsi", "memory");
	say("x87 %g, mxcsr %#x", d, mx & 0xffc0);
	say("avx kept %d", has256 ? check256() : 1);
	say("avx512 kept %d", has512 ? check512() : 1);
	long fl;
	asm volatile("std; stc; mov %1,%%eax\n mov %2,%%edi\n mov %3,%%esi\n syscall\n pushfq; pop %0; cld" : "=r"(fl)
		     : "i"(SYS_tkill), "r"(getpid()), "i"(SIGUSR1) : "rax", "rcx", "r11", "rdi", "rsi", "memory", "cc");
	say("carry %d direction %d", !!(fl & 1), !!(fl & 0x400));
	// interrupted at any instruction: a counting loop under a fast timer stays exact
	on(SIGALRM, h, 0);
	n = 0;
	struct itimerval it = { { 0, 500 }, { 0, 500 } };
	setitimer(ITIMER_REAL, &it, 0);
	double sum = 0;
	long cnt = 0;
	while (n < 100) {
		for (int i = 0; i < 1000; i++)
			sum += 1.0, cnt++;
	}
	beat(0);
	say("sum exact %d", sum == (double)cnt);
}
