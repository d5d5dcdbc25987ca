// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"

	"lodger/abi"
	"lodger/lib/wait"
)

// ErrMustWait is the error of an operation that has to wait for more than a queue
// tells of (the journal's room, processes that give up mappings), and whose Context
// does not allow that. Nothing has been done; the caller repeats the whole call
// with Context.MayWait.
var ErrMustWait = errors.New("operation must wait")

// WouldBlock is the error of an operation that must wait. The caller adds an
// entry for Mask to Queue, tries once more (the event may have happened in
// between), and sleeps until woken. A new try may name another queue: the last
// answer counts.
//
// Not every operation uses it: stream reads and writes return plain abi.EAGAIN
// and the File's own Poll and Queue tell what to wait for.
type WouldBlock struct {
	Queue *wait.Queue
	Mask  wait.Mask
	// Cancel, when not nil, must be called if the caller gives up (signal,
	// timeout) instead of trying again.
	Cancel func()
}

// Error makes *WouldBlock an error.
func (*WouldBlock) Error() string { return "operation would block" }

// Is makes errors.Is(err, abi.EAGAIN) true.
func (*WouldBlock) Is(err error) bool { return err == error(abi.EAGAIN) }
