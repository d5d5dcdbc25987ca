// SPDX-License-Identifier: Apache-2.0

package sys

func timeRows() []Row {
	return []Row{
		{X86: 35, ARM64: 101, Name: "nanosleep", Fn: nanosleep, Args: []Kind{Timespec, Addr}},
		{X86: 230, ARM64: 115, Name: "clock_nanosleep", Fn: clockNanosleep, Args: []Kind{ClockID, Hex, Timespec, Addr}},
		{X86: 228, ARM64: 113, Name: "clock_gettime", Fn: clockGettime, Args: []Kind{ClockID, TimespecOut}},
		{X86: 229, ARM64: 114, Name: "clock_getres", Fn: clockGetres, Args: []Kind{ClockID, TimespecOut}},
		{X86: 227, ARM64: 112, Name: "clock_settime", Fn: clockSettime, Args: []Kind{ClockID, Timespec}, Level: Partial, Note: "EPERM: the clock is the host's"},
		{X86: 96, ARM64: 169, Name: "gettimeofday", Fn: gettimeofday, Args: []Kind{Addr, Addr}},
		{X86: 164, ARM64: 170, Name: "settimeofday", Fn: clockSettime, Args: []Kind{Addr, Addr}, Level: Partial, Note: "EPERM: the clock is the host's"},
		{X86: 201, ARM64: none, Name: "time", Fn: timeCall, Args: []Kind{Addr}},
		{X86: 37, ARM64: none, Name: "alarm", Fn: alarm, Args: []Kind{Dec}},
		{X86: 36, ARM64: 102, Name: "getitimer", Fn: getitimer, Args: []Kind{Dec, Addr}},
		{X86: 38, ARM64: 103, Name: "setitimer", Fn: setitimer, Args: []Kind{Dec, Addr, Addr}},
		{X86: 222, ARM64: 107, Name: "timer_create", Fn: timerCreate, Args: []Kind{ClockID, Addr, Addr}},
		{X86: 223, ARM64: 110, Name: "timer_settime", Fn: timerSettime, Args: []Kind{Dec, Hex, Addr, Addr}},
		{X86: 224, ARM64: 108, Name: "timer_gettime", Fn: timerGettime, Args: []Kind{Dec, Addr}},
		{X86: 225, ARM64: 109, Name: "timer_getoverrun", Fn: timerGetoverrun, Args: []Kind{Dec}},
		{X86: 226, ARM64: 111, Name: "timer_delete", Fn: timerDelete, Args: []Kind{Dec}},
	}
}
