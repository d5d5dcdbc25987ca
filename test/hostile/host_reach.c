// SPDX-License-Identifier: Apache-2.0
//
// every ordinary way to host files, processes, sockets and kernel services

#include "h.h"

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

static void path(const char *p)
{
	int fd = open(p, O_RDONLY);
	if (is_canary(fd))
		ESCAPED("canary by %s", p);
	close(fd);
	fd = open(p, O_PATH);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= 7 && strstr(p, "anary")) {
		char b[64];
		sprintf(b, "/proc/self/fd/%d", fd);
		int g = open(b, O_RDONLY);
		if (is_canary(g))
			ESCAPED("canary by O_PATH of %s", p);
		close(g);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	char b[8192];
	path(canary);
	const char *roots[] = { "/..", "/../../../..", "/proc/self/root", "/proc/1/root", "/proc/self/cwd/..", "/proc/1/cwd", "/proc/thread-self/root",
		"/proc/self/exe/..", "/proc/self/fd/..", "/proc/self/map_files/..", "/dev/fd/../..", "/proc/2/root", "/t/..", "/t/../..", "/t/../../..", "/tmp/../.." };
	for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++) {
		snprintf(b, sizeof b, "%s%s", roots[i], canary);
		path(b);
	}
	// descriptors that we were not given
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			struct stat st;
			fstat(fd, &st);
			ESCAPED("descriptor %d is open (mode %o)", fd, st.st_mode);
		}
	// out by ..: descriptors of the volume, chroot's classic
	ATTEMPT("chroot", 1000, mkdir("/tmp/j", 0755); int out = open("/", O_RDONLY); chroot("/tmp/j"); fchdir(out);
		for (int i = 0; i < 50; i++) chdir(".."); chroot("."); path(canary); path(canary + 1));
	int v = open("/t", O_RDONLY | O_DIRECTORY);
	for (int i = 1; i < 12; i++) {
		char up[256] = "";
		for (int k = 0; k < i; k++)
			strcat(up, "../");
		snprintf(b, sizeof b, "%s%s", up, canary + 1);
		int fd = openat(v, b, O_RDONLY);
		if (is_canary(fd))
			ESCAPED("canary by .. of the volume");
		close(fd);
	}
	// symlinks made by the guest must resolve in the guest
	symlink(canary, "/tmp/link");
	path("/tmp/link");
	// read-only volume stays so
	if (creat("/t/hostile-file", 0600) >= 0)
		ESCAPED("file made in a read-only volume");
	if (unlink("/t/host_reach") == 0 || chmod("/t/host_reach", 0777) == 0 || truncate("/t/host_reach", 0) == 0)
		ESCAPED("read-only volume changed");
	// processes
	if (kill(host_pid, 0) == 0)
		ESCAPED("host process can be signalled");
	if (ptrace(PTRACE_ATTACH, host_pid, 0, 0) == 0)
		ESCAPED("host process can be traced");
	struct iovec l = { b, 64 }, r = { (void *)0x400000, 64 };
	if (process_vm_readv(host_pid, &l, 1, &r, 1, 0) > 0)
		ESCAPED("host memory can be read");
	snprintf(b, sizeof b, "/proc/%d/cmdline", host_pid);
	if (access(b, F_OK) == 0)
		ESCAPED("host process is seen in /proc");
	if (syscall(SYS_pidfd_open, host_pid, 0) >= 0)
		ESCAPED("pidfd of a host process");
	// other guest users' processes
	if (getuid() == 0) {
		pid_t p = CHILD(setresuid(60001, 60001, 60001); for (;;) pause());
		nap(30);
		pid_t q = CHILD(setresuid(60002, 60002, 60002); struct iovec a = { b, 8 }; struct iovec t = { (void *)b, 8 };
			if (process_vm_readv(p, &a, 1, &t, 1, 0) > 0) ESCAPED("another user's guest memory");
			if (kill(p, 0) == 0) ESCAPED("another user's guest process");
			char n[64]; sprintf(n, "/proc/%d/mem", p); if (open(n, O_RDONLY) >= 0) ESCAPED("another user's mem file"));
		await(q, 1000);
		kill(p, SIGKILL);
		wait_quiet(p);
	}
	// sockets of the host
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (s >= 0) {
		const char *names[] = { "/run/systemd/private", "/run/dbus/system_bus_socket", "/var/run/docker.sock", "/tmp/.X11-unix/X0", "/dev/log" };
		for (int i = 0; i < 5; i++) {
			struct sockaddr_un a = { .sun_family = AF_UNIX };
			strcpy(a.sun_path, names[i]);
			if (connect(s, (void *)&a, sizeof a) == 0)
				ESCAPED("connected to the host's %s", names[i]);
		}
	}
	// host kernel services that a guest must not reach as such
	struct { const char *n; long nr, a, b, c, d; } k[] = {
		{ "bpf", SYS_bpf, 0, (long)b, 72, 0 },
		{ "perf_event_open", SYS_perf_event_open, (long)b, 0, -1, -1 },
		{ "init_module", SYS_init_module, (long)b, 10, (long)"", 0 },
		{ "kexec_load", SYS_kexec_load, 0, 0, 0, 0 },
		{ "iopl", SYS_iopl, 3, 0, 0, 0 },
		{ "ioperm", SYS_ioperm, 0, 10, 1, 0 },
		{ "modify_ldt", SYS_modify_ldt, 1, (long)b, 16, 0 },
		{ "settimeofday", SYS_settimeofday, (long)b, 0, 0, 0 },
		{ "swapon", SYS_swapon, (long)canary, 0, 0, 0 },
		{ "acct", SYS_acct, (long)canary, 0, 0, 0 },
		{ "open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, (long)b, O_RDONLY, 0 },
		{ "quotactl", SYS_quotactl, 0x80000200, (long)canary, 0, (long)b },
	};
	memset(b, 0, sizeof b);
	for (unsigned i = 0; i < sizeof k / sizeof *k; i++) {
		long q = syscall(k[i].nr, k[i].a, k[i].b, k[i].c, k[i].d, 0);
		if (q >= 0)
			ESCAPED("%s returned %ld", k[i].n, q);
	}
	return finish();
}
