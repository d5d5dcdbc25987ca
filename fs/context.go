// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Context is on whose behalf and from which place an operation happens. The
// kernel keeps one per task and updates it; it is only read here.
type Context struct {
	Creds *Creds
	Root  Path // the task's root directory; must be set
	Cwd   Path
	Umask uint32
	// Now tells file times; nil means the host's real time clock.
	Now func() abi.Timespec
	// MayWait tells that the caller is a goroutine that nobody else waits for: an
	// operation may block in it. Without, it returns ErrMustWait instead.
	MayWait bool
	// Task is the calling task, opaque here; procfs and devices look at it.
	Task any
}

// UserMemory is the calling task's memory, for ioctls.
type UserMemory interface {
	// CopyIn fills p from guest address addr; abi.EFAULT.
	CopyIn(addr uint64, p []byte) error
	// CopyOut writes p to guest address addr; abi.EFAULT.
	CopyOut(addr uint64, p []byte) error
}
