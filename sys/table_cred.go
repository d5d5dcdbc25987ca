// SPDX-License-Identifier: Apache-2.0

package sys

func credRows() []Row {
	return []Row{
		{X86: 102, ARM64: 174, Name: "getuid", Fn: getuid},
		{X86: 104, ARM64: 176, Name: "getgid", Fn: getgid},
		{X86: 107, ARM64: 175, Name: "geteuid", Fn: geteuid},
		{X86: 108, ARM64: 177, Name: "getegid", Fn: getegid},
		{X86: 105, ARM64: 146, Name: "setuid", Fn: setuid, Args: []Kind{Dec}},
		{X86: 106, ARM64: 144, Name: "setgid", Fn: setgid, Args: []Kind{Dec}},
		{X86: 113, ARM64: 145, Name: "setreuid", Fn: setreuid, Args: []Kind{Dec, Dec}},
		{X86: 114, ARM64: 143, Name: "setregid", Fn: setregid, Args: []Kind{Dec, Dec}},
		{X86: 117, ARM64: 147, Name: "setresuid", Fn: setresuid, Args: []Kind{Dec, Dec, Dec}},
		{X86: 118, ARM64: 148, Name: "getresuid", Fn: getresuid, Args: []Kind{Addr, Addr, Addr}},
		{X86: 119, ARM64: 149, Name: "setresgid", Fn: setresgid, Args: []Kind{Dec, Dec, Dec}},
		{X86: 120, ARM64: 150, Name: "getresgid", Fn: getresgid, Args: []Kind{Addr, Addr, Addr}},
		{X86: 122, ARM64: 151, Name: "setfsuid", Fn: setfsuid, Args: []Kind{Dec}},
		{X86: 123, ARM64: 152, Name: "setfsgid", Fn: setfsgid, Args: []Kind{Dec}},
		{X86: 115, ARM64: 158, Name: "getgroups", Fn: getgroups, Args: []Kind{Dec, Addr}},
		{X86: 116, ARM64: 159, Name: "setgroups", Fn: setgroups, Args: []Kind{Dec, Addr}},
		{X86: 125, ARM64: 90, Name: "capget", Fn: capget, Args: []Kind{Addr, Addr}},
		{X86: 126, ARM64: 91, Name: "capset", Fn: capset, Args: []Kind{Addr, Addr}},
	}
}
