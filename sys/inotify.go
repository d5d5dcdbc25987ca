// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func inotifyInit(t *kernel.Task, _ Args) (uint64, error) { return newInotify(t, 0) }

func inotifyInit1(t *kernel.Task, a Args) (uint64, error) { return newInotify(t, a.Int(0)) }

func newInotify(t *kernel.Task, flags int) (uint64, error) {
	f, err := fs.NewInotify(t.Context(), flags)
	if err != nil {
		return 0, err
	}
	return install(t, f, flags&abi.IN_CLOEXEC != 0)
}

func inotifyAddWatch(t *kernel.Task, a Args) (uint64, error) {
	mask := a.Uint(2)
	if mask == 0 || mask&^fs.InotifyMask != 0 {
		return 0, abi.EINVAL
	}
	return withFileValue(t, a.Int(0), func(f *fs.File) (uint64, error) {
		if err := fs.InotifyCheck(f, mask); err != nil {
			return 0, err
		}
		name, err := userPath(t, a[1])
		if err != nil {
			return 0, err
		}
		wd, err := fs.InotifyAdd(t.Context(), f, name, mask)
		return uint64(wd), err
	})
}

func inotifyRmWatch(t *kernel.Task, a Args) (uint64, error) {
	return withFile(t, a.Int(0), func(f *fs.File) error { return fs.InotifyRemove(f, int32(a.Int(1))) })
}
