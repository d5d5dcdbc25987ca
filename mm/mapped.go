// SPDX-License-Identifier: Apache-2.0

package mm

import "lodger/fs"

// Mapped returns the files that may be mapped, each with a reference of the
// caller's.
func (a *AddressSpace) Mapped() []*fs.File {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]*fs.File, 0, len(a.maps))
	for _, f := range a.maps {
		if f.TryIncRef() {
			out = append(out, f)
		}
	}
	return out
}

// AddMapping notes that file f may be mapped from now on. It comes before the file
// is asked for its bytes' place (fs.RunMapper).
func (a *AddressSpace) AddMapping(f *fs.File) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(any(f.MapInode()), f)
}

func (a *AddressSpace) add(key any, f *fs.File) {
	if _, ok := a.maps[key]; ok || a.maps == nil {
		return
	}
	if f.TryIncRef() {
		a.maps[key] = f
		a.adds++
	}
}

// Follow notes what the parent of a copied address space mapped after the copy of its
// list was made and before the host's was.
func (a *AddressSpace) Follow(parent *AddressSpace) {
	if a == parent {
		return
	}
	parent.mu.Lock()
	if parent.adds == a.from {
		parent.mu.Unlock()
		return
	}
	type entry struct {
		key any
		f   *fs.File
	}
	var l []entry
	for key, f := range parent.maps {
		if f.TryIncRef() {
			l = append(l, entry{key, f})
		}
	}
	parent.mu.Unlock()
	a.mu.Lock()
	for _, e := range l {
		a.add(e.key, e.f)
	}
	a.mu.Unlock()
	for _, e := range l {
		e.f.DecRef()
	}
}

// Forget notes that inode is not mapped.
func (a *AddressSpace) Forget(inode fs.Inode) {
	a.mu.Lock()
	f, ok := a.maps[any(inode)]
	delete(a.maps, any(inode))
	a.mu.Unlock()
	if ok {
		f.DecRef()
	}
}

// ForgetAll notes that the files of which is says so are not mapped, and hands their
// references over.
func (a *AddressSpace) ForgetAll(is func(*fs.File) bool) (l []*fs.File) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, f := range a.maps {
		if is(f) {
			delete(a.maps, key)
			l = append(l, f)
		}
	}
	return l
}

// MayMap reports whether inode may be mapped.
func (a *AddressSpace) MayMap(inode fs.Inode) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.maps[any(inode)]
	return ok
}
