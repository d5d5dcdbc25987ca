// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
)

// MapFile maps file f into t's memory as mmap(2) was asked to: prot, flags and fd
// are the guest's, checked. off and length are page-aligned.
func (t *Task) MapFile(f *fs.File, fd int, addr, length, prot, flags, off uint64) (uint64, error) {
	q := &mapping{f: f, addr: addr, length: length, prot: prot, flags: flags, off: off}
	t.MM.AddMapping(f)
	if _, ok := f.RunMapper(); ok {
		return t.mapMoving(q)
	}
	hostFD, hostOff, err := f.MapFD(int64(off), int64(length), q.write(), q.shared(), prot&protX != 0)
	if err != nil {
		return 0, err
	}
	if t.call.kind == callPlain && uint64(hostOff) == off && !notify.ReservedFD(fd) && t.alone() {
		// Nobody else can change what the descriptor number means, so the host
		// may perform the call as it stands.
		if t.Files.holds(fd, hostFD, f) {
			return t.Continue()
		}
		if _, err := t.k.p.AddFD(t.call.id, hostFD, fd); err == nil {
			t.Files.setHost(fd, hostFD, f)
			return t.Continue()
		}
	}
	f.IncRef()
	return t.WithFrame(func() (uint64, error) {
		defer f.DecRef()
		return t.mapOne(q, fs.MapRun{FD: hostFD, Off: hostOff, Len: int64(length)})
	})
}

// mapOne has the stub map one piece and answer the call with the result. It is a
// framed call.
func (t *Task) mapOne(q *mapping, r fs.MapRun) (uint64, error) {
	n, err := t.inject(t.call.id, r.FD)
	if err != nil {
		return 0, abi.ENOMEM
	}
	var b notify.Batch
	b.AddLoose(notify.NrMmap, q.addr, q.length, q.prot, q.flags, n, uint64(r.Off))
	b.AddLoose(notify.NrClose, n)
	b.Result = 0
	if b.Write(t.proc()) != nil {
		return 0, abi.EFAULT
	}
	t.allowMaps(&b)
	t.act(notify.ActBatchRes)
	return 0, errAnswered
}

// MapAnon maps anonymous memory instead of a file (/dev/zero): prot and flags are
// the guest's, checked.
func (t *Task) MapAnon(addr, length, prot, flags uint64) (uint64, error) {
	return t.WithFrame(func() (uint64, error) {
		var b notify.Batch
		b.AddLoose(notify.NrMmap, addr, length, prot, flags|mapAnonymous, ^uint64(0), 0)
		b.Result = 0
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.allowMaps(&b)
		t.act(notify.ActBatchRes)
		return 0, errAnswered
	})
}

// alone reports whether no other thread or process shares t's memory or its host
// descriptor table.
func (t *Task) alone() bool {
	// A guest's table that several processes share (CLONE_FILES) stands for several
	// host tables.
	return t.MM.Users() == 1 && t.threads() == 1 && t.Files.Users() == 1
}

func (t *Task) threads() int {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return len(t.tg.tasks)
}

// hostKey names what the host process's table holds at a number.
type hostKey struct {
	fd    int
	inode fs.Inode
	write bool
}

// holds reports whether the host process's descriptor fd is already hostFD's
// file, opened the same way.
func (f *Files) holds(fd, hostFD int, file *fs.File) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.host[fd] == any(hostKey{hostFD, file.Inode(), file.Writable()})
}

func (f *Files) setHost(fd, hostFD int, file *fs.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host == nil {
		f.host = map[int]any{}
	}
	f.host[fd] = hostKey{hostFD, file.Inode(), file.Writable()}
}

// forgetHost: an exec closed the host process's descriptors.
func (f *Files) forgetHost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.host = nil
}

func mountNoSuid(f *fs.File) bool { return f.Path.Mnt != nil && f.Path.Mnt.Flags()&abi.MS_NOSUID != 0 }
