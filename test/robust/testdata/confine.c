// SPDX-License-Identifier: Apache-2.0
//
// confine PROFILE COMMAND...: runs a command as a container manager would,
// under a seccomp filter with the rules of Docker's default profile that
// matter here, or with one call refused.
//
//	docker  unshare and clone with CLONE_NEW*: EPERM; clone3, mseal: ENOSYS;
//	        mount, umount2, pivot_root, pidfd_getfd, setns, bpf, ptrace-free
//	        calls as they are: EPERM. process_vm_* stay allowed.
//	novm    process_vm_readv and process_vm_writev: EPERM
//	nonotify  seccomp(2): EPERM
//	nomemfd memfd_create: EPERM

#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define REFUSE(nr, e) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (e))
#define NEW (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define NR LOAD(offsetof(struct seccomp_data, nr))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter docker[] = {
	NR,
	REFUSE(SYS_unshare, EPERM), REFUSE(SYS_setns, EPERM), REFUSE(SYS_mount, EPERM), REFUSE(SYS_umount2, EPERM),
	REFUSE(SYS_pivot_root, EPERM), REFUSE(438, EPERM), REFUSE(462, ENOSYS), REFUSE(435, ENOSYS), REFUSE(SYS_bpf, EPERM),
	REFUSE(SYS_kcmp, EPERM), REFUSE(SYS_userfaultfd, EPERM), REFUSE(SYS_perf_event_open, EPERM),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
	LOAD(offsetof(struct seccomp_data, args[0])),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	ALLOW,
};
static struct sock_filter novm[] = { NR, REFUSE(SYS_process_vm_readv, EPERM), REFUSE(SYS_process_vm_writev, EPERM), ALLOW };
static struct sock_filter nonotify[] = { NR, REFUSE(SYS_seccomp, EPERM), ALLOW };
static struct sock_filter nomemfd[] = { NR, REFUSE(SYS_memfd_create, EPERM), ALLOW };

int main(int argc, char **argv)
{
	struct sock_fprog p = { 0 };
#define PICK(name) if (argc > 2 && !strcmp(argv[1], #name)) p.filter = name, p.len = sizeof name / sizeof *name
	PICK(docker);
	PICK(novm);
	PICK(nonotify);
	PICK(nomemfd);
	if (!p.len) {
		fprintf(stderr, "usage: confine PROFILE COMMAND...\n");
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p)) {
		perror("confine");
		return 2;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
