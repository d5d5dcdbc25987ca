// SPDX-License-Identifier: Apache-2.0

package sys

func infoRows() []Row {
	return []Row{
		{X86: 63, ARM64: 160, Name: "uname", Fn: uname, Args: []Kind{Addr}},
		{X86: 99, ARM64: 179, Name: "sysinfo", Fn: sysinfo, Args: []Kind{Addr}},
		{X86: 167, ARM64: 224, Name: "swapon", Fn: swapon, Args: []Kind{Path, Hex}, Level: Partial, Note: "the area is taken and shown; nothing is ever swapped to it: that is the host's"},
		{X86: 168, ARM64: 225, Name: "swapoff", Fn: swapoff, Args: []Kind{Path}, Level: Partial, Note: "as swapon"},
		{X86: 170, ARM64: 161, Name: "sethostname", Fn: sethostname, Args: []Kind{Addr, Size}},
		{X86: 171, ARM64: 162, Name: "setdomainname", Fn: setdomainname, Args: []Kind{Addr, Size}},
		{X86: 103, ARM64: 116, Name: "syslog", Fn: syslog, Args: []Kind{Dec, Addr, Dec}},
	}
}
