// SPDX-License-Identifier: Apache-2.0

package sys

func pollRows() []Row {
	e := &epollIO{}
	return []Row{
		{X86: 7, ARM64: none, Name: "poll", Fn: poll, Args: []Kind{Addr, Dec, Dec}},
		{X86: 271, ARM64: 73, Name: "ppoll", Fn: ppoll, Args: []Kind{Addr, Dec, Timespec, SigsetIn, Size}},
		{X86: 23, ARM64: none, Name: "select", Fn: selectCall, Args: []Kind{Dec, Addr, Addr, Addr, Addr}},
		{X86: 270, ARM64: 72, Name: "pselect6", Fn: pselect6, Args: []Kind{Dec, Addr, Addr, Addr, Timespec, Addr}},
		{X86: 213, ARM64: none, Name: "epoll_create", Fn: epollCreate, Args: []Kind{Dec}},
		{X86: 291, ARM64: 20, Name: "epoll_create1", Fn: epollCreate1, Args: []Kind{FdFlg}},
		{X86: 233, ARM64: 21, Name: "epoll_ctl", Fn: epollCtl, Args: []Kind{Fd, EpollOp, Fd, Addr}},
		{X86: 232, ARM64: none, Name: "epoll_wait", Fn: e.wait, Args: []Kind{Fd, Addr, Dec, Dec}},
		{X86: 281, ARM64: 22, Name: "epoll_pwait", Fn: e.pwait, Args: []Kind{Fd, Addr, Dec, Dec, SigsetIn, Size}},
		{X86: 441, ARM64: 441, Name: "epoll_pwait2", Fn: e.pwait2, Args: []Kind{Fd, Addr, Dec, Timespec, SigsetIn, Size}},

		{X86: 284, ARM64: none, Name: "eventfd", Fn: eventfd, Args: []Kind{Dec}},
		{X86: 290, ARM64: 19, Name: "eventfd2", Fn: eventfd2, Args: []Kind{Dec, FdFlg}},
		{X86: 283, ARM64: 85, Name: "timerfd_create", Fn: timerfdCreate, Args: []Kind{ClockID, FdFlg}},
		{X86: 286, ARM64: 86, Name: "timerfd_settime", Fn: timerfdSettime, Args: []Kind{Fd, Hex, Addr, Addr}, Level: Partial, Note: "TFD_TIMER_CANCEL_ON_SET: the guest's clock is never set"},
		{X86: 287, ARM64: 87, Name: "timerfd_gettime", Fn: timerfdGettime, Args: []Kind{Fd, Addr}},
		{X86: 282, ARM64: none, Name: "signalfd", Fn: signalfd, Args: []Kind{Fd, SigsetIn, Size}},
		{X86: 289, ARM64: 74, Name: "signalfd4", Fn: signalfd4, Args: []Kind{Fd, SigsetIn, Size, FdFlg}},
		{X86: 253, ARM64: none, Name: "inotify_init", Fn: inotifyInit},
		{X86: 294, ARM64: 26, Name: "inotify_init1", Fn: inotifyInit1, Args: []Kind{FdFlg}},
		{X86: 254, ARM64: 27, Name: "inotify_add_watch", Fn: inotifyAddWatch, Args: []Kind{Fd, Path, Hex}},
		{X86: 255, ARM64: 28, Name: "inotify_rm_watch", Fn: inotifyRmWatch, Args: []Kind{Fd, Dec}},
	}
}
