// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/mm"
)

// AttachShm maps a shared memory segment (do_shmat); prot and flags are mmap(2)'s.
// The attachment is counted and the file referenced; both are given back if it fails.
func (t *Task) AttachShm(seg mm.Attached, f *fs.File, addr, length, prot, flags uint64) (uint64, error) {
	undo := func(err error) (uint64, error) {
		f.DecRef()
		seg.Gone(0, 0)
		return 0, err
	}
	t.MM.AddMapping(f)
	hostFD, off, err := f.MapFD(0, int64(length), prot&protW != 0, true, prot&protX != 0)
	if err != nil {
		return undo(err)
	}
	return t.WithFrame(func() (uint64, error) {
		n, err := t.inject(t.call.id, hostFD)
		if err != nil {
			return undo(abi.ENOMEM)
		}
		var b, shut notify.Batch
		b.Add(notify.NrMmap, addr, length, prot, flags, n, uint64(off))
		shut.AddLoose(notify.NrClose, n)
		return t.runBatch(&b, func(at uint64, err error) (uint64, error) {
			return t.runBatch(&shut, func(uint64, error) (uint64, error) {
				switch {
				case err == nil && (at%pageSize != 0 || !t.StubSafe(at, length)):
					err = abi.EFAULT // not what the host said
				case err == abi.EEXIST: // MAP_FIXED_NOREPLACE's
					err = abi.EINVAL
				}
				if err != nil {
					return undo(err)
				}
				if old := t.MM.Attach(at, length, seg); old != nil {
					old.Gone(t.PID(), t.Context().Time().Sec)
				}
				f.DecRef()
				return at, nil
			})
		})
	})
}

// DetachShm unmaps what of the segment at addr is still mapped there; what else was put
// in its place stays (ksys_shmdt).
func (t *Task) DetachShm(addr uint64) (uint64, error) {
	seg, length := t.MM.AttachedAt(addr)
	if seg == nil {
		return 0, abi.EINVAL
	}
	f := seg.Memory()
	defer f.DecRef()
	fd, off, err := f.MapFD(0, int64(length), false, true, false)
	if err != nil {
		return 0, abi.EINVAL
	}
	id, err := host.MapIDOf(fd)
	if err != nil {
		return 0, abi.ENOMEM
	}
	maps, err := host.Mappings(t.thread())
	if err != nil {
		return 0, abi.ENOMEM
	}
	var b notify.Batch
	for _, m := range maps {
		if m.ID == id && m.Start >= addr && m.Start < addr+length && m.Off == uint64(off)+m.Start-addr && b.Len() < notify.MaxBatch {
			b.Add(notify.NrMunmap, m.Start, min(m.End, addr+length)-m.Start)
		}
	}
	if !t.MM.Detach(addr, seg) {
		return 0, abi.EINVAL
	}
	seg.Gone(t.PID(), t.Context().Time().Sec)
	if b.Len() == 0 {
		return 0, abi.EINVAL // it had been unmapped
	}
	return t.WithFrame(func() (uint64, error) {
		return t.runBatch(&b, func(_ uint64, err error) (uint64, error) { return 0, err })
	})
}
