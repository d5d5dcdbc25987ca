// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"testing"

	"lodger/abi"
)

// testMemory is memory at address testBase.
type testMemory []byte

const testBase = 0x1000

func (m testMemory) CopyInSome(addr uint64, b []byte) (int, error) {
	if addr < testBase || addr >= testBase+uint64(len(m)) {
		return 0, abi.EFAULT
	}
	return copy(b, m[addr-testBase:]), nil
}

func words(w ...uint64) testMemory {
	b := make(testMemory, 8*len(w))
	for i, v := range w {
		le.PutUint64(b[8*i:], v)
	}
	return b
}

func TestTracedArguments(t *testing.T) {
	const at = testBase
	cwd := ^uint64(99)
	stat := make(testMemory, 144)
	le.PutUint32(stat[statModeAt:], abi.S_IFREG|0o644)
	le.PutUint64(stat[48:], 12)
	argv := append(words(at+24, at+27, 0), "ls\x00-l\x00"...)
	long := append(testMemory("0123456789abcdef0123456789abcdef!"), 0)
	for _, tt := range []struct {
		name  string
		kinds []Kind
		args  Args
		mem   testMemory
		val   uint64
		want  string
	}{
		{"open", []Kind{DirFd, Path, OpenFlg, Oct}, Args{cwd, at, abi.O_CLOEXEC, 0o644}, testMemory("/etc/passwd\x00"), 3, `AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC`},
		{"create", []Kind{DirFd, Path, OpenFlg, Oct}, Args{5, at, abi.O_WRONLY | abi.O_CREAT | abi.O_SYNC, 0o644}, testMemory("a\nb\x00"), 3, `5, "a\nb", O_WRONLY|O_CREAT|O_SYNC, 0644`},
		{"bad path", []Kind{Path}, Args{8}, nil, 0, "0x8"},
		{"no path", []Kind{Path}, Args{}, nil, 0, "NULL"},
		{"escapes", []Kind{Fd, InBuf, Size}, Args{1, at, 7}, testMemory("\x01a\x001\"\\\xff"), 7, `1, "\1a\0001\"\\\377", 7`},
		{"cut", []Kind{Fd, InBuf, Size}, Args{1, at, 33}, long, 33, `1, "0123456789abcdef0123456789abcdef"..., 33`},
		{"read", []Kind{Fd, Buf, Size}, Args{0, at, 100}, long, 2, `0, "01", 100`},
		{"failed read", []Kind{Fd, Buf, Size}, Args{0, at, 100}, long, ^uint64(8), `0, 0x1000, 100`},
		{"argv", []Kind{Strings, EnvList}, Args{at, at}, argv, 0, `["ls", "-l"], 0x1000 /* 2 vars */`},
		{"timespec", []Kind{Timespec, Addr}, Args{at, 0}, words(1, 5), 0, "{tv_sec=1, tv_nsec=5}, NULL"},
		{"stat", []Kind{Fd, StatOut}, Args{1, at}, stat, 0, "1, {st_mode=S_IFREG|0644, st_size=12, ...}"},
		{"wait", []Kind{Dec, WaitStatus, WaitFlg}, Args{^uint64(0), at, 1}, words(7 << 8), 9, "-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 7}], WNOHANG"},
		{"wait, killed", []Kind{WaitStatus}, Args{at}, words(9), 9, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]"},
		{"wait, stopped", []Kind{WaitStatus}, Args{at}, words(19<<8 | 0x7f), 9, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]"},
		{"pipe", []Kind{FdPair, FdFlg}, Args{at, abi.O_CLOEXEC}, words(3 | 4<<32), 0, "[3, 4], O_CLOEXEC"},
		{"limit", []Kind{Resource, RlimitOut}, Args{7, at}, words(8192<<10, ^uint64(0)), 0, "RLIMIT_NOFILE, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}"},
		{"signals", []Kind{SigsetIn, SigsetIn}, Args{at, at + 8}, words(1<<1|1<<16, ^uint64(1)), 0, "[INT CHLD], ~[HUP]"},
		{"mmap", []Kind{Addr, Size, Prot, MapFlg, Fd, Hex}, Args{0, 4096, 3, 0x22, ^uint64(0), 0}, nil, 0, "NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"},
		{"no access", []Kind{Prot, Access}, Args{0, 0}, nil, 0, "PROT_NONE, F_OK"},
		{"clone", []Kind{CloneFlg}, Args{abi.CLONE_VM | abi.CLONE_VFORK | 17}, nil, 0, "CLONE_VM|CLONE_VFORK|SIGCHLD"},
		{"fork", []Kind{CloneFlg}, Args{17}, nil, 0, "SIGCHLD"},
		{"kill", []Kind{Dec, Sig}, Args{1, 34}, nil, 0, "1, SIGRT_2"},
		{"unknown flags", []Kind{AtFlg, FcntlCmd}, Args{0x10000100, 77}, nil, 0, "AT_SYMLINK_NOFOLLOW|0x10000000, 0x4d"},
	} {
		p := printer{mem: tt.mem, kinds: tt.kinds, args: tt.args}
		n := p.before()
		p.val, p.failed = tt.val, failed(tt.val)
		p.after(n)
		if got := p.String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTracedResults(t *testing.T) {
	for _, tt := range []struct {
		ret  Kind
		val  uint64
		want string
	}{
		{Hex, 3, "3"},
		{Hex, ^uint64(1), "-1 ENOENT (No such file or directory)"},
		{Hex, ^uint64(511), "? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		{Addr, 0x7000, "0x7000"},
		{Oct, 0o22, "022"},
	} {
		if got := result(tt.ret, tt.val); got != tt.want {
			t.Errorf("result %#x: %s, want %s", tt.val, got, tt.want)
		}
	}
}

func TestTracedSiginfo(t *testing.T) {
	for _, tt := range []struct {
		info *abi.Siginfo
		want string
	}{
		{abi.NewSiginfo(abi.SIGCHLD, abi.CLD_EXITED).SetChild(7, 0, 3, 1, 2),
			"{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=0, si_status=3, si_utime=1, si_stime=2}"},
		{abi.NewSiginfo(abi.SIGUSR1, abi.SI_USER).SetSender(7, 1), "{si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=1}"},
		{abi.NewSiginfo(abi.SIGSEGV, abi.SEGV_MAPERR).SetAddr(16), "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}"},
		{abi.NewSiginfo(abi.SIGINT, abi.SI_KERNEL), "{si_signo=SIGINT, si_code=SI_KERNEL}"},
	} {
		if got := siginfoText(tt.info); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
