// SPDX-License-Identifier: Apache-2.0

package sys

import "lodger/host/notify"

func processRows() []Row {
	frame := notify.RouteFrame
	return []Row{
		{X86: 56, ARM64: 220, Name: "clone", Fn: clone, Route: frame, Args: []Kind{CloneFlg, Addr, Addr, Addr, Addr}, Level: Partial, Note: "no namespaces"},
		{X86: 57, ARM64: none, Name: "fork", Fn: fork, Route: frame},
		{X86: 58, ARM64: none, Name: "vfork", Fn: vfork, Route: frame},
		{X86: 435, ARM64: 435, Name: "clone3", Fn: clone3, Route: frame, Args: []Kind{Addr, Size}, Level: Partial, Note: "no namespaces, set_tid or cgroup"},
		{X86: 59, ARM64: 221, Name: "execve", Fn: execve, Route: frame, Args: []Kind{Path, Strings, EnvList}},
		{X86: 322, ARM64: 281, Name: "execveat", Fn: execveat, Route: frame, Args: []Kind{DirFd, Path, Strings, EnvList, AtFlg}},
		{X86: 60, ARM64: 93, Name: "exit", Fn: exit, Args: []Kind{Dec}},
		{X86: 231, ARM64: 94, Name: "exit_group", Fn: exitGroup, Args: []Kind{Dec}},
		{X86: 61, ARM64: 260, Name: "wait4", Fn: wait4, Args: []Kind{Dec, WaitStatus, WaitFlg, Addr}},
		{X86: 247, ARM64: 95, Name: "waitid", Fn: waitid, Args: []Kind{Dec, Dec, Addr, WaitFlg, Addr}},
		{X86: 39, ARM64: 172, Name: "getpid", Fn: getpid, Route: notify.RouteStub},
		{X86: 186, ARM64: 178, Name: "gettid", Fn: gettid, Route: notify.RouteStub},
		{X86: 110, ARM64: 173, Name: "getppid", Fn: getppid},
		{X86: 121, ARM64: 155, Name: "getpgid", Fn: getpgid, Args: []Kind{Dec}},
		{X86: 111, ARM64: none, Name: "getpgrp", Fn: getpgrp},
		{X86: 109, ARM64: 154, Name: "setpgid", Fn: setpgid, Args: []Kind{Dec, Dec}},
		{X86: 124, ARM64: 156, Name: "getsid", Fn: getsid, Args: []Kind{Dec}},
		{X86: 112, ARM64: 157, Name: "setsid", Fn: setsid},
		{X86: 157, ARM64: 167, Name: "prctl", Fn: prctl, Args: []Kind{Dec, Hex, Hex, Hex, Hex}, Level: Partial, Note: "names, death signal, dumpable, subreaper, no_new_privs, timer slack, capability bounds"},
		{X86: 273, ARM64: 99, Name: "set_robust_list", Fn: setRobustList, Args: []Kind{Addr, Size}},
		{X86: 274, ARM64: 100, Name: "get_robust_list", Fn: getRobustList, Args: []Kind{Dec, Addr, Addr}},
		{X86: 135, ARM64: 92, Name: "personality", Fn: personality, Args: []Kind{Hex}, Level: Partial, Note: "PER_LINUX only"},
		{X86: 97, ARM64: 163, Name: "getrlimit", Fn: getrlimit, Args: []Kind{Resource, RlimitOut}},
		{X86: 160, ARM64: 164, Name: "setrlimit", Fn: setrlimit, Args: []Kind{Resource, RlimitIn}},
		{X86: 302, ARM64: 261, Name: "prlimit64", Fn: prlimit64, Args: []Kind{Dec, Resource, RlimitIn, RlimitOut}},
		{X86: 98, ARM64: 165, Name: "getrusage", Fn: getrusage, Args: []Kind{Dec, Addr}},
		{X86: 100, ARM64: 153, Name: "times", Fn: times, Args: []Kind{Addr}},
		{X86: 140, ARM64: 141, Name: "getpriority", Fn: getpriority, Args: []Kind{Dec, Dec}},
		{X86: 141, ARM64: 140, Name: "setpriority", Fn: setpriority, Args: []Kind{Dec, Dec, Dec}},
		{X86: 203, ARM64: 122, Name: "sched_setaffinity", Fn: schedSetaffinity, Args: []Kind{Dec, Size, Addr}, Level: Partial, Note: "checked and applied to the host thread"},
		{X86: 204, ARM64: 123, Name: "sched_getaffinity", Fn: schedGetaffinity, Args: []Kind{Dec, Size, Addr}},
		{X86: 142, ARM64: 118, Name: "sched_setparam", Fn: schedSetparam, Args: []Kind{Dec, Addr}, Level: Partial, Note: "SCHED_OTHER only"},
		{X86: 143, ARM64: 121, Name: "sched_getparam", Fn: schedGetparam, Args: []Kind{Dec, Addr}},
		{X86: 144, ARM64: 119, Name: "sched_setscheduler", Fn: schedSetscheduler, Args: []Kind{Dec, Dec, Addr}, Level: Partial, Note: "SCHED_OTHER, BATCH and IDLE"},
		{X86: 145, ARM64: 120, Name: "sched_getscheduler", Fn: schedGetscheduler, Args: []Kind{Dec}},
		{X86: 146, ARM64: 125, Name: "sched_get_priority_max", Fn: schedPriorityMax, Args: []Kind{Dec}},
		{X86: 147, ARM64: 126, Name: "sched_get_priority_min", Fn: schedPriorityMin, Args: []Kind{Dec}},
		{X86: 169, ARM64: 142, Name: "reboot", Fn: reboot, Args: []Kind{Hex, Hex, Hex, Addr}},
		{X86: 309, ARM64: 168, Name: "getcpu", Fn: getcpu, Args: []Kind{Addr, Addr, Addr}},
		{X86: 219, ARM64: 128, Name: "restart_syscall", Fn: restartSyscall},
	}
}
