// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"

	"lodger/fs"
	"lodger/host"
)

// SharedFiles gives the files whose shared mappings lie in a range of the caller's
// memory, in the order of their places, each once and with a reference of the caller's.
// With images false no file of a disk image can be mapped, and none is given: the host
// knows all that there is to know.
func (t *Task) SharedFiles(addr, length uint64) (found []*fs.File, images bool, err error) {
	files := t.MM.Mapped()
	defer func() {
		for _, f := range files {
			if !slices.Contains(found, f) {
				f.DecRef()
			}
		}
	}()
	images = slices.ContainsFunc(files, func(f *fs.File) bool { _, ok := f.RunMapper(); return ok })
	if !images {
		return nil, false, nil
	}
	maps, err := host.Mappings(t.thread())
	if err != nil {
		return nil, true, err
	}
	ids := mapIDs{}
	for _, m := range maps {
		if !m.Shared || m.End <= addr || m.Start >= addr+length {
			continue
		}
		// What is mapped in one piece is of one file.
		at := m.Off + max(addr, m.Start) - m.Start
		i := slices.IndexFunc(files, func(f *fs.File) bool { return ids.shows(f, m.ID, at) })
		if i >= 0 && !slices.Contains(found, files[i]) {
			found = append(found, files[i])
		}
	}
	return found, true, nil
}

// mapIDs remembers how the host names the files behind descriptors, which costs a
// mapping to find out; the zero MapID stands for those that cannot be.
type mapIDs map[int]host.MapID

// same gives the test of fs.RunMapper: is a descriptor of the host file called id.
func (ids mapIDs) same(id host.MapID) func(fd int) bool {
	return func(fd int) bool {
		have, ok := ids[fd]
		if !ok {
			have, _ = host.MapIDOf(fd)
			ids[fd] = have
		}
		return have == id
	}
}

// shows reports whether each of some bytes of the host file called id is f's.
func (ids mapIDs) shows(f *fs.File, id host.MapID, at ...uint64) bool {
	rm, ok := f.RunMapper()
	if !ok {
		fd, _, err := f.MapFD(0, pageSize, false, false, false)
		return err == nil && ids.same(id)(fd)
	}
	for _, off := range at {
		if _, ok := rm.FindRun(ids.same(id), int64(off)); !ok {
			return false
		}
	}
	return true
}
