// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"fmt"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/tmpfs"
	"lodger/ipc"
	"lodger/kernel"
)

// shm is System V shared memory.
type shm struct {
	segs  ipc.Shm
	files memfds // the segments' memory
}

func newShm() *shm {
	h := &shm{}
	h.segs.Make = h.make
	return h
}

// make makes the memory of a segment.
func (h *shm) make(ctx *fs.Context, key int32, size uint64) (*fs.File, error) {
	sb, err := h.files.super(ctx)
	if err != nil {
		return nil, err
	}
	f, err := tmpfs.Memfd(ctx, sb, fmt.Sprintf("SYSV%08x", uint32(key)), 0)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(ctx, int64(size)); err != nil {
		f.DecRef()
		return nil, abi.ENOMEM
	}
	return f, nil
}

func (h *shm) get(t *kernel.Task, a Args) (uint64, error) {
	id, err := h.segs.Get(t.Context(), t.PID(), int32(a.Int(0)), a[1], a.Int(2))
	return uint64(id), err
}

// at is do_shmat.
func (h *shm) at(t *kernel.Task, a Args) (uint64, error) {
	id, addr, flags := int32(a.Int(0)), a[1], a.Int(2)
	switch {
	case id < 0:
		return 0, abi.EINVAL
	case addr == 0 && flags&ipc.ShmRemap != 0:
		return 0, abi.EINVAL
	case addr%pageSize != 0 && flags&ipc.ShmRnd != 0:
		if addr &^= pageSize - 1; addr == 0 && flags&ipc.ShmRemap != 0 {
			return 0, abi.EINVAL
		}
	case addr%pageSize != 0:
		return 0, abi.EINVAL
	}
	prot, want := uint64(protRead|protWrite), uint32(0o666)
	if flags&ipc.ShmRdonly != 0 {
		prot, want = protRead, 0o444
	}
	if flags&ipc.ShmExec != 0 {
		prot, want = prot|protExec, want|0o111
	}
	const fixed, fixedNoReplace = 0x10, 0x100000
	how := uint64(mapShared)
	switch {
	case addr != 0 && flags&ipc.ShmRemap != 0:
		how |= fixed
	case addr != 0:
		how |= fixed | fixedNoReplace
	}
	seg, f, err := h.segs.Open(t.Creds(), t.PID(), id, want, t.Context().Time().Sec)
	if err != nil {
		return 0, err
	}
	length := (seg.Size() + pageSize - 1) &^ (pageSize - 1)
	if addr != 0 && (addr+length < addr || !stubSafe(t, addr, length)) {
		f.DecRef()
		seg.Gone(0, 0)
		return 0, abi.EINVAL
	}
	return t.AttachShm(seg, f, addr, length, prot, how)
}

func (h *shm) dt(t *kernel.Task, a Args) (uint64, error) {
	if a[0]%pageSize != 0 {
		return 0, abi.EINVAL
	}
	return t.DetachShm(a[0])
}

func (h *shm) ctl(t *kernel.Task, a Args) (uint64, error) {
	id, cmd, buf := int32(a.Int(0)), a.Int(1), a[2]
	c, now := t.Creds(), t.Context().Time().Sec
	if id < 0 || cmd < 0 {
		return 0, abi.EINVAL
	}
	out := func(b []byte, result int32, err error) (uint64, error) {
		if err == nil {
			err = t.CopyOut(buf, b)
		}
		return uint64(result), err
	}
	switch cmd {
	case ipc.Info:
		b, top := h.segs.Limits()
		return out(b, top, nil)
	case ipc.ShmInfo:
		b, top := h.segs.Usage()
		return out(b, top, nil)
	case ipc.Stat, ipc.ShmStat, ipc.ShmStatAny:
		return out(h.segs.Stat(c, id, cmd))
	case ipc.Set:
		b := make([]byte, ipc.DsSize)
		if err := t.CopyIn(buf, b); err != nil {
			return 0, err
		}
		return 0, h.segs.Set(c, id, b, now)
	case ipc.Rmid:
		return 0, h.segs.Remove(c, id)
	case ipc.ShmLock, ipc.ShmUnlock:
		return 0, h.segs.Lock(c, id, cmd == ipc.ShmLock)
	}
	return 0, abi.EINVAL
}
