// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
)

// allowedMap is a file mapping that the kernel had the stub make: the stub's own
// mmap comes back as a notification and must be exactly this.
type allowedMap struct {
	active bool
	args   [6]uint64
}

func (t *Task) mapAllowed(args [6]uint64) bool {
	if !t.okMap.active || args != t.okMap.args {
		return false
	}
	t.okMap.active = false
	return true
}

// MapFile maps file f into t's memory as mmap(2) was asked to: prot, flags and fd
// are the guest's, checked. off and length are page-aligned.
func (t *Task) MapFile(f *fs.File, fd int, addr, length, prot, flags, off uint64) (uint64, error) {
	const shared = 1
	hostFD, hostOff, err := f.MapFD(int64(off), int64(length), prot&protW != 0 || f.Writable() && flags&shared != 0, flags&shared != 0, prot&protX != 0)
	if err != nil {
		return 0, err
	}
	t.MM.AddMapping(f)
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
		n, err := t.k.p.AddFD(t.call.id, hostFD, -1)
		if err != nil {
			return 0, abi.ENOMEM
		}
		var b notify.Batch
		args := [6]uint64{addr, length, prot, flags, uint64(n), uint64(hostOff)}
		b.AddLoose(notify.NrMmap, args[:]...)
		b.AddLoose(notify.NrClose, uint64(n))
		b.Result = 0
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.okMap = allowedMap{true, args}
		t.act(notify.ActBatchRes)
		return 0, errAnswered
	})
}

// MapAnon maps anonymous memory instead of a file (/dev/zero): prot and flags are
// the guest's, checked.
func (t *Task) MapAnon(addr, length, prot, flags uint64) (uint64, error) {
	return t.WithFrame(func() (uint64, error) {
		var b notify.Batch
		args := [6]uint64{addr, length, prot, flags | mapAnonymous, ^uint64(0), 0}
		b.AddLoose(notify.NrMmap, args[:]...)
		b.Result = 0
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.okMap = allowedMap{true, args}
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

// Remap performs mremap(2) where the host may not at once. Files are mapped whole
// (hostfs, memfds), so that what a mapping can grow into is its own file; mappings of
// parts of a file (disk images) must not come here.
func (t *Task) Remap(old, oldLen, newLen, flags, newAddr uint64) (uint64, error) {
	return t.WithFrame(func() (uint64, error) {
		var b notify.Batch
		args := [6]uint64{old, oldLen, newLen, flags, newAddr, 0}
		b.AddLoose(notify.NrMremap, args[:]...)
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.okMap = allowedMap{true, args}
		t.act(notify.ActBatchRes)
		return 0, errAnswered
	})
}

func mountNoSuid(f *fs.File) bool { return f.Path.Mnt != nil && f.Path.Mnt.Flags()&abi.MS_NOSUID != 0 }
