// SPDX-License-Identifier: Apache-2.0

package devtmpfs

import (
	"lodger/abi"
	"lodger/fs"
)

// memMajor is the major number of the memory devices,
// Documentation/admin-guide/devices.txt.
const memMajor = 1

// MemDevices gives the rows of null, zero, full, random and urandom. random
// fills a slice with random bytes.
func MemDevices(random func([]byte) error) []fs.CharDevice {
	open := func(ops fs.FileOps) func(*fs.Context, fs.Path, int) (fs.FileOps, error) {
		return func(*fs.Context, fs.Path, int) (fs.FileOps, error) { return ops, nil }
	}
	return []fs.CharDevice{
		{Major: memMajor, Minor: 3, Name: "null", Mode: 0o666, Open: open(null{})},
		{Major: memMajor, Minor: 5, Name: "zero", Mode: 0o666, Open: open(zero{})},
		{Major: memMajor, Minor: 7, Name: "full", Mode: 0o666, Open: open(full{})},
		{Major: memMajor, Minor: 8, Name: "random", Mode: 0o666, Open: open(rnd{random})},
		{Major: memMajor, Minor: 9, Name: "urandom", Mode: 0o666, Open: open(rnd{random})},
	}
}

// still gives lseek of the memory devices: the position stays 0 (null_lseek).
type still struct{}

// Seek stays where it is.
func (still) Seek(*fs.Context, int64, int64, int) (int64, error) { return 0, nil }

// sink swallows writes.
type sink struct{ still }

// WriteAt swallows p.
func (sink) WriteAt(_ *fs.Context, p []byte, _ int64) (int, error) { return len(p), nil }

// Append swallows p.
func (sink) Append(_ *fs.Context, p []byte) (int, int64, error) { return len(p), 0, nil }

type null struct{ sink }

// ReadAt is at the end.
func (null) ReadAt(*fs.Context, []byte, int64) (int, error) { return 0, nil }

type zero struct{ sink }

// ReadAt gives zeros.
func (zero) ReadAt(_ *fs.Context, p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// MapsAnonymous tells mmap that a private mapping is anonymous memory, a shared
// one shared anonymous memory.
func (zero) MapsAnonymous() {}

type full struct{ still }

// ReadAt gives zeros.
func (full) ReadAt(_ *fs.Context, p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// WriteAt finds no room.
func (full) WriteAt(*fs.Context, []byte, int64) (int, error) { return 0, abi.ENOSPC }

type rnd struct{ fill func([]byte) error }

// ReadAt gives random bytes.
func (r rnd) ReadAt(_ *fs.Context, p []byte, _ int64) (int, error) {
	if err := r.fill(p); err != nil {
		return 0, abi.EIO
	}
	return len(p), nil
}

// WriteAt accepts entropy and has no use for it.
func (rnd) WriteAt(_ *fs.Context, p []byte, _ int64) (int, error) { return len(p), nil }
