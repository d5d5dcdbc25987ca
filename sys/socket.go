// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func netRows() []Row {
	return []Row{
		{X86: 41, ARM64: 198, Name: "socket", Fn: socket, Args: []Kind{Dec, Hex, Dec}, Level: Partial, Note: "no address family yet: EAFNOSUPPORT"},
		{X86: 53, ARM64: 199, Name: "socketpair", Fn: socketpair, Args: []Kind{Dec, Hex, Dec, Addr}, Level: Partial, Note: "no address family yet: EAFNOSUPPORT"},
	}
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
