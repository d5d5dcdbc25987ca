// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"slices"
	"strings"

	"lodger/fs"
	"lodger/host"
)

// WritablyMapped reports whether a process has f mapped shared and writable
// (mapping_writably_mapped). An address space only knows what may be mapped in
// it, so the host's maps are read for those that may.
func (k *Kernel) WritablyMapped(f *fs.File) bool {
	fd, _, err := f.MapFD(0, pageSize, false, false, false)
	if err != nil {
		return false
	}
	major, minor, ino, err := host.FileID(fd)
	if err != nil {
		return false
	}
	id := fmt.Sprintf(" %02x:%02x %d ", major, minor, ino)
	return slices.ContainsFunc(k.mappers(f), func(pid int32) bool { return mapsShared(pid, id) })
}

// mappers gives the host processes that may have f mapped.
func (k *Kernel) mappers(f *fs.File) (pids []int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t == t.tg.leader && t.tg.hostPID != 0 && t.MM != nil && t.MM.MayMap(f.MapInode()) {
			pids = append(pids, t.tg.hostPID)
		}
	}
	return pids
}

// mapsShared looks through a host process's maps for a shared writable mapping
// of a file.
func mapsShared(pid int32, id string) bool {
	b, err := host.ProcFile(pid, "maps")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		// "start-end perms offset dev inode path"
		_, rest, _ := strings.Cut(line, " ")
		if len(rest) > 4 && rest[1] == 'w' && rest[3] == 's' && strings.Contains(strings.TrimRight(line, "\n")+" ", id) {
			return true
		}
	}
	return false
}
