// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"math"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func copyFileRange(t *kernel.Task, a Args) (uint64, error) {
	in, out, err := twoFiles(t, a.Int(0), a.Int(2))
	if err != nil {
		return 0, err
	}
	defer in.DecRef()
	defer out.DecRef()
	inOff, err := userOffset(t, a[1])
	if err != nil {
		return 0, err
	}
	outOff, err := userOffset(t, a[3])
	if err != nil {
		return 0, err
	}
	if a.Uint(5) != 0 {
		return 0, abi.EINVAL
	}
	n := int64(min(a[4], math.MaxInt64))
	if err := checkCopyRange(in, out, inOff, outOff, n); err != nil {
		return 0, err
	}
	done, err := fs.CopyRange(t.Context(), out, outOff, in, inOff, min(n, copyMost))
	if err != nil {
		return 0, err
	}
	if err := putOffset(t, a[1], inOff); err != nil {
		return 0, err
	}
	return uint64(done), putOffset(t, a[3], outOff)
}

// checkCopyRange is generic_copy_file_checks.
func checkCopyRange(in, out *fs.File, inOff, outOff *int64, n int64) error {
	for _, f := range []*fs.File{in, out} {
		switch f.Kind() {
		case abi.S_IFREG:
		case abi.S_IFDIR:
			return abi.EISDIR
		default:
			return abi.EINVAL
		}
	}
	if !in.Readable() || !out.Writable() || in.IsPath() || out.IsPath() || out.Flags()&abi.O_APPEND != 0 {
		return abi.EBADF
	}
	if in.Path.Mnt.SB != out.Path.Mnt.SB { // since Linux 5.19; programs copy by hand then
		return abi.EXDEV
	}
	from, to := offsetOr(inOff, in), offsetOr(outOff, out)
	if n > math.MaxInt64-from || n > math.MaxInt64-to {
		return abi.EOVERFLOW
	}
	if in.Inode() == out.Inode() && from < to+n && to < from+n {
		return abi.EINVAL
	}
	return nil
}

func offsetOr(off *int64, f *fs.File) int64 {
	if off != nil {
		return *off
	}
	return f.Pos()
}
