// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func dup(t *kernel.Task, a Args) (uint64, error) {
	return dupAbove(t, a.Int(0), 0, false)
}

// dupAbove is F_DUPFD without its check of low.
func dupAbove(t *kernel.Task, fd, low int, cloexec bool) (uint64, error) {
	f, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	n, err := t.Files.Install(f, low, t.Rlimit(abi.RLIMIT_NOFILE).Cur, cloexec)
	if err != nil {
		f.DecRef()
		return 0, err
	}
	return uint64(n), nil
}

func dup2(t *kernel.Task, a Args) (uint64, error) {
	if a.Uint(0) == a.Uint(1) {
		return withFileValue(t, a.Int(0), func(*fs.File) (uint64, error) { return uint64(a.Uint(1)), nil })
	}
	return dupTo(t, a, false)
}

func dup3(t *kernel.Task, a Args) (uint64, error) {
	if a.Uint(2)&^abi.O_CLOEXEC != 0 || a.Uint(0) == a.Uint(1) {
		return 0, abi.EINVAL
	}
	return dupTo(t, a, a.Uint(2) != 0)
}

func dupTo(t *kernel.Task, a Args, cloexec bool) (uint64, error) {
	if uint64(a.Uint(1)) >= t.Rlimit(abi.RLIMIT_NOFILE).Cur || a.Int(1) < 0 {
		return 0, abi.EBADF
	}
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	if old := t.Files.InstallAt(f, a.Int(1), cloexec); old != nil {
		_ = closeFile(t, old)
	}
	return uint64(a.Uint(1)), nil
}

// withFileValue runs f on the file of descriptor fd.
func withFileValue(t *kernel.Task, fd int, f func(*fs.File) (uint64, error)) (uint64, error) {
	file, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	defer file.DecRef()
	return f(file)
}

func flock(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	return t.Sleep(kernel.Sleep{
		Try:     func() (uint64, error) { return 0, f.Flock(a.Int(1)) },
		Cleanup: func(bool) { f.DecRef() },
	})
}

// Device controls that every file knows, include/uapi/asm-generic/ioctls.h.
const (
	fioNCLEX = 0x5450
	fioCLEX  = 0x5451
	fioASYNC = 0x5452
	fioNBIO  = 0x5421
)

func ioctl(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	if f.IsPath() {
		f.DecRef()
		return 0, abi.EBADF
	}
	val, err := fileIoctl(t, f, a)
	if _, waits := err.(*fs.WouldBlock); !waits {
		f.DecRef()
		return val, err
	}
	return t.Sleep(kernel.Sleep{
		Try:     func() (uint64, error) { return fileIoctl(t, f, a) },
		Cleanup: func(bool) { f.DecRef() },
	})
}

// fileIoctl is do_vfs_ioctl.
func fileIoctl(t *kernel.Task, f *fs.File, a Args) (uint64, error) {
	switch a.Uint(1) {
	case fioCLEX:
		return 0, t.Files.SetCloexec(a.Int(0), true)
	case fioNCLEX:
		return 0, t.Files.SetCloexec(a.Int(0), false)
	case fioNBIO:
		return flagIoctl(t, f, a, abi.O_NONBLOCK)
	case fioASYNC:
		return flagIoctl(t, f, a, abi.O_ASYNC)
	case ficlone, ficloneRange, fidedupeRange:
		return 0, remap(t, f, a.Uint(1), a[2])
	}
	return f.Ioctl(t.Context(), a.Uint(1), a[2], t)
}

func flagIoctl(t *kernel.Task, f *fs.File, a Args, flag int) (uint64, error) {
	var b [4]byte
	if err := t.CopyIn(a[2], b[:]); err != nil {
		return 0, err
	}
	flags := f.Flags() &^ flag
	if le.Uint32(b[:]) != 0 {
		flags |= flag
	}
	return 0, setFlags(t, f, a.Int(0), flags)
}
