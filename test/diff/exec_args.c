// SPDX-License-Identifier: Apache-2.0
//
// argv and envp edge cases, empty argv, long arguments, E2BIG, auxv

#include "t.h"

#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (getenv("ROUND") || argc != 1 || !strcmp(argv[0], "")) {
		say("argc %d", argc);
		for (int i = 0; i < argc && i < 5; i++)
			say("argv[%d] length %zu %.20s", i, strlen(argv[i]), argv[i]);
		int n = 0;
		while (environ[n])
			n++;
		say("envc %d %.20s", n, n ? environ[0] : "none");
		return argc > 1 && !strcmp(argv[1], "seven") ? 7 : 0;
	}
	char *self = "/proc/self/exe", *e0[] = { 0 }, *er[] = { "ROUND=1", 0 };
	char *long1 = malloc(131072), *long2 = malloc(131073);
	memset(long1, 'x', 131071);
	long1[131071] = 0;
	memset(long2, 'y', 131072);
	long2[131072] = 0;
	char *a1[] = { "x", "seven", 0 }, *a2[] = { "", "", "", 0 }, *a3[] = { 0 }, *a4[] = { "x", long1, 0 }, *a5[] = { "x", long2, 0 };
	char *e2[] = { "ROUND=1", "ROUND=2", "NOEQUALS", "=", "", 0 };
	reap(CHILD(execve(self, a1, e0)));
	reap(CHILD(execve(self, a2, er)));
	reap(CHILD(execve(self, a3, er)));
	reap(CHILD(execve(self, 0, er)));
	reap(CHILD(execve(self, a1, e2)));
	reap(CHILD(execve(self, a1, 0)));
	reap(CHILD(execve(self, a4, er)));
	reap(CHILD(OK(execve(self, a5, er))));
	char **many = malloc(sizeof(char *) * 200001);
	for (int i = 0; i < 200000; i++)
		many[i] = "0123456789012345678901234567890";
	many[200000] = 0;
	reap(CHILD(OK(execve(self, many, er))));
	many[3000] = 0;
	reap(CHILD(execve(self, many, er)));
	OK(execve(self, (char **)8, er));
	char *bad[] = { "x", (char *)8, 0 };
	OK(execve(self, bad, er));
	OK(execve((char *)8, a1, er));
	SHOW(getauxval(AT_PAGESZ));
	SHOW(getauxval(AT_CLKTCK));
	SHOW(getauxval(AT_UID) == getuid());
	SHOW(getauxval(AT_SECURE));
	SHOW(getauxval(AT_RANDOM) != 0);
	SHOW(getauxval(AT_ENTRY) != 0);
	SHOW(getauxval(AT_PHNUM) > 2);
	SHOW(getauxval(AT_PHENT));
	say("%s", (char *)getauxval(AT_PLATFORM));
	SHOW(strlen((char *)getauxval(AT_EXECFN)) > 0);
	SHOW(getauxval(AT_HWCAP) != 0);
	SHOW(getauxval(AT_MINSIGSTKSZ) >= 1000);
	Elf64_Ehdr *eh = (void *)getauxval(AT_SYSINFO_EHDR);
	say("vdso is ELF %d", eh && !memcmp(eh->e_ident, ELFMAG, 4));
}
