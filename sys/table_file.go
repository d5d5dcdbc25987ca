// SPDX-License-Identifier: Apache-2.0

package sys

func fileRows() []Row {
	h := newFileIO()
	at, dec := DirFd, Dec
	return []Row{
		{X86: 0, ARM64: 63, Name: "read", Fn: h.read, Args: []Kind{Fd, Buf, Size}},
		{X86: 1, ARM64: 64, Name: "write", Fn: h.write, Args: []Kind{Fd, InBuf, Size}},
		{X86: 17, ARM64: 67, Name: "pread64", Fn: h.pread64, Args: []Kind{Fd, Buf, Size, dec}},
		{X86: 18, ARM64: 68, Name: "pwrite64", Fn: h.pwrite64, Args: []Kind{Fd, InBuf, Size, dec}},
		{X86: 19, ARM64: 65, Name: "readv", Fn: h.readv, Args: []Kind{Fd, Addr, dec}},
		{X86: 20, ARM64: 66, Name: "writev", Fn: h.writev, Args: []Kind{Fd, Addr, dec}},
		{X86: 295, ARM64: 69, Name: "preadv", Fn: h.preadv, Args: []Kind{Fd, Addr, dec, dec}},
		{X86: 296, ARM64: 70, Name: "pwritev", Fn: h.pwritev, Args: []Kind{Fd, Addr, dec, dec}},
		{X86: 327, ARM64: 286, Name: "preadv2", Fn: h.preadv2, Args: []Kind{Fd, Addr, dec, dec, Hex, Hex}},
		{X86: 328, ARM64: 287, Name: "pwritev2", Fn: h.pwritev2, Args: []Kind{Fd, Addr, dec, dec, Hex, Hex}},
		{X86: 8, ARM64: 62, Name: "lseek", Fn: lseek, Args: []Kind{Fd, Size, Whence}},

		{X86: 2, ARM64: none, Name: "open", Fn: open, Args: []Kind{Path, OpenFlg, Oct}},
		{X86: 257, ARM64: 56, Name: "openat", Fn: openat, Args: []Kind{at, Path, OpenFlg, Oct}},
		{X86: 437, ARM64: 437, Name: "openat2", Fn: openat2, Args: []Kind{at, Path, Addr, Size}},
		{X86: 85, ARM64: none, Name: "creat", Fn: creat, Args: []Kind{Path, Oct}},
		{X86: 3, ARM64: 57, Name: "close", Fn: closeFD, Args: []Kind{Fd}},
		{X86: 436, ARM64: 436, Name: "close_range", Fn: closeRange, Args: []Kind{dec, dec, Hex}},
		{X86: 32, ARM64: 23, Name: "dup", Fn: dup, Args: []Kind{Fd}},
		{X86: 33, ARM64: none, Name: "dup2", Fn: dup2, Args: []Kind{Fd, Fd}},
		{X86: 292, ARM64: 24, Name: "dup3", Fn: dup3, Args: []Kind{Fd, Fd, FdFlg}},
		{X86: 72, ARM64: 25, Name: "fcntl", Fn: fcntl, Args: []Kind{Fd, FcntlCmd, Hex}, Level: Partial, Note: "no leases, no F_NOTIFY"},
		{X86: 73, ARM64: 32, Name: "flock", Fn: flock, Args: []Kind{Fd, LockOp}},
		{X86: 16, ARM64: 29, Name: "ioctl", Fn: ioctl, Args: []Kind{Fd, IoctlCmd, Hex}},

		{X86: 4, ARM64: none, Name: "stat", Fn: stat, Args: []Kind{Path, StatOut}},
		{X86: 6, ARM64: none, Name: "lstat", Fn: lstat, Args: []Kind{Path, StatOut}},
		{X86: 5, ARM64: 80, Name: "fstat", Fn: fstat, Args: []Kind{Fd, StatOut}},
		{X86: 262, ARM64: 79, Name: "newfstatat", Fn: newfstatat, Args: []Kind{at, Path, StatOut, AtFlg}},
		{X86: 332, ARM64: 291, Name: "statx", Fn: statx, Args: []Kind{at, Path, AtFlg, Hex, Addr}},
		{X86: 137, ARM64: 43, Name: "statfs", Fn: statfs, Args: []Kind{Path, Addr}},
		{X86: 138, ARM64: 44, Name: "fstatfs", Fn: fstatfs, Args: []Kind{Fd, Addr}},
		{X86: 21, ARM64: none, Name: "access", Fn: access, Args: []Kind{Path, Access}},
		{X86: 269, ARM64: 48, Name: "faccessat", Fn: faccessat, Args: []Kind{at, Path, Access}},
		{X86: 439, ARM64: 439, Name: "faccessat2", Fn: faccessat2, Args: []Kind{at, Path, Access, AtFlg}},

		{X86: 22, ARM64: none, Name: "pipe", Fn: pipe, Args: []Kind{FdPair}},
		{X86: 293, ARM64: 59, Name: "pipe2", Fn: pipe2, Args: []Kind{FdPair, FdFlg}},

		{X86: 40, ARM64: 71, Name: "sendfile", Fn: sendfile, Args: []Kind{Fd, Fd, Addr, Size}},
		{X86: 275, ARM64: 76, Name: "splice", Fn: splice, Args: []Kind{Fd, Addr, Fd, Addr, Size, Hex}, Level: Partial, Note: "copies"},
		{X86: 276, ARM64: 77, Name: "tee", Fn: tee, Args: []Kind{Fd, Fd, Size, Hex}, Level: Partial, Note: "copies"},
		{X86: 278, ARM64: 75, Name: "vmsplice", Fn: h.vmsplice, Args: []Kind{Fd, Addr, dec, Hex}, Level: Partial, Note: "copies"},
		{X86: 326, ARM64: 285, Name: "copy_file_range", Fn: copyFileRange, Args: []Kind{Fd, Addr, Fd, Addr, Size, Hex}},
		{X86: 319, ARM64: 279, Name: "memfd_create", Fn: (&memfds{}).create, Args: []Kind{Path, Hex}, Level: Partial, Note: "no MFD_HUGETLB"},
	}
}
