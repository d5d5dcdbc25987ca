// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func chmod(t *kernel.Task, a Args) (uint64, error) {
	return chmodAt(t, abi.AT_FDCWD, a[0], a.Uint(1), 0)
}

func fchmod(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error { return f.Chmod(t.Context(), a.Uint(1)) })
}

func fchmodat(t *kernel.Task, a Args) (uint64, error) {
	return chmodAt(t, a.Int(0), a[1], a.Uint(2), 0)
}

func fchmodat2(t *kernel.Task, a Args) (uint64, error) {
	return chmodAt(t, a.Int(0), a[1], a.Uint(2), a.Int(3))
}

func chmodAt(t *kernel.Task, dirfd int, path uint64, mode uint32, flags int) (uint64, error) {
	if flags&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAtEmpty(t, dirfd, path, flags)
	if err != nil {
		return 0, err
	}
	return 0, fs.Chmod(t.Context(), dir, name, mode, flags)
}

func chown(t *kernel.Task, a Args) (uint64, error) {
	return chownAt(t, abi.AT_FDCWD, a[0], a.Uint(1), a.Uint(2), 0)
}

func lchown(t *kernel.Task, a Args) (uint64, error) {
	return chownAt(t, abi.AT_FDCWD, a[0], a.Uint(1), a.Uint(2), abi.AT_SYMLINK_NOFOLLOW)
}

func fchown(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error { return f.Chown(t.Context(), a.Uint(1), a.Uint(2)) })
}

func fchownat(t *kernel.Task, a Args) (uint64, error) {
	return chownAt(t, a.Int(0), a[1], a.Uint(2), a.Uint(3), a.Int(4))
}

func chownAt(t *kernel.Task, dirfd int, path uint64, uid, gid uint32, flags int) (uint64, error) {
	if flags&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAtEmpty(t, dirfd, path, flags)
	if err != nil {
		return 0, err
	}
	return 0, fs.Chown(t.Context(), dir, name, uid, gid, flags)
}

func utime(t *kernel.Task, a Args) (uint64, error) {
	if a[1] == 0 {
		return utimensAt(t, abi.AT_FDCWD, a[0], nil, 0)
	}
	w, err := getWords(t, a[1], 2)
	if err != nil {
		return 0, err
	}
	times := [2]abi.Timespec{{Sec: int64(w[0])}, {Sec: int64(w[1])}}
	return utimensAt(t, abi.AT_FDCWD, a[0], &times, 0)
}

func utimes(t *kernel.Task, a Args) (uint64, error) {
	return futimesAt(t, abi.AT_FDCWD, a[0], a[1])
}

func futimesat(t *kernel.Task, a Args) (uint64, error) {
	return futimesAt(t, a.Int(0), a[1], a[2])
}

// futimesAt takes two struct timeval, or a null pointer for now.
func futimesAt(t *kernel.Task, dirfd int, path, addr uint64) (uint64, error) {
	if addr == 0 {
		return utimensAt(t, dirfd, path, nil, 0)
	}
	w, err := getWords(t, addr, 4)
	if err != nil {
		return 0, err
	}
	if w[1] >= 1e6 || w[3] >= 1e6 {
		return 0, abi.EINVAL
	}
	times := [2]abi.Timespec{{Sec: int64(w[0]), Nsec: int64(w[1]) * 1000}, {Sec: int64(w[2]), Nsec: int64(w[3]) * 1000}}
	return utimensAt(t, dirfd, path, &times, 0)
}

func utimensat(t *kernel.Task, a Args) (uint64, error) {
	var times *[2]abi.Timespec
	if a[2] != 0 {
		w, err := getWords(t, a[2], 4)
		if err != nil {
			return 0, err
		}
		times = &[2]abi.Timespec{{Sec: int64(w[0]), Nsec: int64(w[1])}, {Sec: int64(w[2]), Nsec: int64(w[3])}}
		if times[0].Nsec == abi.UTIME_OMIT && times[1].Nsec == abi.UTIME_OMIT {
			return 0, nil // not even the path is looked at
		}
	}
	return utimensAt(t, a.Int(0), a[1], times, a.Int(3))
}

// utimensAt is do_utimes: without a path it is about the descriptor.
func utimensAt(t *kernel.Task, dirfd int, path uint64, times *[2]abi.Timespec, flags int) (uint64, error) {
	if path == 0 && dirfd != abi.AT_FDCWD {
		if flags&^abi.AT_EMPTY_PATH != 0 {
			return 0, abi.EINVAL
		}
		return withFile(t, dirfd, func(f *fs.File) error { return f.Utimens(t.Context(), times) })
	}
	if flags&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	dir, name, err := userAt(t, dirfd, path)
	if err != nil {
		return 0, err
	}
	return 0, fs.Utimens(t.Context(), dir, name, times, flags)
}

func truncate(t *kernel.Task, a Args) (uint64, error) {
	name, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	if err := sizeLimit(t, a.Int64(1)); err != nil {
		return 0, err
	}
	return 0, fs.Truncate(t.Context(), fs.Path{}, name, a.Int64(1))
}

func ftruncate(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		if err := sizeLimit(t, a.Int64(1)); err != nil {
			return err
		}
		return f.Truncate(t.Context(), a.Int64(1))
	})
}

// sizeLimit is inode_newsize_ok: RLIMIT_FSIZE.
func sizeLimit(t *kernel.Task, size int64) error {
	if size > 0 && uint64(size) > t.Rlimit(abi.RLIMIT_FSIZE).Cur {
		return fileTooBig(t)
	}
	return nil
}

func fallocate(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		off, n := a.Int64(2), a.Int64(3)
		if a.Int(1)&abi.FALLOC_FL_KEEP_SIZE == 0 && off >= 0 && n > 0 {
			if err := sizeLimit(t, off+n); err != nil {
				return err
			}
		}
		return f.Fallocate(t.Context(), a.Int(1), off, n)
	})
}

func fsync(t *kernel.Task, a Args) (uint64, error)     { return syncFile(t, a.Int(0), false) }
func fdatasync(t *kernel.Task, a Args) (uint64, error) { return syncFile(t, a.Int(0), true) }

func syncFile(t *kernel.Task, fd int, dataOnly bool) (uint64, error) {
	f, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	return flushFile(t, f, dataOnly)
}

// flushFile flushes f and drops the reference.
func flushFile(t *kernel.Task, f *fs.File, dataOnly bool) (uint64, error) {
	return flushing(t, f, func(ctx *fs.Context, f *fs.File) (uint64, error) { return 0, f.Fsync(ctx, dataOnly) })
}

// flushing does what a file's flush is part of, beside the receiver where that reaches
// the host's disk, and drops the reference to f.
func flushing(t *kernel.Task, f *fs.File, do func(ctx *fs.Context, f *fs.File) (uint64, error)) (uint64, error) {
	ctx := *t.Context()
	ctx.MayWait = true
	call := func() (uint64, error) {
		defer f.DecRef()
		return do(&ctx, f)
	}
	if _, slow := f.Ops().(fs.Syncer); slow {
		return t.Slow(call)
	}
	return call()
}

// sync flushes all file systems, then what was written to block devices beside them
// (ksys_sync).
func syncAll(t *kernel.Task, _ Args) (uint64, error) {
	return t.Slow(func() (uint64, error) {
		t.Kernel().VFS.SyncAll()
		if b := t.Kernel().Block; b != nil {
			_ = b.Flush() // sync(2) has no errors
		}
		return 0, nil
	})
}

func syncSuper(sb *fs.SuperBlock) error {
	if s, ok := sb.Ops.(fs.SuperSyncer); ok {
		return s.Sync()
	}
	return nil
}

func syncfs(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	if f.IsPath() {
		f.DecRef()
		return 0, abi.EBADF
	}
	return t.Slow(func() (uint64, error) {
		defer f.DecRef()
		return 0, syncSuper(f.Path.Mnt.SB)
	})
}

func syncFileRange(t *kernel.Task, a Args) (uint64, error) {
	off, n, flags := a.Int64(1), a.Int64(2), a.Uint(3)
	if flags&^7 != 0 || off < 0 || n < 0 || off+n < off {
		return 0, abi.EINVAL
	}
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	switch {
	case f.IsPath():
		err = abi.EBADF
	case isStream(f):
		err = abi.ESPIPE
	case flags != 0:
		return flushFile(t, f, true)
	}
	f.DecRef()
	return 0, err
}

// fadvise64 takes advice and does nothing with it: the host reads ahead.
func fadvise64(t *kernel.Task, a Args) (uint64, error) {
	const adviceMost = 5 // POSIX_FADV_NOREUSE
	return withFile(t, a.Int(0), func(f *fs.File) error {
		switch {
		case f.IsPath():
			return abi.EBADF
		case f.Kind() == abi.S_IFIFO:
			return abi.ESPIPE
		case a.Int64(2) < 0 || a.Uint(3) > adviceMost:
			return abi.EINVAL
		}
		return nil
	})
}

func readahead(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error {
		switch {
		case !f.Readable():
			return abi.EBADF
		case f.Kind() != abi.S_IFREG && f.Kind() != abi.S_IFBLK:
			return abi.EINVAL
		}
		return nil
	})
}
