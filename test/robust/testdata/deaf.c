// SPDX-License-Identifier: Apache-2.0
//
// A child that blocks every host signal by jumping to the stub's rt_sigreturn
// with a frame of its own, and spins. Signals with a handler, stops and SIGKILL
// are tried on it; each must end it or show, within two seconds.

#include "../../hostile/h.h"

#define RESTORER (STUB + 0x1000 + 5 * 16)

static volatile int never;
static void spin(void) { for (;;) never++; }
static void handler(int sig) { never = 0; }
static char other[65536] __attribute__((aligned(4096)));

static void forge(unsigned long mask)
{
	static struct { void *ret; ucontext_t uc; char room[4096]; } f __attribute__((aligned(64)));
	greg_t *g = f.uc.uc_mcontext.gregs;
	g[REG_RIP] = (unsigned long)spin;
	g[REG_RSP] = (unsigned long)other + 60000;
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] = 0x33 | (unsigned long)0x2b << 48;
	memcpy(&f.uc.uc_sigmask, &mask, 8);
	f.uc.uc_stack.ss_flags = SS_DISABLE;
	asm volatile("mov %0,%%rsp; jmp *%1" :: "r"(&f.uc), "r"(RESTORER) : "memory");
}

static int ends(const char *what, pid_t p, int options)
{
	int st = 0;
	long long t = now_ms();
	while (waitpid(p, &st, WNOHANG | options) == 0) {
		if (now_ms() - t > 2000) {
			ESCAPED("%s: deaf for two seconds", what);
			kill(p, SIGKILL);
			waitpid(p, &st, 0);
			return -1;
		}
		nap(5);
	}
	return st;
}

int main(int argc, char **argv)
{
	start(argc, argv);
	signal(SIGUSR1, handler);
	pid_t p = CHILD(forge(-1UL));
	nap(50);
	kill(p, SIGUSR1);
	int st = ends("handler", p, 0);
	say("handler: killed %d", WIFSIGNALED(st) ? WTERMSIG(st) : 0);
	p = CHILD(forge(-1UL));
	nap(50);
	kill(p, SIGSTOP);
	st = ends("stop", p, WUNTRACED);
	say("stop: killed %d", WIFSIGNALED(st) ? WTERMSIG(st) : 0);
	// honest spinners and long sleepers live on
	p = CHILD(spin());
	nap(50);
	for (int i = 0; i < 300; i++)
		kill(p, SIGUSR1), nap(2);
	kill(p, SIGSTOP);
	waitpid(p, &st, WUNTRACED);
	say("honest: stopped %d", WIFSTOPPED(st));
	nap(700);
	kill(p, SIGCONT);
	nap(100);
	say("honest: lives %d", waitpid(p, &st, WNOHANG) == 0);
	kill(p, SIGKILL);
	waitpid(p, &st, 0);
	return finish();
}
