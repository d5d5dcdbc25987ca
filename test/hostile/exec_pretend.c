// SPDX-License-Identifier: Apache-2.0
//
// an exec of a set-user-id program whose host execve fails, or runs something
// else: the old image goes on in the new one's name

#include "stub.h"

#define SETUID "/tmp/setuid"

static long fake[1 << 14]; // a host's initial stack, with room for the program's

static void pretend(int spoil)
{
	char *argv[] = { SETUID, "nop", 0 }, *envp[] = { 0 };
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		_exit(1);
	struct stubcall c[12] = { { OP_FRAME + SYS_execve, 0, { (long)SETUID, (long)argv, (long)envp } } };
	int n = 1;
	if (spoil == 3) { // the old image's code after the point of no return
		stub_calls(c, 1);
		long r = syscall(SYS_getuid);
		ESCAPED("old code calls on during its exec: %ld", r);
		_exit(0);
	}
	if (spoil == 2) { // as the kernel wants it, with a host execve that fails
		c[n++] = (struct stubcall){ SYS_set_robust_list, 0, { 1L << 63, 24 } };
		c[n++] = (struct stubcall){ OP_BATCH };
	}
	if (spoil) {
		c[n++] = (struct stubcall){ SYS_close, 0, { 1 } };
		c[n++] = (struct stubcall){ SYS_execveat, 0, { 1, C_EMPTY, C_ARGV, C_ENVP, 0x1000 } };
	}
	c[n++] = (struct stubcall){ OP_START, 0, { (long)(fake + (1 << 14) - 32), 0 } };
	for (int i = 0; i < 3; i++)
		c[n++] = (struct stubcall){ OP_BATCH };
	stub_calls(c, n);
	if (geteuid() == 0)
		ESCAPED("guest root by an exec that never took place (%d): %lx %ld %lx", spoil, c[0].ret, c[n - 5].ret, c[n - 4].ret);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nop"))
		return geteuid() == 0 ? 70 : 71;
	start(argc, argv);
	stub_find();
	char b[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(SETUID, O_CREAT | O_TRUNC | O_RDWR, 0755), n;
	while ((n = read(in, b, sizeof b)) > 0)
		write(out, b, n);
	close(out);
	chmod(SETUID, 04755);
	// the honest way there works
	pid_t p = CHILD(setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); execl(SETUID, SETUID, "nop", (char *)0));
	reap(p);
	for (int spoil = 0; spoil < 4; spoil++)
		ATTEMPT("pretended exec", 2000, pretend(spoil));
	return finish();
}
