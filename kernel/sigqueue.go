// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"

	"lodger/abi"
)

// sigQueue is struct sigpending: at most one entry of each ordinary signal, any
// number of each real-time signal. Guarded by Kernel.mu.
type sigQueue struct {
	set  abi.Sigset
	list []*abi.Siginfo
}

// holds reports whether this very entry is still queued.
func (q *sigQueue) holds(info *abi.Siginfo) bool { return slices.Contains(q.list, info) }

// add queues a signal; false when it was pending already (or the queue is
// full).
func (q *sigQueue) add(info *abi.Siginfo, limit int) bool {
	sig := info.Signo()
	if sig < abi.SIGRTMIN && q.set.Has(sig) {
		return false
	}
	if sig >= abi.SIGRTMIN && len(q.list) >= limit {
		return false
	}
	q.set |= abi.SigBit(sig)
	q.list = append(q.list, info)
	return true
}

// synchronous signals are delivered before others (kernel/signal.c,
// SYNCHRONOUS_MASK).
const synchronous = abi.Sigset(1<<(abi.SIGSEGV-1) | 1<<(abi.SIGBUS-1) | 1<<(abi.SIGILL-1) |
	1<<(abi.SIGTRAP-1) | 1<<(abi.SIGFPE-1) | 1<<(abi.SIGSYS-1))

// next is the signal of set that would be taken first; 0: none.
func (q *sigQueue) next(set abi.Sigset) int {
	s := q.set & set
	if s&synchronous != 0 {
		s &= synchronous
	}
	for sig := 1; sig <= abi.NSIG; sig++ {
		if s.Has(sig) {
			return sig
		}
	}
	return 0
}

// take removes and returns the oldest entry of signal sig.
func (q *sigQueue) take(sig int) *abi.Siginfo {
	var out *abi.Siginfo
	more := false
	kept := q.list[:0]
	for _, i := range q.list {
		switch {
		case i.Signo() != sig:
			kept = append(kept, i)
		case out == nil:
			out = i
		default:
			more = true
			kept = append(kept, i)
		}
	}
	clear(q.list[len(kept):])
	q.list = kept
	if !more {
		q.set &^= abi.SigBit(sig)
	}
	return out
}

// drop removes all entries of the signals in set.
func (q *sigQueue) drop(set abi.Sigset) {
	if q.set&set == 0 {
		return
	}
	kept := q.list[:0]
	for _, i := range q.list {
		if !set.Has(i.Signo()) {
			kept = append(kept, i)
		}
	}
	clear(q.list[len(kept):])
	q.list, q.set = kept, q.set&^set
}
