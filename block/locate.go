// SPDX-License-Identifier: Apache-2.0

package block

import "lodger/abi"

// Run is where bytes of a device lie on the host: Len bytes from offset Off on
// of the file behind FD. The descriptor stays the device's.
type Run struct {
	FD       int
	Off, Len int64
	// ReadFD is a descriptor of the same file that nobody can write by, not even who
	// maps it and changes the protection later; -1: there is none.
	ReadFD int
	// Writable: stores into a shared mapping of the run are writes to the device.
	// A base's runs are not; Own moves them first.
	Writable bool
}

// Locator is the ability to say where bytes lie.
type Locator interface {
	// Locate gives the run that starts at off, at most n bytes of it.
	// abi.EOPNOTSUPP: these bytes lie nowhere as they are.
	Locate(off, n int64) (Run, error)
}

// Mover is the ability of a Locator whose runs can move. Without it a located
// run stays where it is as long as the device is open.
type Mover interface {
	// Generation changes with every move: read it before Locate, compare it after
	// the mapping was made and is known to the watcher.
	Generation() uint64
	// Watch has w told of every move to come, until cancel is called.
	Watch(w Watcher) (cancel func())
	// Own makes every byte of the run writable where it lies: they are copied up
	// now, and never move again. What Locate calls unwritable even then can be
	// written only by WriteAt.
	Own(off, n int64) error
}

// Watcher is told of moves. It is called with locks of the device held: it may
// read and locate, but not write, flush, own or watch.
type Watcher interface {
	// BeginMove: the run is about to move. When it returns nobody may use the old
	// place any more, or only threads that are stopped until EndMove.
	BeginMove(off, n int64)
	// EndMove: the run lies at its new place, or at the old one if the move failed.
	// Every BeginMove is followed by it.
	EndMove(off, n int64)
}

// Locate asks a device; abi.EOPNOTSUPP when it cannot tell.
func Locate(d Device, off, n int64) (Run, error) {
	if l, ok := d.(Locator); ok {
		return l.Locate(off, n)
	}
	return Run{}, abi.EOPNOTSUPP
}

// Own makes a run writable in place; where nothing moves, it is already.
func Own(d Device, off, n int64) error {
	if ReadOnly(d) {
		return abi.EROFS
	}
	if m, ok := d.(Mover); ok {
		return m.Own(off, n)
	}
	return nil
}
