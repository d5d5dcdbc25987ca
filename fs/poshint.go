// SPDX-License-Identifier: Apache-2.0

package fs

// PosHint gives the file's position for /proc/PID/fdinfo. A read or write that is
// under way, which may be the reader's own, has not moved it yet.
func (f *File) PosHint() int64 { return f.pos.Load() }
