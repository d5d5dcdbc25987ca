// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func fork(t *kernel.Task, a Args) (uint64, error) {
	return t.Clone(kernel.CloneArgs{ExitSignal: abi.SIGCHLD})
}

func vfork(t *kernel.Task, a Args) (uint64, error) {
	return t.Clone(kernel.CloneArgs{Flags: abi.CLONE_VM | abi.CLONE_VFORK, ExitSignal: abi.SIGCHLD})
}

func clone3(t *kernel.Task, a Args) (uint64, error) {
	const (
		known = 88   // CLONE_ARGS_SIZE_VER2
		least = 64   // CLONE_ARGS_SIZE_VER0
		most  = 4096 // one page
	)
	size := a[1]
	if size > most {
		return 0, abi.E2BIG
	}
	if size < least {
		return 0, abi.EINVAL
	}
	b := make([]byte, max(size, known))
	if err := t.CopyIn(a[0], b[:size]); err != nil {
		return 0, err
	}
	for _, c := range b[known:] {
		if c != 0 {
			return 0, abi.E2BIG
		}
	}
	w := func(i int) uint64 { return le.Uint64(b[8*i:]) }
	flags, exitSignal, stack, stackSize := w(0), w(4), w(5), w(6)
	switch {
	case flags&(abi.CSIGNAL|abi.CLONE_DETACHED) != 0, exitSignal > abi.NSIG:
		return 0, abi.EINVAL
	case (stack == 0) != (stackSize == 0):
		return 0, abi.EINVAL
	case flags&(abi.CLONE_THREAD|abi.CLONE_PARENT) != 0 && exitSignal != 0:
		return 0, abi.EINVAL
	case w(9) != 0: // set_tid_size
		return 0, abi.EINVAL
	}
	return t.Clone(kernel.CloneArgs{
		Flags: flags, PIDFD: w(1), ChildTID: w(2), ParentTID: w(3), ExitSignal: int(exitSignal), Stack: stack + stackSize, TLS: w(7),
	})
}

func execve(t *kernel.Task, a Args) (uint64, error) {
	return exec(t, atFDCWD, a[0], a[1], a[2], 0)
}

func execveat(t *kernel.Task, a Args) (uint64, error) {
	return exec(t, a.Int(0), a[1], a[2], a[3], a.Int(4))
}
