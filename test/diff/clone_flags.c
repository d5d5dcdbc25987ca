// SPDX-License-Identifier: Apache-2.0
//
// clone() sharing memory, files, fs, handlers; its errors; tid pointers

#include "t.h"

static char stack[1 << 16] __attribute__((aligned(16)));
static volatile int shared;
static int fds[2];

static int f_vm(void *a) { shared = 11; return 4; }
static int f_files(void *a) { dup2(fds[0], 100); return 0; }
static int f_fs(void *a) { chdir("sub"); umask(011); return 0; }

static pid_t cl(int (*f)(void *), int flags)
{
	return clone(f, stack + sizeof stack, flags, 0, 0, 0, 0);
}

static long raw(unsigned long flags)
{
	long r = syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (r == 0)
		_exit(0);
	return r;
}

int main(void)
{
	MUST(pipe(fds));
	MUST(mkdir("sub", 0755));
	pid_t p = cl(f_vm, CLONE_VM | SIGCHLD);
	reap(p);
	SHOW(shared);
	shared = 0;
	p = cl(f_vm, SIGCHLD);
	reap(p);
	SHOW(shared);
	p = cl(f_files, SIGCHLD);
	reap(p);
	OK(fcntl(100, F_GETFD));
	p = cl(f_files, CLONE_FILES | SIGCHLD);
	reap(p);
	OK(fcntl(100, F_GETFD));
	char c[4096];
	p = cl(f_fs, SIGCHLD);
	reap(p);
	getcwd(c, sizeof c);
	say("cwd moved without CLONE_FS: %d", !!strstr(c, "/sub"));
	p = cl(f_fs, CLONE_FS | SIGCHLD);
	reap(p);
	getcwd(c, sizeof c);
	say("cwd moved with CLONE_FS: %d", !!strstr(c, "/sub"));
	OCT(umask(0));

	OK(raw(CLONE_SIGHAND | SIGCHLD));
	OK(raw(CLONE_THREAD | SIGCHLD));
	OK(raw(CLONE_THREAD | CLONE_SIGHAND | SIGCHLD));
	OK(raw(CLONE_FS | CLONE_NEWNS | SIGCHLD));

	int ptid = 0, ctid = 0;
	p = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &ptid, &ctid, 0);
	if (p == 0) {
		say("child: ctid is me %d", ctid == getpid());
		_exit(0);
	}
	reap(p);
	say("ptid right %d, parent's ctid untouched %d", ptid == p, ctid);

	// CLONE_PARENT: our child's child is our child
	p = CHILD(pid_t k = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0); if (k == 0) _exit(33));
	int st;
	pid_t a = wait(&st);
	int s1 = WEXITSTATUS(st);
	pid_t b = wait(&st);
	say("two children, exits add to %d, one is ours %d", s1 + WEXITSTATUS(st), a == p || b == p);
	// clone with no exit signal: not reaped by a plain wait
	p = syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!p)
		_exit(8);
	OK(wait(0));
	waitpid(p, &st, __WALL);
	say("%s", status(st));
}
