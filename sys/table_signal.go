// SPDX-License-Identifier: Apache-2.0

package sys

import "lodger/host/notify"

// The calls that send are framed: most signals that a thread sends in a hurry are
// its own (raise), and with the frame at hand they need no kick.
func signalRows() []Row {
	return []Row{
		{X86: 13, ARM64: 134, Name: "rt_sigaction", Route: notify.RouteStub, Args: []Kind{Sig, Addr, Addr, Size}, Note: "answered in the guest process"},
		{X86: 14, ARM64: 135, Name: "rt_sigprocmask", Route: notify.RouteStub, Args: []Kind{Dec, SigsetIn, Addr, Size}, Note: "answered in the guest process"},
		{X86: 15, ARM64: 139, Name: "rt_sigreturn", Route: notify.RouteStub, Note: "answered in the guest process"},
		{X86: 131, ARM64: 132, Name: "sigaltstack", Fn: sigaltstack, Route: notify.RouteFrame, Args: []Kind{Addr, Addr}},
		{X86: 127, ARM64: 136, Name: "rt_sigpending", Fn: sigpending, Args: []Kind{SigsetOut, Size}},
		{X86: 130, ARM64: 133, Name: "rt_sigsuspend", Fn: sigsuspend, Args: []Kind{SigsetIn, Size}},
		{X86: 128, ARM64: 137, Name: "rt_sigtimedwait", Fn: sigtimedwait, Args: []Kind{SigsetIn, Addr, Timespec, Size}},
		{X86: 34, ARM64: none, Name: "pause", Fn: pause},
		{X86: 62, ARM64: 129, Name: "kill", Fn: kill, Route: notify.RouteFrame, Args: []Kind{Dec, Sig}},
		{X86: 200, ARM64: 130, Name: "tkill", Fn: tkill, Route: notify.RouteFrame, Args: []Kind{Dec, Sig}},
		{X86: 234, ARM64: 131, Name: "tgkill", Fn: tgkill, Route: notify.RouteFrame, Args: []Kind{Dec, Dec, Sig}},
		{X86: 129, ARM64: 138, Name: "rt_sigqueueinfo", Fn: sigqueueinfo, Route: notify.RouteFrame, Args: []Kind{Dec, Sig, Addr}},
		{X86: 297, ARM64: 240, Name: "rt_tgsigqueueinfo", Fn: tgsigqueueinfo, Route: notify.RouteFrame, Args: []Kind{Dec, Dec, Sig, Addr}},
	}
}
