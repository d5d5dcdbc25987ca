// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"
	"sync"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/fs/proc"
)

// Swaps is the guest's swap areas: mm/swapfile.c, without the swapping. The guest's
// memory is the host's, and it is the host that swaps; an area is taken, shown and
// given back, so that what sets a machine up and asks for its swap goes on.
type Swaps struct {
	mu    sync.Mutex
	areas []swapArea // by falling priority; guarded by mu
	low   int        // the last priority that was given unasked; guarded by mu
}

type swapArea struct {
	file  *fs.File // with a reference; a device's is open with O_EXCL
	pages uint64
	prio  int
}

// firstPriority is what the first area without a wish gets, the next one less.
const firstPriority = -2

// Add takes an area of pages. prio < 0: the caller has no wish. The Swaps takes the
// caller's reference of f. EBUSY: the file is an area already.
func (s *Swaps) Add(f *fs.File, pages uint64, prio int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(f) >= 0 {
		return abi.EBUSY
	}
	if prio < 0 {
		s.low = min(s.low, firstPriority+1) - 1
		prio = s.low
	}
	at := slices.IndexFunc(s.areas, func(a swapArea) bool { return a.prio < prio })
	if at < 0 {
		at = len(s.areas)
	}
	s.areas = slices.Insert(s.areas, at, swapArea{f, pages, prio})
	if d := bdev.DeviceOf(f); d != nil {
		d.SetSwap(true)
	} else {
		f.Path.Dentry.SuperBlock().VFS.SetSwapFile(f.Inode(), true)
	}
	return nil
}

// Remove gives an area back; EINVAL: the file is none.
func (s *Swaps) Remove(f *fs.File) error {
	s.mu.Lock()
	i := s.find(f)
	if i < 0 {
		s.mu.Unlock()
		return abi.EINVAL
	}
	a := s.areas[i]
	s.areas = slices.Delete(s.areas, i, i+1)
	if a.prio < 0 { // those below it move up, as the next one's number will
		s.low = 0
		for j := range s.areas {
			if s.areas[j].prio < 0 {
				s.low = min(s.low, firstPriority+1) - 1
				s.areas[j].prio = s.low
			}
		}
	}
	s.mu.Unlock()
	if d := bdev.DeviceOf(a.file); d != nil {
		d.SetSwap(false)
	} else {
		a.file.Path.Dentry.SuperBlock().VFS.SetSwapFile(a.file.Inode(), false)
	}
	a.file.DecRef()
	return nil
}

// find gives the place of f's area, -1: it is none. s.mu is held.
func (s *Swaps) find(f *fs.File) int {
	d := bdev.DeviceOf(f)
	return slices.IndexFunc(s.areas, func(a swapArea) bool {
		if d != nil {
			return bdev.DeviceOf(a.file) == d
		}
		return a.file.Inode() == f.Inode()
	})
}

// Total is the size of all areas, in bytes.
func (s *Swaps) Total() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n uint64
	for _, a := range s.areas {
		n += a.pages * pageSize
	}
	return n
}

// list is what /proc/swaps shows.
func (s *Swaps) list() []proc.Swap {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []proc.Swap
	for _, a := range s.areas {
		out = append(out, proc.Swap{Path: a.file.Path, Device: a.file.Kind() == abi.S_IFBLK, Bytes: a.pages * pageSize, Priority: a.prio})
	}
	return out
}
