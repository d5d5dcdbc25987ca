// SPDX-License-Identifier: Apache-2.0

// Package mm stands for Linux's mm/, as far as Lodger keeps it: the host does
// paging, copy-on-write and the layout of address spaces itself. What is kept
// here is what the host cannot tell cheaply: which thread areas of the stub
// region are in use, what program is mapped, and an upper bound of the files
// that may be mapped.
//
// Locks: AddressSpace.mu is a leaf but for those of segments (package ipc). AddressSpace.Stores is held for reading by the
// kernel while it stores into the memory, and for writing while what is mapped there
// moves; only who may wait blocks on it.
package mm

import (
	"slices"
	"sync"
	"sync/atomic"

	"lodger/fs"
)

// AddressSpace is struct mm_struct.
type AddressSpace struct {
	mu    sync.Mutex
	users int              // tasks; guarded by mu
	free  []int            // areas that may be used again; guarded by mu
	next  int              // first area never used; guarded by mu
	maps  map[any]*fs.File // files that may be mapped, by inode; guarded by mu
	// attached are the shared memory segments that lie in it, by address; guarded by mu
	attached map[uint64]attachment

	adds uint64 // counts what was added to maps; guarded by mu
	from uint64 // adds of the address space that this is a copy of, then

	// Stores: see the package comment.
	Stores sync.RWMutex
	// Pieced: what is one area to the guest may be several on the host.
	Pieced atomic.Bool

	// Set at exec, before any task runs in it, and constant.
	Exe      *fs.File // the program; nil for none
	ExePath  string
	Layout   Layout
	stackTop uint64
	stackLow uint64
}

// Layout is where exec put things (struct prctl_mm_map).
type Layout struct {
	StartCode, EndCode, StartData, EndData uint64
	StartBrk, StartStack                   uint64
	ArgStart, ArgEnd, EnvStart, EnvEnd     uint64
	AuxvAddr                               uint64
	Auxv                                   []byte
}

// New returns an address space with one user; area 0 is in use.
func New() *AddressSpace {
	return &AddressSpace{users: 1, next: 1, maps: map[any]*fs.File{}}
}

// Share adds a user.
func (a *AddressSpace) Share() *AddressSpace {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
	return a
}

// Fork returns a copy for a child. Only the areas in keep are in use in it.
func (a *AddressSpace) Fork(keep ...int) *AddressSpace {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := &AddressSpace{users: 1, next: a.next, maps: make(map[any]*fs.File, len(a.maps)), from: a.adds}
	n.Pieced.Store(a.Pieced.Load())
	for i, f := range a.maps {
		n.maps[i] = f.IncRef()
	}
	for at, x := range a.attached {
		if n.attached == nil {
			n.attached = map[uint64]attachment{}
		}
		n.attached[at] = x
		x.seg.Forked()
	}
	for i := 0; i < a.next; i++ {
		if !slices.Contains(keep, i) {
			n.free = append(n.free, i)
		}
	}
	n.Exe, n.ExePath, n.Layout, n.stackTop, n.stackLow = a.Exe, a.ExePath, a.Layout, a.stackTop, a.stackLow
	if n.Exe != nil {
		n.Exe.IncRef()
	}
	return n
}

// Drop removes a user; the last one releases the files.
func (a *AddressSpace) Drop() {
	a.mu.Lock()
	a.users--
	last := a.users == 0
	var maps map[any]*fs.File
	var attached map[uint64]attachment
	if last {
		maps, a.maps = a.maps, nil
		attached, a.attached = a.attached, nil
	}
	a.mu.Unlock()
	if !last {
		return
	}
	for _, x := range attached {
		x.seg.Gone(0, 0)
	}
	for _, f := range maps {
		f.DecRef()
	}
	if a.Exe != nil {
		a.Exe.DecRef()
	}
}

// Users is the number of tasks that share the address space.
func (a *AddressSpace) Users() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users
}

// AllocArea returns the index of an unused thread area and whether it has been
// mapped before.
func (a *AddressSpace) AllocArea() (area int, mapped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		area = a.free[n-1]
		a.free = a.free[:n-1]
		return area, true
	}
	a.next++
	return a.next - 1, false
}

// FreeArea gives an area back whose thread runs no code any more.
func (a *AddressSpace) FreeArea(area int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, area)
}

// SetStack tells where the main stack lies: it may grow from low down to the
// limit.
func (a *AddressSpace) SetStack(low, top uint64) { a.stackLow, a.stackTop = low, top }

// BelowStack reports whether addr is where the main stack may grow.
func (a *AddressSpace) BelowStack(addr uint64) bool {
	const most = 120 << 20 // the host keeps at least 128 MiB free below a stack
	return addr < a.stackTop && addr+most > a.stackTop
}
