// SPDX-License-Identifier: Apache-2.0

// Package wait stands for Linux's wait queues (kernel/sched/wait.c).
//
// A Queue belongs to whatever can become ready (a pipe, a child, a timer). A
// sleeper puts an Entry on it; Notify calls the callback of every entry whose
// mask meets the event. Nothing blocks here: a callback only records that its
// sleeper should look again (the kernel puts the sleeping task on its run
// list), so it may be called with the locks of the notifying object held.
//
// Locks: Queue.mu is a leaf. A callback must take no lock but leaves of its own
// and must not touch the queue.
package wait

import "sync"

// Mask is a set of poll(2) event bits (abi.POLLIN and so on).
type Mask uint32

// Entry is one sleeper's place on one queue. The zero Entry, with Callback and
// Mask set, is ready to use; it may be on one queue at a time.
type Entry struct {
	// Mask selects the events that call Callback; zero means every event.
	Mask Mask
	// Callback is called with the event by Notify, with the queue's lock held.
	Callback func(ev Mask)
	// Exclusive entries are woken one at a time (WQ_FLAG_EXCLUSIVE).
	Exclusive bool

	q          *Queue
	next, prev *Entry
}

// Queue is a list of sleepers. The zero Queue is empty and ready to use.
type Queue struct {
	mu         sync.Mutex
	head, tail *Entry // guarded by mu
}

// Add appends e, which must not be on a queue.
func (q *Queue) Add(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.q = q
	e.prev, e.next = q.tail, nil
	if q.tail != nil {
		q.tail.next = e
	} else {
		q.head = e
	}
	q.tail = e
}

// Remove takes e off; it does nothing when e is not on q. After it returns the
// callback is not running and will not run again.
func (q *Queue) Remove(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.q != q {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		q.head = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		q.tail = e.prev
	}
	e.q, e.next, e.prev = nil, nil, nil
}

// Notify calls every entry that waits for one of the events in ev, and at most
// one exclusive entry.
func (q *Queue) Notify(ev Mask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.head; e != nil; e = e.next {
		if e.Mask != 0 && e.Mask&ev == 0 {
			continue
		}
		e.Callback(ev)
		if e.Exclusive {
			return
		}
	}
}

// Empty reports whether nobody sleeps on q.
func (q *Queue) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.head == nil
}
