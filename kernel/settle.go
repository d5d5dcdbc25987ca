// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"

	"lodger/fs"
	"lodger/host"
	"lodger/mm"
)

// Settle implements fs.Settler. The host performs munmap and nobody hears of it: an
// address space goes on holding the files that it had mapped, and with them their
// mounts. So the processes that may map some through m are stopped, as for a move, and
// those that map none let them go.
func (k *Kernel) Settle(m *fs.Mount) {
	var gone []*fs.File
	defer func() {
		for _, f := range gone { // which may begin a move
			f.DecRef()
		}
	}()
	k.moveMu.Lock()
	defer k.moveMu.Unlock()
	if k.dead.Load() || k.p == nil {
		return
	}
	tried := map[fs.Inode]bool{}
	for {
		inode, ok := k.mappedThrough(m, tried)
		if !ok {
			return
		}
		tried[inode] = true
		mv := k.beginMove(inode)
		k.stopAll(mv)
		for a := range mv.mms {
			if t := k.mapperOf(mv, a); t != nil && !t.mapsThrough(m) {
				gone = append(gone, a.ForgetAll(func(f *fs.File) bool { return f.Path.Mnt == m })...)
			}
		}
		k.endMove(mv)
	}
}

// mappedThrough finds an inode that some process may map through m, and that was not
// tried yet.
func (k *Kernel) mappedThrough(m *fs.Mount, tried map[fs.Inode]bool) (inode fs.Inode, ok bool) {
	k.mu.Lock()
	mms := map[*mm.AddressSpace]bool{}
	for _, t := range k.tasks {
		if t.MM != nil {
			mms[t.MM] = true
		}
	}
	k.mu.Unlock()
	for a := range mms {
		for _, f := range a.Mapped() {
			if i := f.MapInode(); !ok && f.Path.Mnt == m && !tried[i] {
				inode, ok = i, true
			}
			f.DecRef()
		}
	}
	return inode, ok
}

// mapsThrough reports whether t's process, which is stopped, may map files through m:
// whether it maps anything of the host that no file elsewhere explains.
func (t *Task) mapsThrough(m *fs.Mount) bool {
	maps, err := host.Mappings(t.thread())
	if err != nil {
		return true
	}
	files := t.MM.Mapped()
	defer func() {
		for _, f := range files {
			f.DecRef()
		}
	}()
	ids := mapIDs{}
	for _, h := range maps {
		if !t.StubSafe(h.Start, h.End-h.Start) {
			continue
		}
		// Of one file system some bytes may lie between those of others, and be mapped
		// in one piece with them: both ends must be a file's.
		known := slices.ContainsFunc(files, func(f *fs.File) bool {
			return f.Path.Dentry.SuperBlock() != m.SB && ids.shows(f, h.ID, h.Off, h.Off+h.End-h.Start-pageSize)
		})
		if !known {
			return true
		}
	}
	return false
}
