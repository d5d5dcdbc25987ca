// SPDX-License-Identifier: Apache-2.0

// Package ktime stands for Linux's clocks and high resolution timers
// (kernel/time). A guest's every clock and timer goes through one Clock, so that
// its time can one day be shifted, stopped or simulated.
//
// Timers are the Go runtime's: one heap, no ticks, and testing/synctest can
// drive them. A timer's function runs on a goroutine of its own.
package ktime

import (
	"sync"
	"time"

	"lodger/abi"
)

// Clock is a guest's time.
type Clock struct {
	// start anchors the monotonic clock: bootOffset nanoseconds had passed.
	start      time.Time
	bootOffset int64

	mu      sync.Mutex // a leaf
	timers  *Timer     // armed timers; guarded by mu
	stopped bool       // guarded by mu
}

// New returns a clock whose monotonic reading is offset nanoseconds now. Native
// vDSO reads show the host's clock, so offset is the host's own reading.
func New(offset int64) *Clock { return &Clock{start: time.Now(), bootOffset: offset} }

// Monotonic is CLOCK_MONOTONIC in nanoseconds.
func (c *Clock) Monotonic() int64 { return c.bootOffset + int64(time.Since(c.start)) }

// Realtime is CLOCK_REALTIME in nanoseconds since the epoch.
func (c *Clock) Realtime() int64 { return time.Now().UnixNano() }

// Now is CLOCK_REALTIME as a timespec.
func (c *Clock) Now() abi.Timespec { return abi.NanoTimespec(c.Realtime()) }

// Timer is one armed timer.
type Timer struct {
	clock      *Clock
	f          func()
	t          *time.Timer // nil when the clock had stopped
	prev, next *Timer      // in the list of armed timers; guarded by Clock.mu
	armed      bool        // guarded by Clock.mu
}

// After calls f once, d nanoseconds from now, on a goroutine of its own.
func (c *Clock) After(d int64, f func()) *Timer {
	t := &Timer{clock: c, f: f}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return t
	}
	t.armed, t.next = true, c.timers
	if c.timers != nil {
		c.timers.prev = t
	}
	c.timers = t
	t.t = time.AfterFunc(time.Duration(max(d, 0)), t.fire)
	return t
}

func (t *Timer) fire() {
	if t.disarm() {
		t.f()
	}
}

// disarm takes t off the list; it reports whether t was on it.
func (t *Timer) disarm() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.armed {
		return false
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		c.timers = t.next
	}
	t.armed, t.prev, t.next = false, nil, nil
	return true
}

// Stop disarms the timer; it reports whether f will not run.
func (t *Timer) Stop() bool {
	if t.t == nil {
		return true
	}
	stopped := t.t.Stop()
	t.disarm()
	return stopped
}

// Stop disarms every timer and those to come: the guest has ended. Otherwise the
// host's timers would keep a dead guest in memory until they fire.
func (c *Clock) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for t := c.timers; t != nil; {
		next := t.next
		t.t.Stop()
		t.armed, t.prev, t.next = false, nil, nil
		t = next
	}
	c.timers = nil
}

// Uptime is how long this clock has run, in nanoseconds.
func (c *Clock) Uptime() int64 { return int64(time.Since(c.start)) }
