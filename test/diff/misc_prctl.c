// SPDX-License-Identifier: Apache-2.0
//
// process control: names, dumpable, signals, secure bits, bad requests

#include "t.h"

int main(void)
{
	char n[20] = "";
	OK(prctl(PR_SET_NAME, "a very long process name"));
	prctl(PR_GET_NAME, n);
	say("%s", n);
	OK(prctl(PR_SET_NAME, ""));
	prctl(PR_GET_NAME, n);
	say("[%s]", n);
	OK(prctl(PR_SET_NAME, (char *)8));
	VAL(prctl(PR_GET_DUMPABLE));
	OK(prctl(PR_SET_DUMPABLE, 0));
	VAL(prctl(PR_GET_DUMPABLE));
	OK(prctl(PR_SET_DUMPABLE, 2));
	OK(prctl(PR_SET_DUMPABLE, 1));
	VAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	pid_t p = CHILD(OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); VAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); pid_t q = CHILD(VAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))); reap(q));
	reap(p);
	VAL(prctl(PR_GET_KEEPCAPS));
	OK(prctl(PR_SET_KEEPCAPS, 2));
	VAL(prctl(PR_GET_TIMERSLACK) > 0);
	OK(prctl(PR_SET_TIMERSLACK, 100000));
	VAL(prctl(PR_GET_TIMERSLACK));
	int v = 0;
	OK(prctl(PR_GET_PDEATHSIG, &v));
	OK(prctl(PR_GET_PDEATHSIG, 8));
	OK(prctl(99999, 0));
	int *tidp = 0;
	OK(prctl(PR_GET_TID_ADDRESS, &tidp) & 0);
	// a thread's name is its own
	prctl(PR_SET_NAME, "main");
	pthread_setname_np(pthread_self(), "renamed");
	prctl(PR_GET_NAME, n);
	say("%s", n);
	OK(syscall(SYS_personality, 0xffffffff) == 0 ? 0 : -1);
	VAL(syscall(SYS_arch_prctl, 0x1003, &tidp));
	OK(syscall(SYS_arch_prctl, 0x9999, 0));
	OK(syscall(SYS_arch_prctl, 0x1002, 1UL << 63));
}
