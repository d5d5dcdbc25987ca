// SPDX-License-Identifier: Apache-2.0

package tmpfs

import (
	"lodger/abi"
	"lodger/fs"
)

// memfdInode is the inode of a memfd: a tmpfs inode with a name of its own.
type memfdInode struct {
	*inode
	name string
}

// Dname gives the name in /proc/PID/fd.
func (m *memfdInode) Dname() string { return m.name }

// memfdFile adds seals to an open file.
type memfdFile struct{ file }

// Memfd is memfd_create(2): a nameless file on sb (a tmpfs kept for this),
// flags are MFD_*.
func Memfd(ctx *fs.Context, sb *fs.SuperBlock, name string, flags uint32) (*fs.File, error) {
	const known = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING | abi.MFD_NOEXEC_SEAL | abi.MFD_EXEC
	f, ok := sb.Ops.(*FS)
	if !ok || flags&^known != 0 || flags&(abi.MFD_EXEC|abi.MFD_NOEXEC_SEAL) == abi.MFD_EXEC|abi.MFD_NOEXEC_SEAL {
		return nil, abi.EINVAL
	}
	if len(name) > abi.NAME_MAX-len("memfd:") {
		return nil, abi.EINVAL
	}
	i, err := f.newInode(fs.NewAttr{Mode: abi.S_IFREG | 0o777, UID: ctx.Creds.FSUID, GID: ctx.Creds.FSGID, Now: ctx.Time()})
	if err != nil {
		return nil, err
	}
	i.attr.Nlink = 0
	i.seals = abi.F_SEAL_SEAL
	if flags&abi.MFD_ALLOW_SEALING != 0 {
		i.seals = 0
	}
	if flags&abi.MFD_NOEXEC_SEAL != 0 {
		i.attr.Mode &^= 0o111
		i.seals = abi.F_SEAL_EXEC
	}
	m := &memfdInode{i, "/memfd:" + name + " (deleted)"}
	file, err := sb.VFS.OpenNameless(ctx, sb, m, abi.O_RDWR|abi.O_LARGEFILE)
	if err != nil {
		i.Unpin()
	}
	return file, err
}

// Open makes another file of the memfd (through /proc/PID/fd).
func (m *memfdInode) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) {
	return memfdFile{file{m.inode}}, nil
}

// Seals is F_GET_SEALS.
func (m memfdFile) Seals() uint32 {
	m.inode.mu.Lock()
	defer m.inode.mu.Unlock()
	return m.inode.seals
}

// AddSeals is F_ADD_SEALS; writableMappings says that a shared writable mapping
// exists (EBUSY for F_SEAL_WRITE).
func (m memfdFile) AddSeals(seals uint32, writableMappings bool) error {
	const known = abi.F_SEAL_SEAL | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE | abi.F_SEAL_EXEC
	if seals&^known != 0 {
		return abi.EINVAL
	}
	i := m.inode
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.seals&abi.F_SEAL_SEAL != 0 {
		return abi.EPERM
	}
	if seals&abi.F_SEAL_WRITE != 0 && i.seals&abi.F_SEAL_WRITE == 0 && writableMappings {
		return abi.EBUSY
	}
	if seals&abi.F_SEAL_EXEC != 0 && i.attr.Mode&0o111 != 0 {
		seals |= abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE
	}
	i.seals |= seals
	return nil
}
