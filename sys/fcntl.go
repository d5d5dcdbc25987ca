// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func fcntl(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	cmd := a.Int(1)
	if f.IsPath() && !pathFcntl(cmd) {
		f.DecRef()
		return 0, abi.EBADF
	}
	if cmd == abi.F_SETLKW || cmd == abi.F_OFD_SETLKW {
		return setLockWait(t, f, a)
	}
	defer f.DecRef()
	switch cmd {
	case abi.F_DUPFD, abi.F_DUPFD_CLOEXEC:
		if a[2] >= t.Rlimit(abi.RLIMIT_NOFILE).Cur {
			return 0, abi.EINVAL
		}
		return dupAbove(t, a.Int(0), int(a[2]), cmd == abi.F_DUPFD_CLOEXEC)
	case abi.F_GETFD:
		on, err := t.Files.Cloexec(a.Int(0))
		if on {
			return abi.FD_CLOEXEC, err
		}
		return 0, err
	case abi.F_SETFD:
		return 0, t.Files.SetCloexec(a.Int(0), a[2]&abi.FD_CLOEXEC != 0)
	case abi.F_GETFL:
		return uint64(f.Flags()), nil
	case abi.F_SETFL:
		return 0, setFlags(t, f, a.Int(0), a.Int(2))
	case abi.F_GETLK, abi.F_OFD_GETLK:
		return getLock(t, f, a)
	case abi.F_SETLK, abi.F_OFD_SETLK:
		return setLock(t, f, a, false)
	}
	return fcntlMore(t, f, cmd, a)
}

// pathFcntl is check_fcntl_cmd: what O_PATH files can do.
func pathFcntl(cmd int) bool {
	switch cmd {
	case abi.F_DUPFD, abi.F_DUPFD_CLOEXEC, abi.F_DUPFD_QUERY, abi.F_CREATED_QUERY, abi.F_GETFD, abi.F_SETFD, abi.F_GETFL:
		return true
	}
	return false
}

// fcntlMore serves the commands that few use.
func fcntlMore(t *kernel.Task, f *fs.File, cmd int, a Args) (uint64, error) {
	switch cmd {
	case abi.F_SETOWN, abi.F_GETOWN, abi.F_SETOWN_EX, abi.F_GETOWN_EX, abi.F_SETSIG, abi.F_GETSIG:
		return fcntlOwner(t, f, cmd, a)
	case abi.F_GETPIPE_SZ:
		n, err := fs.PipeSize(f)
		return uint64(n), err
	case abi.F_SETPIPE_SZ:
		n, err := fs.SetPipeSize(f, a.Int(2), t.Creds().Capable(abi.CAP_SYS_RESOURCE))
		return uint64(n), err
	case abi.F_ADD_SEALS, abi.F_GET_SEALS:
		return fcntlSeals(t, f, cmd, a)
	case abi.F_DUPFD_QUERY:
		return dupQuery(t, f, a.Int(2))
	case abi.F_GETLEASE:
		return abi.F_UNLCK, nil
	case abi.F_SETLEASE:
		if a.Int(2) == abi.F_UNLCK {
			return 0, abi.EAGAIN // there is none
		}
		return 0, abi.EINVAL
	case abi.F_CREATED_QUERY:
		return 0, nil
	case abi.F_GET_RW_HINT:
		return 0, putWords(t, a[2], 0)
	case abi.F_SET_RW_HINT:
		w, err := getWords(t, a[2], 1)
		if err == nil && w[0] > 5 {
			err = abi.EINVAL
		}
		return 0, err
	}
	return 0, abi.EINVAL
}

func dupQuery(t *kernel.Task, f *fs.File, fd int) (uint64, error) {
	return withFileValue(t, fd, func(g *fs.File) (uint64, error) {
		if f == g {
			return 1, nil
		}
		return 0, nil
	})
}

func fcntlSeals(t *kernel.Task, f *fs.File, cmd int, a Args) (uint64, error) {
	s, ok := f.Ops().(fs.Sealer)
	if !ok {
		return 0, abi.EINVAL
	}
	if cmd == abi.F_GET_SEALS {
		return uint64(s.Seals()), nil
	}
	if !f.Writable() {
		return 0, abi.EPERM
	}
	writable := a.Uint(2)&abi.F_SEAL_WRITE != 0 && t.Kernel().WritablyMapped(f)
	return 0, s.AddSeals(a.Uint(2), writable)
}

// userFlock reads a struct flock.
func userFlock(t *kernel.Task, addr uint64) (abi.Flock, error) {
	var b [32]byte
	if err := t.CopyIn(addr, b[:]); err != nil {
		return abi.Flock{}, err
	}
	return decodeFlock(b[:]), nil
}

func decodeFlock(b []byte) abi.Flock {
	return abi.Flock{
		Type:   int16(le.Uint16(b)),
		Whence: int16(le.Uint16(b[2:])),
		Start:  int64(le.Uint64(b[8:])),
		Len:    int64(le.Uint64(b[16:])),
		PID:    int32(le.Uint32(b[24:])),
	}
}

// lockOf gives owner and range of a lock command. Locks of open file
// descriptions belong to the file and must name no process.
func lockOf(t *kernel.Task, f *fs.File, a Args) (owner any, lk fs.Lock, err error) {
	fl, err := userFlock(t, a[2])
	if err != nil {
		return nil, lk, err
	}
	if lk, err = f.LockRange(fl); err != nil {
		return nil, lk, err
	}
	owner, lk.PID = t.Group(), t.PID()
	switch a.Int(1) {
	case abi.F_OFD_GETLK, abi.F_OFD_SETLK, abi.F_OFD_SETLKW:
		if fl.PID != 0 {
			return nil, lk, abi.EINVAL
		}
		owner, lk.PID = f, -1
	}
	return owner, lk, nil
}

func getLock(t *kernel.Task, f *fs.File, a Args) (uint64, error) {
	owner, lk, err := lockOf(t, f, a)
	if err != nil {
		return 0, err
	}
	if lk.Type == abi.F_UNLCK && a.Int(1) == abi.F_GETLK {
		return 0, abi.EINVAL
	}
	got, err := f.GetLock(owner, lk)
	if err != nil {
		return 0, err
	}
	var b [32]byte
	if got.Type == abi.F_UNLCK { // Linux changes nothing else then
		if err := t.CopyIn(a[2], b[:]); err != nil {
			return 0, err
		}
		le.PutUint16(b[0:], abi.F_UNLCK)
		return 0, t.CopyOut(a[2], b[:])
	}
	le.PutUint16(b[0:], uint16(got.Type))
	le.PutUint64(b[8:], uint64(got.Start))
	if got.End != 1<<63-1 {
		le.PutUint64(b[16:], uint64(got.End-got.Start+1))
	}
	le.PutUint32(b[24:], uint32(got.PID))
	return 0, t.CopyOut(a[2], b[:])
}

func setLock(t *kernel.Task, f *fs.File, a Args, block bool) (uint64, error) {
	owner, lk, err := lockOf(t, f, a)
	if err != nil {
		return 0, err
	}
	return 0, f.SetLock(owner, lk, block)
}

// setLockWait is F_SETLKW; it ends the caller's reference to f.
func setLockWait(t *kernel.Task, f *fs.File, a Args) (uint64, error) {
	owner, lk, err := lockOf(t, f, a)
	if err != nil {
		f.DecRef()
		return 0, err
	}
	return t.Sleep(kernel.Sleep{
		Try:     func() (uint64, error) { return 0, f.SetLock(owner, lk, true) },
		Cleanup: func(bool) { f.DecRef() },
	})
}
