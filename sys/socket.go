// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func netRows() []Row {
	rows := []Row{
		{X86: 41, ARM64: 198, Name: "socket", Fn: socket, Args: []Kind{Dec, Hex, Dec}, Level: Partial, Note: "no address family yet: EAFNOSUPPORT"},
		{X86: 53, ARM64: 199, Name: "socketpair", Fn: socketpair, Args: []Kind{Dec, Hex, Dec, Addr}, Level: Partial, Note: "no address family yet: EAFNOSUPPORT"},
	}
	const note = "no descriptor is a socket yet: ENOTSOCK"
	for _, r := range []Row{
		{X86: 42, ARM64: 203, Name: "connect", Args: []Kind{Fd, Addr, Dec}},
		{X86: 43, ARM64: 202, Name: "accept", Args: []Kind{Fd, Addr, Addr}},
		{X86: 44, ARM64: 206, Name: "sendto", Args: []Kind{Fd, InBuf, Size, Hex, Addr, Dec}},
		{X86: 45, ARM64: 207, Name: "recvfrom", Args: []Kind{Fd, Addr, Size, Hex, Addr, Addr}},
		{X86: 46, ARM64: 211, Name: "sendmsg", Args: []Kind{Fd, Addr, Hex}},
		{X86: 47, ARM64: 212, Name: "recvmsg", Args: []Kind{Fd, Addr, Hex}},
		{X86: 48, ARM64: 210, Name: "shutdown", Args: []Kind{Fd, Dec}},
		{X86: 49, ARM64: 200, Name: "bind", Args: []Kind{Fd, Addr, Dec}},
		{X86: 50, ARM64: 201, Name: "listen", Args: []Kind{Fd, Dec}},
		{X86: 51, ARM64: 204, Name: "getsockname", Args: []Kind{Fd, Addr, Addr}},
		{X86: 52, ARM64: 205, Name: "getpeername", Args: []Kind{Fd, Addr, Addr}},
		{X86: 54, ARM64: 208, Name: "setsockopt", Args: []Kind{Fd, Dec, Dec, Addr, Dec}},
		{X86: 55, ARM64: 209, Name: "getsockopt", Args: []Kind{Fd, Dec, Dec, Addr, Addr}},
	} {
		r.Fn, r.Level, r.Note = notSocket, Partial, note
		rows = append(rows, r)
	}
	return rows
}

// notSocket is sockfd_lookup where no descriptor is a socket. Programs tell sockets
// from other descriptors by it: bash takes any other error of getpeername on its
// standard input for rshd's connection, and reads ~/.bashrc.
func notSocket(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	if f.IsPath() {
		return 0, abi.EBADF
	}
	return 0, abi.ENOTSOCK
}

// Types of sockets and their flags.
const (
	sockTypeMask = 0xf
	sockPacket   = 10 // the highest
	afMax        = 46 // AF_MAX
)

// socket is sock_create on a kernel without any address family: programs that
// ask for netlink (PAM, useradd) or a name service go on without on this error,
// but give up on ENOSYS.
func socket(_ *kernel.Task, a Args) (uint64, error) {
	switch typ := a.Uint(1); {
	case typ&^uint32(sockTypeMask|abi.O_CLOEXEC|abi.O_NONBLOCK) != 0:
		return 0, abi.EINVAL
	case a.Uint(0) >= afMax:
		return 0, abi.EAFNOSUPPORT
	case typ&sockTypeMask > sockPacket:
		return 0, abi.EINVAL
	}
	return 0, abi.EAFNOSUPPORT
}

func socketpair(t *kernel.Task, a Args) (uint64, error) { return socket(t, a) }
