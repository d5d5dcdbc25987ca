// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bytes"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

func mount(t *kernel.Task, a Args) (uint64, error) {
	fstype, err := optionalString(t, a[2])
	if err != nil {
		return 0, err
	}
	source, err := optionalString(t, a[0])
	if err != nil {
		return 0, err
	}
	data, err := mountData(t, a[4])
	if err != nil {
		return 0, err
	}
	target, err := userPath(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, fs.DoMount(t.Context(), source, target, fstype, a.Uint(3), data)
}

// optionalString reads a string of less than a page, empty for a null pointer;
// EINVAL when it is longer (strndup_user).
func optionalString(t *kernel.Task, addr uint64) (string, error) {
	if addr == 0 {
		return "", nil
	}
	b, err := userString(t, addr, pageSize)
	if err == abi.E2BIG {
		err = abi.EINVAL
	}
	return string(b), err
}

// mountData is copy_mount_options: what is readable of one page.
func mountData(t *kernel.Task, addr uint64) (string, error) {
	if addr == 0 {
		return "", nil
	}
	b := make([]byte, pageSize)
	n, err := t.CopyInSome(addr, b)
	if err != nil {
		return "", err
	}
	s, _, _ := bytes.Cut(b[:n], []byte{0})
	return string(s), nil
}

func umount2(t *kernel.Task, a Args) (uint64, error) {
	name, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, fs.Umount(t.Context(), name, a.Int(1))
}

func pivotRoot(t *kernel.Task, a Args) (uint64, error) {
	newRoot, err := userPath(t, a[0])
	if err != nil {
		return 0, err
	}
	putOld, err := userPath(t, a[1])
	if err != nil {
		return 0, err
	}
	ctx := t.Context()
	old := ctx.Root
	to, err := fs.Lookup(ctx, fs.Path{}, newRoot, fs.LookupFollow)
	if err != nil {
		return 0, err
	}
	if err := fs.PivotRoot(ctx, newRoot, putOld); err != nil {
		return 0, err
	}
	moveRoots(t.Kernel(), old, to)
	return 0, nil
}

// moveRoots is chroot_fs_refs: whoever was at the old root is at the new one.
func moveRoots(k *kernel.Kernel, old, to fs.Path) {
	for _, g := range k.Groups() {
		for _, t := range g.Threads() {
			if t.FS.Root() == old {
				t.FS.SetRoot(to)
			}
			if t.FS.Cwd() == old {
				t.FS.SetCwd(to)
			}
		}
	}
}
