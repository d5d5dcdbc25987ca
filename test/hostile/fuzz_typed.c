// SPDX-License-Identifier: Apache-2.0
//
// calls with arguments that make sense one by one, from several threads and
// processes at once: what fuzz_calls cannot reach, since it seldom gets past EBADF

#include "h.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>

// Arguments by letter:
//   f descriptor   d directory descriptor   p path   q another path   b buffer
//   N buffer or null   n size   o offset   i small number   v iovec   V its length
//   t timespec   S signal set   s signal   P process   m mode   0 nothing
//   x flag bits   w anything   a page-aligned address   k poll set   c small string
static const struct { short nr; const char *args; } calls[] = {
	{ SYS_read, "fbn" }, { SYS_write, "fbn" }, { SYS_pread64, "fbno" }, { SYS_pwrite64, "fbno" }, { SYS_readv, "fvV" }, { SYS_writev, "fvV" },
	{ SYS_preadv, "fvVo0" }, { SYS_pwritev, "fvVo0" }, { SYS_preadv2, "fvVo0x" }, { SYS_pwritev2, "fvVo0x" },
	{ SYS_open, "pxm" }, { SYS_openat, "dpxm" }, { SYS_openat2, "dpbn" }, { SYS_creat, "pm" }, { SYS_close, "f" }, { SYS_close_range, "ffi" },
	{ SYS_dup, "f" }, { SYS_dup2, "ff" }, { SYS_dup3, "ffx" }, { SYS_fcntl, "fiw" }, { SYS_fcntl, "fib" }, { SYS_ioctl, "fwb" }, { SYS_flock, "fi" },
	{ SYS_lseek, "foi" }, { SYS_ftruncate, "fo" }, { SYS_truncate, "po" }, { SYS_fallocate, "fioo" }, { SYS_fsync, "f" }, { SYS_fdatasync, "f" },
	{ SYS_sync_file_range, "foox" }, { SYS_fadvise64, "fooi" }, { SYS_readahead, "fon" }, { SYS_syncfs, "f" }, { SYS_sync, "" },
	{ SYS_stat, "pb" }, { SYS_lstat, "pb" }, { SYS_fstat, "fb" }, { SYS_newfstatat, "dpbx" }, { SYS_statx, "dpxxb" }, { SYS_statfs, "pb" }, { SYS_fstatfs, "fb" },
	{ SYS_access, "pi" }, { SYS_faccessat2, "dpix" }, { SYS_chmod, "pm" }, { SYS_fchmod, "fm" }, { SYS_fchmodat, "dpm" }, { SYS_chown, "pii" },
	{ SYS_fchown, "fii" }, { SYS_lchown, "pii" }, { SYS_fchownat, "dpiix" }, { SYS_utimensat, "dptx" }, { SYS_utime, "pN" }, { SYS_futimesat, "dpN" },
	{ SYS_mkdir, "pm" }, { SYS_mkdirat, "dpm" }, { SYS_rmdir, "p" }, { SYS_unlink, "p" }, { SYS_unlinkat, "dpx" }, { SYS_rename, "pq" },
	{ SYS_renameat2, "dpdqi" }, { SYS_link, "pq" }, { SYS_linkat, "dpdqx" }, { SYS_symlink, "pq" }, { SYS_symlinkat, "pdq" }, { SYS_readlink, "pbn" },
	{ SYS_readlinkat, "dpbn" }, { SYS_mknod, "pmw" }, { SYS_mknodat, "dpmw" }, { SYS_getdents64, "fbn" }, { SYS_getdents, "fbn" }, { SYS_getcwd, "bn" },
	{ SYS_chdir, "p" }, { SYS_fchdir, "f" }, { SYS_umask, "m" }, { SYS_setxattr, "pcbni" }, { SYS_getxattr, "pcbn" }, { SYS_listxattr, "pbn" },
	{ SYS_removexattr, "pc" }, { SYS_fsetxattr, "fcbni" }, { SYS_fgetxattr, "fcbn" }, { SYS_flistxattr, "fbn" }, { SYS_lsetxattr, "pcbni" },
	{ SYS_pipe, "b" }, { SYS_pipe2, "bx" }, { SYS_splice, "fNfNnx" }, { SYS_tee, "ffnx" }, { SYS_vmsplice, "fvVx" }, { SYS_sendfile, "ffNn" },
	{ SYS_copy_file_range, "fNfNn0" }, { SYS_poll, "kii" }, { SYS_ppoll, "kitS8" }, { SYS_select, "iNNNt" }, { SYS_pselect6, "iNNNtN" },
	{ SYS_epoll_create1, "x" }, { SYS_epoll_ctl, "fifb" }, { SYS_epoll_wait, "fbii" }, { SYS_epoll_pwait, "fbiiS8" }, { SYS_epoll_pwait2, "fbitS8" },
	{ SYS_eventfd2, "ix" }, { SYS_signalfd4, "fS8x" }, { SYS_timerfd_create, "ix" }, { SYS_timerfd_settime, "fibN" }, { SYS_timerfd_gettime, "fb" },
	{ SYS_inotify_init1, "x" }, { SYS_inotify_add_watch, "fpx" }, { SYS_inotify_rm_watch, "fi" }, { SYS_memfd_create, "cx" },
	{ SYS_socket, "iii" }, { SYS_socketpair, "iiib" }, { SYS_bind, "fbn" }, { SYS_sendto, "fbnx00" }, { SYS_recvfrom, "fbnx00" }, { SYS_sendmsg, "fbx" }, { SYS_recvmsg, "fbx" },
	{ SYS_mmap, "anixfo" }, { SYS_mmap, "0nixfo" }, { SYS_mmap, "0ni1fo" }, { SYS_mmap, "0ni2f0" }, { SYS_mprotect, "ani" }, { SYS_mremap, "ann10" }, { SYS_mremap, "ann3a" },
	{ SYS_msync, "ani" }, { SYS_madvise, "ani" }, { SYS_mincore, "anb" }, { SYS_mlock, "an" }, { SYS_mlock2, "ani" }, { SYS_munlock, "an" },
	{ SYS_kill, "P0" }, { SYS_kill, "Ps" }, { SYS_tgkill, "PPs" }, { SYS_rt_sigqueueinfo, "Psb" }, { SYS_rt_sigaction, "sbN8" }, { SYS_rt_sigprocmask, "iSN8" },
	{ SYS_rt_sigpending, "b8" }, { SYS_rt_sigtimedwait, "Sbt8" }, { SYS_sigaltstack, "NN" }, { SYS_alarm, "i" }, { SYS_setitimer, "ibN" }, { SYS_getitimer, "ib" },
	{ SYS_timer_create, "ibb" }, { SYS_timer_settime, "iibN" }, { SYS_timer_gettime, "ib" }, { SYS_timer_getoverrun, "i" }, { SYS_timer_delete, "i" },
	{ SYS_nanosleep, "tN" }, { SYS_clock_nanosleep, "iitN" }, { SYS_clock_gettime, "ib" }, { SYS_clock_getres, "ib" }, { SYS_times, "b" }, { SYS_getrusage, "ib" },
	{ SYS_futex, "biit00" }, { SYS_futex, "bwitbi" }, { SYS_set_robust_list, "bn" }, { SYS_get_robust_list, "Pbb" }, { SYS_sched_getaffinity, "Pnb" },
	{ SYS_sched_setaffinity, "Pnb" }, { SYS_sched_getparam, "Pb" }, { SYS_sched_setscheduler, "Pib" }, { SYS_sched_getattr, "Pbni" }, { SYS_getpriority, "ii" }, { SYS_setpriority, "iii" },
	{ SYS_wait4, "Pbib" }, { SYS_waitid, "iPbib" }, { SYS_getpgid, "P" }, { SYS_getsid, "P" }, { SYS_setpgid, "PP" }, { SYS_setsid, "" }, { SYS_prctl, "iwwww" }, { SYS_prctl, "ib000" },
	{ SYS_getgroups, "ib" }, { SYS_setgroups, "ib" }, { SYS_capget, "bb" }, { SYS_capset, "bb" }, { SYS_setresuid, "iii" }, { SYS_getresuid, "bbb" }, { SYS_setfsuid, "i" },
	{ SYS_prlimit64, "PiNb" }, { SYS_getrlimit, "ib" }, { SYS_uname, "b" }, { SYS_sysinfo, "b" }, { SYS_syslog, "ibn" }, { SYS_getcpu, "NN0" }, { SYS_personality, "w" },
	{ SYS_mount, "cpcx0" }, { SYS_umount2, "px" }, { SYS_pivot_root, "pq" }, { SYS_chroot, "p" }, { SYS_unshare, "x" }, { SYS_sethostname, "bi" },
	{ SYS_clone, "x0bb0" }, { SYS_clone3, "bn" }, { SYS_fork, "" }, { SYS_execve, "pNN" }, { SYS_execveat, "dpNNx" }, { SYS_restart_syscall, "" }, { SYS_rt_sigsuspend, "S8" },
	{ SYS_pidfd_open, "Px" }, { SYS_pidfd_send_signal, "fsb0" }, { SYS_kcmp, "PPiff" }, { SYS_process_vm_readv, "PvVvV0" }, { SYS_set_tid_address, "b" },
};

static const char *paths[] = { "f", "g", "d", "d/f", "d/d", "d/../f", "l", "l/l/l/l", "loop", "fifo", "/", ".", "..", "", "/tmp", "/dev/null", "/dev/zero", "/dev/tty", "/dev/full",
	"/proc/self/maps", "/proc/self/fd/3", "/proc/self/exe", "/proc/self/mem", "/proc/self/environ", "/proc/self/stat", "/proc/self/task", "/proc/1/status", "/proc/mounts",
	"/proc/self/fd", "/proc/self", "/proc/thread-self/comm", "/proc/meminfo", "/proc/sys/kernel/pid_max", "/bin/sh", "/bin", "/etc/passwd", "/dev", "/dev/pts", "/dev/shm", "/t", "/proc/self/root/tmp/f", "/proc/self/cwd/d" };
static const unsigned long sizes[] = { 0, 1, 7, 8, 16, 100, 512, 4095, 4096, 4097, 8192, 65536, 1 << 20, 16 << 20, 1UL << 31, 1UL << 33, 1UL << 40, -1UL, -4096UL, 1UL << 63 };
static const unsigned long offsets[] = { 0, 1, 512, 4096, 65536, 1 << 20, 1UL << 31, 1UL << 32, 1UL << 40, 1UL << 46, (1UL << 63) - 1, (1UL << 63) - 4096, -1UL, -4096UL };
static const long flags[] = { 0, O_RDWR, O_WRONLY, O_CREAT | O_RDWR, O_CREAT | O_EXCL | O_RDWR, O_TRUNC | O_RDWR, O_APPEND | O_RDWR, O_DIRECTORY, O_PATH, O_NOFOLLOW, O_TMPFILE | O_RDWR, O_CLOEXEC,
	O_NONBLOCK | O_RDWR, O_DIRECT | O_RDWR, O_SYNC | O_RDWR, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, 1, 2, 3, 4, 8, 0x10, 0x11, 0x12, 0x32, 0xfff, SIGCHLD, CLONE_FILES | SIGCHLD, CLONE_FS | SIGCHLD, -1 };

static int parent;
static __thread unsigned long rstate;
static unsigned long r(void)
{
	rstate ^= rstate << 13;
	rstate ^= rstate >> 7;
	return rstate ^= rstate << 17;
}
#define PICK(a) (a)[r() % (sizeof(a) / sizeof *(a))]

static unsigned long argument(char c, char *buf)
{
	unsigned long *w = (void *)buf;
	char *at = buf + r() % 8 * 512;
	if (r() % 40 == 0)
		return PICK(sizes) + r() % 3;
	switch (c) {
	case 'f': return r() % 24 + (r() % 50 == 0) * 1000;
	case 'd': return r() % 3 ? AT_FDCWD : r() % 24;
	case 'p': case 'q': return (unsigned long)PICK(paths);
	case 'c': return (unsigned long)(r() % 2 ? "user.a" : r() % 2 ? "tmpfs" : "security.capability");
	case 'N': if (r() % 2) return 0; // fallthrough
	case 'b':
		for (int i = 0; i < 24; i++)
			w[i] = r() % 3 ? r() % 24 : r() % 2 ? PICK(sizes) : (unsigned long)buf;
		return (unsigned long)(r() % 30 ? buf : buf + 16384 - r() % 64);
	case 'n': return PICK(sizes);
	case 'o': return PICK(offsets);
	case 'i': return r() % 48 - 2;
	case 'v':
		for (int i = 0; i < 16; i++)
			((struct iovec *)at)[i] = (struct iovec){ r() % 8 ? buf + r() % 8192 : (void *)PICK(sizes), r() % 4 ? r() % 3000 : PICK(sizes) };
		return (unsigned long)at;
	case 'V': return r() % 20 ? r() % 17 : r() % 2000;
	case 't':
		if (r() % 5 == 0) return 0;
		*(struct timespec *)at = (struct timespec){ 0, r() % 20 ? r() % 2000000 : r() };
		return (unsigned long)at;
	case 'S': *(unsigned long *)at = r() & r(); return (unsigned long)at;
	case 's': return r() % 66;
	case 'P': return r() % 4 ? 0 : r() % 2 ? getpid() : -1;
	case 'm': return r() % 4 ? r() % 010000 : (r() % 16 << 12) | 0644;
	case 'x': return PICK(flags) | (r() % 8 == 0 ? 1UL << r() % 32 : 0);
	case 'w': return r() % 2 ? r() % 64 : r() % 2 ? 0x5400 + r() % 64 : r();
	case 'a': return ((unsigned long)buf + r() % 4 * 4096) & ~4095UL;
	case 'k':
		for (int i = 0; i < 32; i++)
			((struct pollfd *)at)[i] = (struct pollfd){ r() % 24, r(), 0 };
		return (unsigned long)at;
	case '8': return 8;
	default: return c - '0';
	}
}

static int harmless(int nr, unsigned long *a)
{
	switch (nr) {
	case SYS_clone: case SYS_clone3: case SYS_fork: case SYS_execve: case SYS_execveat: case SYS_rt_sigaction: case SYS_rt_sigsuspend:
		return r() % 16 == 0; // or nobody would get far
	case SYS_kill: case SYS_tgkill: case SYS_rt_sigqueueinfo: // the caller alone
		if (r() % 16)
			a[nr == SYS_tgkill ? 2 : 1] = SIGUSR2;
		a[0] = getpid();
		if (nr == SYS_tgkill)
			a[1] = syscall(SYS_gettid);
		return 1;
	case SYS_fcntl: // an owner is sent signals of the caller's choice
		return a[1] != F_SETOWN && a[1] != 15;
	case SYS_mprotect: case SYS_mremap: case SYS_madvise:
		return a[1] <= 16384 && a[2] != PROT_NONE || r() % 64 == 0;
	case SYS_mmap:
		return !(a[3] & MAP_FIXED) || a[1] <= 8192 && a[2] & PROT_WRITE || r() % 64 == 0;
	case SYS_prlimit64: case SYS_setresuid: case SYS_chroot:
		return r() % 8 == 0;
	}
	return 1;
}

static void nothing(int s) { }

static int budget, null;
static _Atomic long *total; // calls made, of all
static void *work(void *seed)
{
	char *buf = mmap(0, 20480, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(buf + 16384, 4096, PROT_NONE);
	rstate = (unsigned long)seed;
	for (int i = 0; i < budget; i++) {
		int k = r() % (sizeof calls / sizeof *calls);
		unsigned long a[6] = { 0 };
		for (int j = 0; calls[k].args[j]; j++)
			a[j] = argument(calls[k].args[j], buf);
		if (!harmless(calls[k].nr, a))
			continue;
		long res = syscall(calls[k].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		++*total;
		if (is_canary(res))
			_exit(99);
	}
	return 0;
}

static void round_of(unsigned long s)
{
	munmap((void *)((unsigned long)escapes & ~4095UL), 4096);
	char dir[32];
	snprintf(dir, sizeof dir, "/tmp/z%d", getpid());
	mkdir(dir, 0777);
	chdir(dir);
	setsid();
	for (int i = 1; i < 65; i++)
		if (i != SIGSEGV && i != SIGBUS)
			signal(i, nothing);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	open("f", O_CREAT | O_RDWR, 0666);
	mkdir("d", 0777);
	symlink(".", "l");
	symlink("loop", "loop");
	mkfifo("fifo", 0666);
	open("d", O_DIRECTORY);
	int p[2];
	pipe(p);
	eventfd(0, 0);
	epoll_create1(0);
	inotify_init1(IN_NONBLOCK);
	open("/dev/zero", O_RDWR);
	open("/proc/self/exe", O_RDONLY);
	syscall(SYS_memfd_create, "m", 2);
	pthread_t t[2];
	if (fork() == 0)
		s ^= 0x5555;
	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], 0, work, (void *)(s * 2654435761UL + i + 1));
	work((void *)(s * 40503UL + 7));
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 0; // a child has executed us
	start(argc, argv);
	unsigned long first = argc > 3 ? strtoul(argv[3], 0, 0) : 1;
	int rounds = argc > 4 ? atoi(argv[4]) : 60;
	budget = argc > 5 ? atoi(argv[5]) : 400;
	null = open("/dev/null", O_RDWR); // later it may be gone
	total = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say("seeds %lu to %lu, %d calls a thread", first, first + rounds - 1, budget);
	for (int i = 0; i < rounds; i++) {
		pid_t p = roomy_fork();
		if (p == 0)
			round_of(first + i);
		int st = await(p, 400);
		if (st == -1)
			ESCAPED("seed %lu: child cannot be killed", first + i);
		else if (WIFEXITED(st) && WEXITSTATUS(st) == 99)
			ESCAPED("seed %lu showed the canary", first + i);
		while (waitpid(-1, 0, WNOHANG) > 0)
			;
	}
	kill(-1, SIGKILL);
	say("%ld calls", *total);
	SHOW(*total > rounds * budget / 4); // else the processes die too soon to find anything
	return finish();
}
