// SPDX-License-Identifier: Apache-2.0

package fs

// PosHint gives the file's position for /proc/PID/fdinfo. It does not wait for a
// read or write that is under way, which may be the reader's own: then it is 0.
func (f *File) PosHint() int64 {
	if !f.posMu.TryLock() {
		return 0
	}
	defer f.posMu.Unlock()
	return f.pos
}
