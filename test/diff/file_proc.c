// SPDX-License-Identifier: Apache-2.0
//
// /proc/self: fd, exe, cwd, root, maps, stat, status, cmdline, environ, comm, mounts, limits

#include "t.h"

static char *field(const char *f, const char *key)
{
	static char v[256];
	char *s = strdup(text(f)), *p = s;
	v[0] = 0;
	for (; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : 0)
		if (!strncmp(p, key, strlen(key)) && p[strlen(key)] == ':') {
			snprintf(v, sizeof v, "%s", p + strlen(key) + 1 + strspn(p + strlen(key) + 1, " \t"));
			v[strcspn(v, "\n")] = 0;
			break;
		}
	free(s);
	return v;
}

int main(int argc, char **argv)
{
	char b[4096], c[4096];
	if (argc == 1) {
		char *a[] = { "my prog", "arg one", "", "last", 0 }, *e[] = { "A=1", "B=two words", 0 };
		execve("/proc/self/exe", a, e);
		say("exec: %s", en(errno));
		return 1;
	}
	int n = open("/proc/self/cmdline", O_RDONLY), k = read(n, b, sizeof b);
	for (int i = 0; i < k; i++)
		if (!b[i])
			b[i] = '|';
	b[k] = 0;
	say("cmdline %s", b);
	say("environ %.3s length %zu", text("/proc/self/environ"), strlen(text("/proc/self/environ")));
	close(n);
	prctl(PR_SET_NAME, "renamed");
	say("comm %.7s", text("/proc/self/comm"));
	say("Name %s", field("/proc/self/status", "Name"));
	say("State %s", field("/proc/self/status", "State"));
	say("Pid right %d Tgid right %d PPid right %d", atoi(field("/proc/self/status", "Pid")) == getpid(),
	    atoi(field("/proc/self/status", "Tgid")) == getpid(), atoi(field("/proc/self/status", "PPid")) == getppid());
	say("Threads %s", field("/proc/self/status", "Threads"));
	say("Uid right %d", (unsigned)atoi(field("/proc/self/status", "Uid")) == getuid());
	block(SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	say("SigBlk %s", field("/proc/self/status", "SigBlk"));
	say("SigIgn %s", field("/proc/self/status", "SigIgn"));
	say("SigPnd %s", field("/proc/self/status", "SigPnd"));
	say("NoNewPrivs %s", field("/proc/self/status", "NoNewPrivs"));
	say("VmSize there %d", atoi(field("/proc/self/status", "VmSize")) > 0);
	int pid, ppid, pgrp, sid;
	char comm[64], st;
	say("stat fields %d", sscanf(text("/proc/self/stat"), "%d %s %c %d %d %d", &pid, comm, &st, &ppid, &pgrp, &sid));
	say("%s %c right %d", comm, st, pid == getpid() && ppid == getppid() && pgrp == getpgrp() && sid == getsid(0));
	n = readlink("/proc/self/cwd", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	getcwd(c, sizeof c);
	say("cwd right %d", !strcmp(b, c));
	n = readlink("/proc/self/root", b, sizeof b);
	say("root %.*s", n, b);
	n = readlink("/proc/self", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	say("self is the pid %d", atoi(b) == getpid());
	n = readlink("/proc/self/exe", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	say("exe ends well %d", n > 9 && !strcmp(b + n - 9, "file_proc"));
	put("f", "hello");
	int fd = open("f", O_RDWR), pp[2];
	pipe(pp);
	sprintf(c, "/proc/self/fd/%d", fd);
	n = readlink(c, b, sizeof b);
	say("fd ends in /f %d", n > 2 && !memcmp(b + n - 2, "/f", 2));
	sprintf(c, "/proc/self/fd/%d", pp[0]);
	n = readlink(c, b, sizeof b);
	say("pipe %.6s", b);
	OK(readlink("/proc/self/fd/99", b, 10));
	struct stat s1, s2;
	stat(c, &s1);
	fstat(pp[0], &s2);
	say("stat through the link agrees %d", s1.st_ino == s2.st_ino);
	OK(open(c, O_RDONLY));
	sprintf(c, "/proc/self/fdinfo/%d", fd);
	lseek(fd, 3, SEEK_SET);
	say("fdinfo pos %s", field(c, "pos"));
	DIR *d = opendir("/proc/self/fd");
	n = 0;
	for (struct dirent *e; d && (e = readdir(d));)
		n += atoi(e->d_name) == fd && e->d_name[0] != '.';
	SHOW(n);
	say("maps has the stack %d", !!strstr((read(open("/proc/self/maps", O_RDONLY), b, 4095), b), "r"));
	say("mounts there %d", strlen(text("/proc/self/mounts")) > 5);
	say("limits there %d", !!strstr(text("/proc/self/limits"), "Max open files"));
	OK(open("/proc/999999/stat", O_RDONLY));
	OK(open("/proc/nope", O_RDONLY));
	OK(open("/proc/self/stat", O_WRONLY) < 0 && errno != 0 ? 0 : 0);
	OK(mkdir("/proc/x", 0755));
	OK(creat("/proc/x", 0644));
	if (getuid() == 0)
		OK(unlink("/proc/self/stat"));
	say("stat of proc/self/fd: dir %d", (stat("/proc/self/fd", &s1), S_ISDIR(s1.st_mode)));
	say("uptime there %d", strlen(text("/proc/uptime")) > 3);
	say("meminfo there %d", !strncmp(text("/proc/meminfo"), "MemTotal:", 9));
	say("ostype %.5s", text("/proc/sys/kernel/ostype"));
	pid_t p = CHILD(_exit(3));
	for (int i = 0; i < 200 && state(p) != 'Z'; i++)
		nap(5);
	say("zombie state %c", state(p));
	sprintf(b, "/proc/%d/cmdline", p);
	say("zombie cmdline length %zu", strlen(text(b)));
	reap(p);
	OK(open(b, O_RDONLY));
}
