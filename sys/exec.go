// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"strconv"

	"lodger/abi"
	"lodger/kernel"
)

const atFDCWD = -100

func exec(t *kernel.Task, dirfd int, path, argv, envp uint64, flags int) (uint64, error) {
	r := pageReader{t: t}
	name, err := r.str(path, pageSize)
	if err == abi.E2BIG {
		err = abi.ENAMETOOLONG
	}
	if err != nil {
		return 0, err
	}
	if name == "" && flags&abi.AT_EMPTY_PATH == 0 {
		return 0, abi.ENOENT
	}
	if flags&^(abi.AT_EMPTY_PATH|abi.AT_SYMLINK_NOFOLLOW) != 0 {
		return 0, abi.EINVAL
	}
	x := kernel.ExecArgs{Path: name, AtFlags: flags, Dir: t.FS.Cwd()}
	if dirfd != atFDCWD && (name == "" || name[0] != '/') {
		f, err := t.Files.Get(dirfd)
		if err != nil {
			return 0, err
		}
		defer f.DecRef()
		x.Dir = f.Path
		x.FDName = "/dev/fd/" + strconv.Itoa(dirfd)
		x.FDCloexec, _ = t.Files.Cloexec(dirfd)
		if name != "" {
			x.FDName += "/" + name
		}
	}
	if x.Argv, err = r.list(argv); err != nil {
		return 0, err
	}
	if x.Envp, err = r.list(envp); err != nil {
		return 0, err
	}
	return t.Exec(x)
}

func exit(t *kernel.Task, a Args) (uint64, error)      { return t.Exit(int32(a[0])) }
func exitGroup(t *kernel.Task, a Args) (uint64, error) { return t.ExitGroup(int32(a[0])) }
