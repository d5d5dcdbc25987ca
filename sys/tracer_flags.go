// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"fmt"
	"strings"

	"lodger/abi"
)

// bit is a flag, or several that have one name; the wider ones come first.
type bit struct {
	mask uint64
	name string
}

// bitKinds are the kinds that are sets of flags. An access mode, a mapping's type
// and a clone's exit signal are handled by flagText.
var bitKinds = map[Kind][]bit{
	OpenFlg: {
		{abi.O_CREAT, "O_CREAT"}, {abi.O_EXCL, "O_EXCL"}, {abi.O_NOCTTY, "O_NOCTTY"}, {abi.O_TRUNC, "O_TRUNC"},
		{abi.O_APPEND, "O_APPEND"}, {abi.O_NONBLOCK, "O_NONBLOCK"}, {abi.O_SYNC, "O_SYNC"}, {abi.O_DSYNC, "O_DSYNC"},
		{abi.O_ASYNC, "O_ASYNC"}, {abi.O_DIRECT, "O_DIRECT"}, {abi.O_LARGEFILE, "O_LARGEFILE"}, {abi.O_NOFOLLOW, "O_NOFOLLOW"},
		{abi.O_NOATIME, "O_NOATIME"}, {abi.O_CLOEXEC, "O_CLOEXEC"}, {abi.O_PATH, "O_PATH"}, {abi.O_TMPFILE, "O_TMPFILE"},
		{abi.O_DIRECTORY, "O_DIRECTORY"},
	},
	FdFlg:  {{abi.O_CLOEXEC, "O_CLOEXEC"}, {abi.O_NONBLOCK, "O_NONBLOCK"}, {abi.O_DIRECT, "O_DIRECT"}},
	Prot:   {{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}, {0x1000000, "PROT_GROWSDOWN"}},
	Access: {{4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}},
	MapFlg: {
		{0x10, "MAP_FIXED"}, {0x20, "MAP_ANONYMOUS"}, {0x40, "MAP_32BIT"}, {0x100, "MAP_GROWSDOWN"}, {0x800, "MAP_DENYWRITE"},
		{0x1000, "MAP_EXECUTABLE"}, {0x2000, "MAP_LOCKED"}, {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
		{0x10000, "MAP_NONBLOCK"}, {0x20000, "MAP_STACK"}, {0x40000, "MAP_HUGETLB"}, {0x80000, "MAP_SYNC"}, {0x100000, "MAP_FIXED_NOREPLACE"},
	},
	CloneFlg: {
		{abi.CLONE_VM, "CLONE_VM"}, {abi.CLONE_FS, "CLONE_FS"}, {abi.CLONE_FILES, "CLONE_FILES"}, {abi.CLONE_SIGHAND, "CLONE_SIGHAND"},
		{abi.CLONE_PIDFD, "CLONE_PIDFD"}, {abi.CLONE_PTRACE, "CLONE_PTRACE"}, {abi.CLONE_VFORK, "CLONE_VFORK"}, {abi.CLONE_PARENT, "CLONE_PARENT"},
		{abi.CLONE_THREAD, "CLONE_THREAD"}, {abi.CLONE_NEWNS, "CLONE_NEWNS"}, {abi.CLONE_SYSVSEM, "CLONE_SYSVSEM"}, {abi.CLONE_SETTLS, "CLONE_SETTLS"},
		{abi.CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID"}, {abi.CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID"}, {abi.CLONE_DETACHED, "CLONE_DETACHED"},
		{abi.CLONE_UNTRACED, "CLONE_UNTRACED"}, {abi.CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID"}, {abi.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
		{abi.CLONE_NEWUTS, "CLONE_NEWUTS"}, {abi.CLONE_NEWIPC, "CLONE_NEWIPC"}, {abi.CLONE_NEWUSER, "CLONE_NEWUSER"}, {abi.CLONE_NEWPID, "CLONE_NEWPID"},
		{abi.CLONE_NEWNET, "CLONE_NEWNET"}, {abi.CLONE_IO, "CLONE_IO"}, {abi.CLONE_CLEAR_SIGHAND, "CLONE_CLEAR_SIGHAND"},
	},
	WaitFlg: {
		{1, "WNOHANG"}, {abi.WSTOPPED, "WSTOPPED"}, {abi.WEXITED, "WEXITED"}, {abi.WCONTINUED, "WCONTINUED"}, {abi.WNOWAIT, "WNOWAIT"},
		{abi.WNOTHREAD, "__WNOTHREAD"}, {abi.WALL, "__WALL"}, {abi.WCLONE, "__WCLONE"},
	},
	AtFlg: {
		{abi.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"}, {abi.AT_REMOVEDIR, "AT_REMOVEDIR"}, {abi.AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"},
		{abi.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"}, {abi.AT_EMPTY_PATH, "AT_EMPTY_PATH"}, {abi.AT_STATX_FORCE_SYNC, "AT_STATX_FORCE_SYNC"},
		{abi.AT_STATX_DONT_SYNC, "AT_STATX_DONT_SYNC"}, {abi.AT_RECURSIVE, "AT_RECURSIVE"},
	},
	LockOp: {{abi.LOCK_SH, "LOCK_SH"}, {abi.LOCK_EX, "LOCK_EX"}, {abi.LOCK_UN, "LOCK_UN"}, {abi.LOCK_NB, "LOCK_NB"}},
}

// numberKinds are the kinds of which each number has a name.
var numberKinds = map[Kind]map[uint32]string{
	Whence: {0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END", 3: "SEEK_DATA", 4: "SEEK_HOLE"},
	ClockID: {0: "CLOCK_REALTIME", 1: "CLOCK_MONOTONIC", 2: "CLOCK_PROCESS_CPUTIME_ID", 3: "CLOCK_THREAD_CPUTIME_ID", 4: "CLOCK_MONOTONIC_RAW",
		5: "CLOCK_REALTIME_COARSE", 6: "CLOCK_MONOTONIC_COARSE", 7: "CLOCK_BOOTTIME", 11: "CLOCK_TAI"},
	Resource: {0: "RLIMIT_CPU", 1: "RLIMIT_FSIZE", 2: "RLIMIT_DATA", 3: "RLIMIT_STACK", 4: "RLIMIT_CORE", 5: "RLIMIT_RSS", 6: "RLIMIT_NPROC",
		7: "RLIMIT_NOFILE", 8: "RLIMIT_MEMLOCK", 9: "RLIMIT_AS", 10: "RLIMIT_LOCKS", 11: "RLIMIT_SIGPENDING", 12: "RLIMIT_MSGQUEUE",
		13: "RLIMIT_NICE", 14: "RLIMIT_RTPRIO", 15: "RLIMIT_RTTIME"},
	FcntlCmd: {0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 8: "F_SETOWN",
		9: "F_GETOWN", 10: "F_SETSIG", 11: "F_GETSIG", 15: "F_SETOWN_EX", 16: "F_GETOWN_EX", 36: "F_OFD_GETLK", 37: "F_OFD_SETLK", 38: "F_OFD_SETLKW",
		1024: "F_SETLEASE", 1025: "F_GETLEASE", 1030: "F_DUPFD_CLOEXEC", 1031: "F_SETPIPE_SZ", 1032: "F_GETPIPE_SZ", 1033: "F_ADD_SEALS", 1034: "F_GET_SEALS"},
	IoctlCmd: {0x5401: "TCGETS", 0x5402: "TCSETS", 0x5403: "TCSETSW", 0x5404: "TCSETSF", 0x540b: "TCFLSH", 0x540e: "TIOCSCTTY", 0x540f: "TIOCGPGRP",
		0x5410: "TIOCSPGRP", 0x5413: "TIOCGWINSZ", 0x5414: "TIOCSWINSZ", 0x541b: "FIONREAD", 0x5421: "FIONBIO", 0x5422: "TIOCNOTTY", 0x5429: "TIOCGSID",
		0x5450: "FIONCLEX", 0x5451: "FIOCLEX", 0x802c542a: "TCGETS2"},
	EpollOp: {1: "EPOLL_CTL_ADD", 2: "EPOLL_CTL_DEL", 3: "EPOLL_CTL_MOD"},
	Advice: {0: "MADV_NORMAL", 1: "MADV_RANDOM", 2: "MADV_SEQUENTIAL", 3: "MADV_WILLNEED", 4: "MADV_DONTNEED", 8: "MADV_FREE", 9: "MADV_REMOVE",
		10: "MADV_DONTFORK", 11: "MADV_DOFORK", 14: "MADV_HUGEPAGE", 15: "MADV_NOHUGEPAGE", 16: "MADV_DONTDUMP", 17: "MADV_DODUMP"},
}

// flagText shows a value of kinds that are flags or names; false: k is no such
// kind.
func flagText(k Kind, v uint64) (string, bool) {
	if names, ok := numberKinds[k]; ok {
		if name, ok := names[uint32(v)]; ok {
			return name, true
		}
		return hex(v & 0xffffffff), true
	}
	if k == Sig {
		return signalName(int(int32(v))), true
	}
	bits, ok := bitKinds[k]
	if !ok {
		return "", false
	}
	if k != CloneFlg {
		v &= 0xffffffff
	}
	var first string
	rest := v
	switch k {
	case OpenFlg:
		first = [...]string{"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"}[v&abi.O_ACCMODE]
		rest = v &^ abi.O_ACCMODE
	case MapFlg:
		first = map[uint64]string{1: "MAP_SHARED", 2: "MAP_PRIVATE", 3: "MAP_SHARED_VALIDATE"}[v&mapType]
		if first != "" {
			rest = v &^ mapType
		}
	case CloneFlg:
		rest = v &^ abi.CSIGNAL
	}
	s := bitText(first, bits, rest)
	if k == CloneFlg && v&abi.CSIGNAL != 0 {
		s = strings.TrimPrefix(s+"|"+signalName(int(v&abi.CSIGNAL)), "0|")
	}
	switch {
	case s != "0":
	case k == Prot:
		s = "PROT_NONE"
	case k == Access:
		s = "F_OK"
	}
	return s, true
}

// bitText joins the names of the bits in v after first.
func bitText(first string, bits []bit, v uint64) string {
	var names []string
	if first != "" {
		names = append(names, first)
	}
	for _, b := range bits {
		if v&b.mask == b.mask {
			names = append(names, b.name)
			v &^= b.mask
		}
	}
	if v != 0 {
		names = append(names, fmt.Sprintf("%#x", v))
	}
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, "|")
}
