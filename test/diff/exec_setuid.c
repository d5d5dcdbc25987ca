// SPDX-License-Identifier: Apache-2.0
//
// the setuid and setgid bits, no_new_privs, AT_SECURE (root) NEED_ROOT

#include "t.h"

#include <sys/auxv.h>

static void ids(const char *w)
{
	uid_t r, e, s;
	gid_t a, b, c;
	getresuid(&r, &e, &s);
	getresgid(&a, &b, &c);
	say("%s: uid %d %d %d gid %d %d %d secure %ld", w, r, e, s, a, b, c, getauxval(AT_SECURE));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		ids(argv[1]);
		return 0;
	}
	chmod(".", 0755);
	int in = open("/proc/self/exe", O_RDONLY), out = open("prog", O_WRONLY | O_CREAT, 0755);
	while (sendfile(out, in, 0, 1 << 24) > 0)
		;
	close(out);
	int modes[] = { 0755, 04755, 02755, 06755, 02745 };
	for (int i = 0; i < 5; i++) {
		chown("prog", 60005, 60006);
		chmod("prog", modes[i]);
		char m[20];
		sprintf(m, "mode %o", modes[i]);
		reap(CHILD(setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); execl("./prog", "p", m, (char *)0)));
	}
	chmod("prog", 06755);
	reap(CHILD(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); execl("./prog", "p", "nnp", (char *)0)));
	reap(CHILD(execl("./prog", "p", "by root", (char *)0)));
	chown("prog", 0, 0);
	chmod("prog", 04755);
	reap(CHILD(setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); execl("./prog", "p", "to root", (char *)0)));
	reap(CHILD(setresuid(60001, 60002, 60003); execl("/proc/self/exe", "p", "saved follows effective", (char *)0)));
}
