// SPDX-License-Identifier: Apache-2.0

package mm

import "lodger/fs"

// Attached is what an address space tells of a shared memory segment that lies in it:
// package ipc's.
type Attached interface {
	Forked()                   // it lies in a copy, too
	Gone(pid int32, now int64) // it lies here no more
	Memory() *fs.File          // what is mapped, while it is attached; with a reference
}

// attachment is where one lies.
type attachment struct {
	length uint64
	seg    Attached
}

// Attach notes that seg lies at addr. What was noted there before is given back: its
// place was taken.
func (a *AddressSpace) Attach(addr, length uint64, seg Attached) (old Attached) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.attached == nil {
		a.attached = map[uint64]attachment{}
	}
	old = a.attached[addr].seg
	a.attached[addr] = attachment{length, seg}
	return old
}

// AttachedAt gives what lies at addr, and its length; nil: nothing.
func (a *AddressSpace) AttachedAt(addr uint64) (seg Attached, length uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.attached[addr]
	return x.seg, x.length
}

// Detach forgets what lies at addr; not ok: seg does not any more.
func (a *AddressSpace) Detach(addr uint64, seg Attached) (ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x, there := a.attached[addr]; !there || x.seg != seg {
		return false
	}
	delete(a.attached, addr)
	return true
}
