// SPDX-License-Identifier: Apache-2.0

package ktime

import "time"

// Timer is one timer. The zero Timer is ready for Clock.Arm.
type Timer struct {
	clock *Clock
	f     func()
	when  int64 // of Clock.Uptime
	at    int   // index in the heap plus 1; 0: not armed. Guarded by Clock.mu
}

// After calls f once, d nanoseconds from now, on a goroutine of its own.
func (c *Clock) After(d int64, f func()) *Timer {
	t := new(Timer)
	c.Arm(t, d, f)
	return t
}

// Arm is After with a timer of the caller's, which must not be armed.
//
// Nearly every timer of a kernel is stopped before its time (the timeout of a call
// that succeeds), and setting a timer of Go's may wake another processor. So
// the alarm is set only for a timer that is earlier than all others, and stays when
// that one is stopped: it then goes off for nothing, once.
func (c *Clock) Arm(t *Timer, d int64, f func()) {
	c.ArmAt(t, c.Monotonic(), d, f)
}

// ArmAt is Arm for a caller who has just read the monotonic clock: now.
func (c *Clock) ArmAt(t *Timer, now, d int64, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.clock, t.f = c, f
	if c.stopped {
		return
	}
	t.when = max(now-c.bootOffset+max(d, 0), 1)
	if t.when < d { // overflow: never
		t.when = 1<<63 - 1
	}
	c.timers = append(c.timers, t)
	t.at = len(c.timers)
	c.up(t.at)
	if c.alarmAt == 0 || t.when < c.alarmAt {
		c.setAlarm(t.when)
	}
}

// Stop disarms the timer; it reports whether f will not run.
func (t *Timer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.at == 0 {
		return c.stopped
	}
	c.remove(t)
	return true
}

// Stop disarms every timer and those to come: the guest has ended. Otherwise the
// host's timers would keep a dead guest in memory until they fire.
func (c *Clock) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, t := range c.timers {
		t.at = 0
	}
	c.timers = nil
	if c.alarm != nil {
		c.alarm.Stop()
	}
}

// setAlarm has ring called at when; mu is held.
func (c *Clock) setAlarm(when int64) {
	c.alarmAt = when
	d := time.Duration(when - c.Uptime())
	if c.alarm == nil {
		c.alarm = time.AfterFunc(d, c.ring)
		return
	}
	c.alarm.Reset(d)
}

// ring runs the timers that are due.
func (c *Clock) ring() {
	c.mu.Lock()
	now := c.Uptime()
	if c.alarmAt > now {
		// It was set anew while we started.
		c.mu.Unlock()
		return
	}
	c.alarmAt = 0
	var due []func()
	for len(c.timers) > 0 && c.timers[0].when <= now {
		t := c.timers[0]
		due = append(due, t.f)
		c.remove(t)
	}
	if len(c.timers) > 0 {
		c.setAlarm(c.timers[0].when)
	}
	c.mu.Unlock()
	for i, f := range due {
		if i == len(due)-1 {
			f()
			return
		}
		go f()
	}
}

// remove takes t out of the heap; mu is held.
func (c *Clock) remove(t *Timer) {
	n := len(c.timers)
	at, last := t.at, c.timers[n-1]
	c.timers[n-1] = nil
	c.timers = c.timers[:n-1]
	t.at = 0
	if last == t {
		return
	}
	last.at = at
	c.timers[at-1] = last
	c.up(at)
	c.down(last.at)
}

// up moves the timer at index i (from 1) towards the front; mu is held.
func (c *Clock) up(i int) {
	for i > 1 && c.timers[i-1].when < c.timers[i/2-1].when {
		c.swap(i, i/2)
		i /= 2
	}
}

// down moves it towards the end; mu is held.
func (c *Clock) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2 * i, 2*i + 1} {
			if child <= len(c.timers) && c.timers[child-1].when < c.timers[least-1].when {
				least = child
			}
		}
		if least == i {
			return
		}
		c.swap(i, least)
		i = least
	}
}

func (c *Clock) swap(i, j int) {
	a, b := c.timers[i-1], c.timers[j-1]
	c.timers[i-1], c.timers[j-1] = b, a
	a.at, b.at = j, i
}
