// SPDX-License-Identifier: Apache-2.0
//
// what execve refuses, and scripts: arguments, nesting, missing interpreters, ENOEXEC

#include "t.h"

static void try(const char *f)
{
	reap(CHILD(char *a[] = { "argv0", "one", "two", 0 }; char *e[] = { "R=1", 0 }; execve(f, a, e); say("%s -> %s", f, en(errno))));
}
static void script(const char *name, const char *body, int mode)
{
	put(name, body);
	chmod(name, mode);
}

int main(int argc, char **argv)
{
	if (getenv("R")) {
		char c;
		if (argc > 1 && !strcmp(argv[1], "hold")) {
			write(1, "holding\n", 8);
			read(0, &c, 1);
			return 0;
		}
		for (int i = 0; i < argc; i++)
			say("argv[%d] %s", i, strstr(argv[i], "tdiff") ? "(own path)" : argv[i]);
		return 0;
	}
	char self[4096], b[5000];
	int n = readlink("/proc/self/exe", self, sizeof self);
	self[n] = 0;
	// a copy under a fixed name keeps host paths out of the output
	int in = open(self, O_RDONLY), out = open("prog", O_WRONLY | O_CREAT, 0755);
	struct stat st;
	fstat(in, &st);
	while (sendfile(out, in, 0, st.st_size) > 0)
		;
	try("./prog"); // still open for writing
	close(out);
	try("./prog");
	try("./none");
	try("none/none");
	try("./prog/x");
	try(".");
	try("/");
	script("noexec", "#!./prog\n", 0644);
	try("./noexec");
	script("empty", "", 0755);
	try("./empty");
	script("text", "just text\n", 0755);
	try("./text");
	script("elfish", "\177ELFgarbage", 0755);
	try("./elfish");
	script("s1", "#!./prog\n", 0755);
	try("./s1");
	script("s2", "#! ./prog  arg with spaces  \necho", 0755);
	try("./s2");
	script("s3", "#!./s2 nested\n", 0755);
	try("./s3");
	script("s4", "#!./none\n", 0755);
	try("./s4");
	script("s5", "#!\n", 0755);
	try("./s5");
	script("s6", "#!./prog", 0755);
	try("./s6");
	script("s7", "#!./prog\targ\ttab\n", 0755);
	try("./s7");
	script("self", "#!./self\n", 0755);
	try("./self");
	script("dir", "#!.\n", 0755);
	try("./dir");
	script("noint", "#!./noexec\n", 0755);
	try("./noint");
	for (int i = 0; i < 7; i++) {
		char nm[20];
		sprintf(nm, "n%d", i);
		sprintf(b, "#!./%s%d\n", i ? "n" : "prog", i - 1);
		script(nm, i ? b : "#!./prog\n", 0755);
	}
	try("./n3");
	try("./n4");
	try("./n5");
	memset(b, 'a', 400);
	memcpy(b, "#!./prog ", 9);
	strcpy(b + 400, "\n");
	script("long", b, 0755);
	pid_t p = CHILD(close(1); open("/dev/null", O_WRONLY); char *e[] = { "R=1", 0 }; execle("./long", "long", (char *)0, e));
	reap(p);
	symlink("prog", "lnk");
	try("./lnk");
	symlink("loop", "loop");
	try("./loop");
	mkfifo("fifo", 0755);
	try("./fifo");
	// truncated ELF files
	int sizes[] = { 10, 63, 64, 100, 4096 };
	for (int i = 0; i < 5; i++) {
		char *m = malloc(sizes[i]);
		pread(in, m, sizes[i], 0);
		out = open("cut", O_WRONLY | O_CREAT | O_TRUNC, 0755);
		write(out, m, sizes[i]);
		close(out);
		if (sizes[i] < 4096)
			try("./cut");
	}
	// the image cannot be written while it runs, and can afterwards
	int pp[2], po[2];
	pipe(pp);
	pipe(po);
	pid_t p2 = CHILD(dup2(pp[0], 0); dup2(po[1], 1); close(pp[1]); char *e[] = { "R=1", 0 }; execle("./prog", "prog", "hold", (char *)0, e));
	read(po[0], b, 8);
	OK(open("./prog", O_WRONLY));
	OK(truncate("./prog", 0));
	OK(unlink("lnk"));
	close(pp[1]);
	wait_quiet(p2);
	int wr = OK(open("./prog", O_WRONLY));
	close(wr);
	symlink("prog", "lnk");
	// fexecve and execveat
	int fd = open("prog", O_RDONLY), pa = open("prog", O_PATH), dd = open(".", O_PATH), sc = open("s1", O_RDONLY | O_CLOEXEC), sc2 = open("s1", O_RDONLY);
	char *a[] = { "a0", "a1", 0 }, *e[] = { "R=1", 0 };
	reap(CHILD(syscall(SYS_execveat, fd, "", a, e, AT_EMPTY_PATH)));
	reap(CHILD(syscall(SYS_execveat, pa, "", a, e, AT_EMPTY_PATH)));
	reap(CHILD(syscall(SYS_execveat, dd, "prog", a, e, 0)));
	reap(CHILD(OK(syscall(SYS_execveat, dd, "lnk", a, e, AT_SYMLINK_NOFOLLOW))));
	reap(CHILD(OK(syscall(SYS_execveat, fd, "", a, e, 0))));
	reap(CHILD(OK(syscall(SYS_execveat, sc, "", a, e, AT_EMPTY_PATH))));
	reap(CHILD(syscall(SYS_execveat, dd, "s1", a, e, 0)));
	reap(CHILD(OK(syscall(SYS_execveat, 999, "", a, e, AT_EMPTY_PATH))));
	reap(CHILD(OK(syscall(SYS_execveat, fd, "", a, e, 0x77))));
	(void)sc2;
}
