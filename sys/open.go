// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func open(t *kernel.Task, a Args) (uint64, error) {
	return openFile(t, abi.AT_FDCWD, a[0], a.Int(1), a.Uint(2))
}

func creat(t *kernel.Task, a Args) (uint64, error) {
	return openFile(t, abi.AT_FDCWD, a[0], abi.O_CREAT|abi.O_WRONLY|abi.O_TRUNC, a.Uint(1))
}

func openat(t *kernel.Task, a Args) (uint64, error) {
	return openFile(t, a.Int(0), a[1], a.Int(2), a.Uint(3))
}

// openFile is do_sys_open: the mode counts only when a file is made.
func openFile(t *kernel.Task, dirfd int, path uint64, flags int, mode uint32) (uint64, error) {
	how := abi.OpenHow{Flags: uint64(uint32(flags))}
	if flags&(abi.O_CREAT|abi.O_TMPFILE_1) != 0 {
		how.Mode = uint64(mode & abi.S_IALLUGO)
	}
	return openHow(t, dirfd, path, how)
}

func openat2(t *kernel.Task, a Args) (uint64, error) {
	size := a[3]
	switch {
	case size < abi.OpenHowSize:
		return 0, abi.EINVAL
	case size > pageSize:
		return 0, abi.E2BIG
	}
	b := make([]byte, size)
	if err := t.CopyIn(a[2], b); err != nil {
		return 0, err
	}
	for _, c := range b[abi.OpenHowSize:] {
		if c != 0 { // something that only a later kernel knows
			return 0, abi.E2BIG
		}
	}
	how := abi.OpenHow{Flags: le.Uint64(b), Mode: le.Uint64(b[8:]), Resolve: le.Uint64(b[16:])}
	if err := fs.CheckOpenHow(how); err != nil {
		return 0, err
	}
	return openHow(t, a.Int(0), a[1], how)
}

func openHow(t *kernel.Task, dirfd int, path uint64, how abi.OpenHow) (uint64, error) {
	dir, name, err := userAt(t, dirfd, path)
	if err == nil && how.Resolve&(abi.RESOLVE_IN_ROOT|abi.RESOLVE_BENEATH) != 0 && name != "" && name[0] == '/' {
		dir, err = atDir(t, dirfd, "") // where absolute names start, too
	}
	if err != nil {
		return 0, err
	}
	if how.Flags&abi.O_CREAT != 0 && tableFull(t) {
		return 0, abi.EMFILE // before anything is made
	}
	f, err := fs.Open(t.Context(), dir, name, how)
	cloexec := how.Flags&abi.O_CLOEXEC != 0
	if _, waits := err.(*fs.WouldBlock); waits && f != nil {
		return finishOpen(t, f, cloexec)
	}
	if err != nil {
		return 0, err
	}
	return install(t, f, cloexec)
}

// tableFull reports whether no descriptor can be had.
func tableFull(t *kernel.Task) bool {
	limit := t.Rlimit(abi.RLIMIT_NOFILE).Cur
	if uint64(t.Files.Len()) < limit {
		return false
	}
	n := uint64(0)
	for _, fd := range t.Files.List() {
		if uint64(fd) < limit {
			n++
		}
	}
	return n == limit
}

// install gives f a descriptor, or drops it; EMFILE.
func install(t *kernel.Task, f *fs.File, cloexec bool) (uint64, error) {
	fd, err := t.Files.Install(f, 0, t.Rlimit(abi.RLIMIT_NOFILE).Cur, cloexec)
	if err != nil {
		f.DecRef()
		return 0, err
	}
	return uint64(fd), nil
}

// finishOpen waits for the other end of a FIFO.
func finishOpen(t *kernel.Task, f *fs.File, cloexec bool) (uint64, error) {
	return t.Sleep(kernel.Sleep{
		Try: func() (uint64, error) {
			if err := f.FinishOpen(); err != nil {
				return 0, err
			}
			return install(t, f.IncRef(), cloexec)
		},
		Cleanup: func(bool) { f.DecRef() },
	})
}

func closeFD(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Take(a.Int(0))
	if err != nil {
		return 0, err
	}
	return 0, closeFile(t, f)
}

// closeFile ends a descriptor's reference: its process's record locks on the file
// go with it.
func closeFile(t *kernel.Task, f *fs.File) error {
	err := f.Flush(t.Context(), t.Group())
	f.DecRef()
	return err
}

// Flags of close_range(2).
const (
	closeRangeUnshare = 2
	closeRangeCloexec = 4
)

func closeRange(t *kernel.Task, a Args) (uint64, error) {
	first, last, flags := a.Uint(0), a.Uint(1), a.Uint(2)
	if flags&^(closeRangeUnshare|closeRangeCloexec) != 0 || first > last {
		return 0, abi.EINVAL
	}
	if flags&closeRangeUnshare != 0 && t.Files.Users() > 1 {
		shared := t.Files
		t.Files = shared.Fork()
		shared.Drop(t.Context(), t.Group())
	}
	for _, fd := range t.Files.List() {
		if uint32(fd) < first || uint32(fd) > last {
			continue
		}
		if flags&closeRangeCloexec != 0 {
			_ = t.Files.SetCloexec(fd, true)
		} else if f, err := t.Files.Take(fd); err == nil {
			_ = closeFile(t, f)
		}
	}
	return 0, nil
}
