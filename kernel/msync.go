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
		at := int64(m.Off + max(addr, m.Start) - m.Start)
		i := slices.IndexFunc(files, func(f *fs.File) bool { return ids.shows(f, m.ID, at) })
		if i >= 0 && !slices.Contains(found, files[i]) {
			found = append(found, files[i])
		}
	}
	return found, true, nil
}

// mapIDs remembers how the host names the files behind descriptors.
type mapIDs map[int]host.MapID

func (ids mapIDs) is(fd int, id host.MapID) bool {
	have, ok := ids[fd]
	if !ok {
		have, _ = host.MapIDOf(fd)
		ids[fd] = have
	}
	return have == id
}

// shows reports whether a byte of the host file called id is f's.
func (ids mapIDs) shows(f *fs.File, id host.MapID, at int64) bool {
	if rm, ok := f.RunMapper(); ok {
		_, ok := rm.FindRun(func(fd int) bool { return ids.is(fd, id) }, at)
		return ok
	}
	fd, _, err := f.MapFD(0, pageSize, false, true, false)
	return err == nil && ids.is(fd, id)
}
