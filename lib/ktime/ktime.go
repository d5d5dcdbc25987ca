// SPDX-License-Identifier: Apache-2.0

// Package ktime stands for Linux's clocks and high resolution timers
// (kernel/time). A guest's every clock and timer goes through one Clock, so that
// its time can one day be shifted, stopped or simulated.
//
// Timers are one heap (timer.go) on a single timer of the Go runtime: no ticks, and
// testing/synctest can drive them. A timer's function runs on a goroutine of its
// own.
package ktime

import (
	"math"
	"sync"
	"time"

	"lodger/abi"
)

// Clock is a guest's time.
type Clock struct {
	// start anchors the monotonic clock: bootOffset nanoseconds had passed.
	start      time.Time
	bootOffset int64

	mu      sync.Mutex // a leaf; guards what follows
	timers  []*Timer   // armed ones, a heap by when
	alarm   *time.Timer
	alarmAt int64 // when alarm goes off, of Uptime; 0: it is not set
	stopped bool
}

// New returns a clock whose monotonic reading is that of host, in nanoseconds: native
// vDSO reads show the host's clock. Of a few pairs of readings it takes the closest: between
// two that the host interrupts, the guest's calls would lag behind its vDSO for good.
func New(host func() int64) *Clock {
	c := &Clock{}
	closest := int64(math.MaxInt64)
	for range 8 {
		before := host()
		now := time.Now()
		after := host()
		if after-before < closest {
			closest = after - before
			c.start, c.bootOffset = now, after
		}
	}
	return c
}

// Monotonic is CLOCK_MONOTONIC in nanoseconds.
func (c *Clock) Monotonic() int64 { return c.bootOffset + int64(time.Since(c.start)) }

// Realtime is CLOCK_REALTIME in nanoseconds since the epoch.
func (c *Clock) Realtime() int64 { return time.Now().UnixNano() }

// Now is CLOCK_REALTIME as a timespec.
func (c *Clock) Now() abi.Timespec { return abi.NanoTimespec(c.Realtime()) }

// Uptime is how long this clock has run, in nanoseconds.
func (c *Clock) Uptime() int64 { return int64(time.Since(c.start)) }
