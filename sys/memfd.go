// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/tmpfs"
	"lodger/kernel"
)

// memfds holds the file system of nameless files (shm_mnt of mm/shmem.c).
type memfds struct {
	once sync.Once
	sb   *fs.SuperBlock
	err  error
}

// super gives it.
func (m *memfds) super(ctx *fs.Context) (*fs.SuperBlock, error) {
	m.once.Do(func() { m.sb, m.err = tmpfs.New(ctx.VFS(), tmpfs.Options{}) })
	return m.sb, m.err
}

func (m *memfds) create(t *kernel.Task, a Args) (uint64, error) {
	const prefix = len("memfd:")
	name, err := userString(t, a[0], abi.NAME_MAX-prefix+1)
	if err == abi.E2BIG {
		err = abi.EINVAL
	}
	if err != nil {
		return 0, err
	}
	ctx := t.Context()
	sb, err := m.super(ctx)
	if err != nil {
		return 0, err
	}
	f, err := tmpfs.Memfd(ctx, sb, string(name), a.Uint(1))
	if err != nil {
		return 0, err
	}
	return install(t, f, a.Uint(1)&abi.MFD_CLOEXEC != 0)
}
