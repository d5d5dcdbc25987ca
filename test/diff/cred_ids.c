// SPDX-License-Identifier: Apache-2.0
//
// the set*id family, saved ids, fsuid, groups, capabilities after them (root) NEED_ROOT

#include "t.h"

#include <linux/capability.h>
#include <sys/fsuid.h>

static void ids(void)
{
	uid_t r, e, s;
	gid_t a, b, c;
	getresuid(&r, &e, &s);
	getresgid(&a, &b, &c);
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };
	syscall(SYS_capget, &h, d);
	say("  uid %d %d %d gid %d %d %d caps eff %d perm %d", r, e, s, a, b, c, d[0].effective != 0, d[0].permitted != 0);
}

int main(void)
{
	ids();
	reap(CHILD(OK(setuid(60001)); ids(); OK(setuid(0)); OK(setuid(60001)); OK(seteuid(0)); OK(setgid(5))));
	reap(CHILD(OK(seteuid(60001)); ids(); OK(setuid(60002)); OK(seteuid(0)); ids()));
	reap(CHILD(OK(setreuid(60001, 60002)); ids(); OK(setreuid(60002, 60001)); ids(); OK(setreuid(60003, -1))));
	reap(CHILD(OK(setresuid(60001, 60002, 60003)); ids(); OK(setresuid(60003, 60001, 60002)); ids(); OK(setresuid(-1, 0, -1)); OK(setresuid(-1, -1, -1))));
	reap(CHILD(OK(setresgid(60001, 60002, 60003)); ids(); OK(setgid(60009)); ids(); OK(setregid(60001, 60002)); OK(setegid(60001)); ids()));
	reap(CHILD(prctl(PR_SET_KEEPCAPS, 1); setresuid(60001, 60001, 60001); ids()));
	reap(CHILD(VAL(setfsuid(60001)); VAL(setfsuid(-1)); ids(); put("f", "x"); struct stat st; stat("f", &st); SHOW(st.st_uid)));
	gid_t g[3] = { 1, 2, 3 };
	reap(CHILD(OK(setgroups(3, g)); gid_t q[8]; VAL(getgroups(8, q)); SHOW(q[0] + q[1] + q[2]); OK(getgroups(2, q)); VAL(getgroups(0, 0)); OK(setgroups(-1, g)); OK(setgroups(0, 0)); VAL(getgroups(8, q))));
	reap(CHILD(setresuid(60001, 60001, 60001); OK(setgroups(0, 0)); OK(sethostname("x", 1)); OK(chroot("/"))));
	struct __user_cap_header_struct h = { 0x12345678, 0 };
	OK(syscall(SYS_capget, &h, 0));
	say("kernel prefers %x", h.version);
	h.pid = 1 << 29;
	struct __user_cap_data_struct d[2];
	OK(syscall(SYS_capget, &h, d));
	h.pid = 0;
	MUST(syscall(SYS_capget, &h, d));
	reap(CHILD(d[0].effective = 0; OK(syscall(SYS_capset, &h, d)); OK(chown("/", 0, 0) & 0); OK(setuid(60001)); d[0].effective = d[0].permitted; OK(syscall(SYS_capset, &h, d)); OK(setuid(60001)); d[0].permitted |= 1u << 31; (void)0));
	VAL(prctl(PR_CAPBSET_READ, CAP_CHOWN));
	OK(prctl(PR_CAPBSET_READ, 99));
	reap(CHILD(OK(prctl(PR_CAPBSET_DROP, CAP_KILL)); VAL(prctl(PR_CAPBSET_READ, CAP_KILL))));
	// signals between users
	pid_t p = CHILD(setresuid(60002, 60002, 60002); for (;;) pause());
	nap(30);
	reap(CHILD(setresuid(60001, 60001, 60001); OK(kill(p, SIGTERM)); OK(kill(p, 0)); OK(kill(p, SIGCONT))));
	reap(CHILD(setresuid(60002, 60001, 60001); OK(kill(p, SIGTERM))));
	reap(p);
}
