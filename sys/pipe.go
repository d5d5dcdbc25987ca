// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func pipe(t *kernel.Task, a Args) (uint64, error) { return makePipe(t, a[0], 0) }

func pipe2(t *kernel.Task, a Args) (uint64, error) { return makePipe(t, a[0], a.Int(1)) }

func makePipe(t *kernel.Task, addr uint64, flags int) (uint64, error) {
	// O_EXCL is O_NOTIFICATION_PIPE (EINVAL with its config off: ENOPKG is gone).
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_DIRECT) != 0 {
		return 0, abi.EINVAL
	}
	r, w, err := fs.NewPipe(t.Context(), flags)
	if err != nil {
		return 0, err
	}
	return installPair(t, r, w, flags&abi.O_CLOEXEC != 0, addr)
}

// installPair gives two files descriptors and stores these at addr, or drops
// everything.
func installPair(t *kernel.Task, one, two *fs.File, cloexec bool, addr uint64) (uint64, error) {
	fd1, err := install(t, one, cloexec)
	if err != nil {
		two.DecRef()
		return 0, err
	}
	fd2, err := install(t, two, cloexec)
	if err != nil {
		takeBack(t, fd1)
		return 0, err
	}
	var b [8]byte
	le.PutUint32(b[:], uint32(fd1))
	le.PutUint32(b[4:], uint32(fd2))
	if err := t.CopyOut(addr, b[:]); err != nil {
		takeBack(t, fd1)
		takeBack(t, fd2)
		return 0, err
	}
	return 0, nil
}

func takeBack(t *kernel.Task, fd uint64) {
	if f, err := t.Files.Take(int(fd)); err == nil {
		f.DecRef()
	}
}
