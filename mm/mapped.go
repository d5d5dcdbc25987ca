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

// MayMap reports whether f may be mapped.
func (a *AddressSpace) MayMap(f *fs.File) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.maps[any(f.Inode())]
	return ok
}
