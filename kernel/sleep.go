// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"

	"lodger/abi"
	"lodger/fs"
	"lodger/lib/ktime"
	"lodger/lib/wait"
)

// Again is what Sleep.Try returns while the call must go on waiting.
var Again = errors.New("not yet")

// Source is a queue to sleep on and the events that matter.
type Source struct {
	Queue *wait.Queue
	Mask  wait.Mask
}

// Sleep describes a call that may have to wait.
type Sleep struct {
	// Try performs the call; it is called at once and after each wake-up. It
	// returns Again to go on waiting, or a *fs.WouldBlock with the queue to wait
	// on. It must not block.
	Try func() (uint64, error)
	// On are the queues whose events make Try worth calling.
	On []Source
	// Deadline is a moment of the monotonic clock in nanoseconds; 0: none.
	Deadline int64
	// Timeout gives the result at the deadline; nil: ETIMEDOUT.
	Timeout func() (uint64, error)
	// Restart is what an interrupting signal makes of the call: EINTR or one of
	// the ERESTART*; 0 means ERESTARTSYS.
	Restart abi.Errno
	// OnInterrupt gives the result of an interrupted call, for those that may
	// have done a part of their work; nil: the error Restart.
	OnInterrupt func() (uint64, error)
	// Cleanup runs once when the sleep ends, however it ends.
	Cleanup func(interrupted bool)
	// Uninterruptible sleeps end only by Try, deadline or death.
	Uninterruptible bool
	// Tried: the caller has found that it must wait; Try is called first when the
	// queues are being watched.
	Tried bool
}

// sleeping is a task's sleep. A task has room for one, so that a call that waits
// allocates nothing for it. Guarded by Task.callMu.
type sleeping struct {
	Sleep
	since   int64 // monotonic clock
	entries []wait.Entry
	few     [2]wait.Entry // what entries is of, mostly
	dyn     *wait.Entry   // on the queue of the last WouldBlock
	dynQ    *wait.Queue
	cancel  func()
	timer   *ktime.Timer
}

// parkAfter is how long a call may sleep in its notification, in nanoseconds. A
// thread waiting there cannot be frozen by a cgroup, so longer sleeps move into
// the stub (DESIGN section 5).
const parkAfter = 1e9

// Sleep runs s.Try and, if it must wait, arranges that it is run again. A handler
// returns what Sleep returns.
func (t *Task) Sleep(s Sleep) (uint64, error) {
	var first error
	if !s.Tried {
		val, err := s.Try()
		if !waits(err) {
			if s.Cleanup != nil {
				s.Cleanup(false)
			}
			return val, err
		}
		first = err
	}
	sl := &t.sleepRoom
	sl.Sleep, sl.since = s, t.k.Clock.Monotonic()
	if len(s.On) <= len(sl.few) {
		sl.entries = sl.few[:len(s.On)]
	} else {
		sl.entries = make([]wait.Entry, len(s.On))
	}
	if t.wake == nil {
		t.wake = func(wait.Mask) { t.k.ready(t) }
		t.parkFn = t.park
	}
	for i, src := range s.On {
		sl.entries[i] = wait.Entry{Mask: src.Mask, Callback: t.wake}
		src.Queue.Add(&sl.entries[i])
	}
	t.sleep = sl
	t.asleep.Store(true)
	if t.groupStopped() {
		t.stopAsleep()
	}
	if s.Deadline != 0 {
		sl.timer = t.k.Clock.After(s.Deadline-sl.since, func() {
			t.k.Do(func() { t.k.ready(t) })
		})
	}
	t.k.Clock.ArmAt(&t.parkTimer, sl.since, parkAfter, t.parkFn)
	return t.step(first)
}

// stopAsleep counts t as stopped if the stop of its group began before it slept: its
// kick waits for the end of the call. A stop that begins later sees that it sleeps.
func (t *Task) stopAsleep() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if t.groupStopped() {
		t.enterStop()
	}
}

func waits(err error) bool {
	if err == nil || err == ErrSleeping {
		return false
	}
	if err == Again {
		return true
	}
	_, ok := err.(*fs.WouldBlock)
	return ok
}

// step tries once more and ends the sleep if something came of it; last is what
// the previous try returned. The caller holds t.callMu.
func (t *Task) step(last error) (uint64, error) {
	sl := t.sleep
	for {
		if wb, ok := last.(*fs.WouldBlock); ok {
			sl.follow(t, wb)
		}
		val, err := sl.Try()
		if wb, ok := err.(*fs.WouldBlock); ok && wb.Queue != sl.dynQ {
			last = err
			continue
		}
		if !waits(err) {
			t.endSleep(false)
			return val, err
		}
		break
	}
	if sl.Deadline != 0 && t.k.Clock.Monotonic() >= sl.Deadline {
		timeout := sl.Timeout
		t.endSleep(false)
		if timeout == nil {
			return 0, abi.ETIMEDOUT
		}
		return timeout()
	}
	if !sl.Uninterruptible && t.SignalPending() {
		onInterrupt, restart := sl.OnInterrupt, sl.Restart
		t.endSleep(true)
		if onInterrupt != nil {
			return onInterrupt()
		}
		if restart == 0 {
			return 0, abi.ERESTARTSYS
		}
		return 0, restart
	}
	return 0, ErrSleeping
}

// follow moves the sleep to the queue that a WouldBlock names.
func (sl *sleeping) follow(t *Task, wb *fs.WouldBlock) {
	sl.unfollow()
	sl.dyn = &wait.Entry{Mask: wb.Mask, Callback: t.wake}
	sl.dynQ, sl.cancel = wb.Queue, wb.Cancel
	wb.Queue.Add(sl.dyn)
}

func (sl *sleeping) unfollow() {
	if sl.dyn != nil {
		sl.dynQ.Remove(sl.dyn)
		sl.dyn, sl.dynQ = nil, nil
	}
}

// endSleep takes t off all queues.
func (t *Task) endSleep(interrupted bool) {
	sl := t.sleep
	t.sleep = nil
	t.asleep.Store(false)
	for i := range sl.entries {
		sl.On[i].Queue.Remove(&sl.entries[i])
	}
	sl.unfollow()
	if interrupted && sl.cancel != nil {
		sl.cancel()
	}
	if sl.timer != nil {
		sl.timer.Stop()
	}
	t.parkTimer.Stop()
	cleanup := sl.Cleanup
	*sl = sleeping{} // keeps nothing alive
	if cleanup != nil {
		cleanup(interrupted)
	}
}

// resume is called from the run list: something that t waits for may have
// happened.
func (t *Task) resume() {
	defer t.k.catch(t, "a sleeping call", -1)
	t.callMu.Lock()
	defer t.callMu.Unlock()
	if t.dying.Load() {
		if t.sleep != nil {
			t.endSleep(true)
		}
		return
	}
	if t.sleep == nil || t.groupStopped() || t.frozen() || t.held.on {
		return // SIGCONT, or the end of the move, puts it on the run list again
	}
	t.finish(t.step(nil))
	t.k.pokeMove()
}

// park moves a long sleep from its notification into the stub.
func (t *Task) park() {
	defer t.k.catch(t, "parking", -1)
	t.callMu.Lock()
	defer t.callMu.Unlock()
	if t.sleep == nil || t.k.Clock.Monotonic()-t.sleep.since < parkAfter || t.dying.Load() {
		return // that sleep is over; the present one has set the timer anew
	}
	if t.frozen() {
		t.k.Clock.ArmAt(&t.parkTimer, t.k.Clock.Monotonic(), parkAfter, t.parkFn)
		return
	}
	t.parkNow()
}

// parkNow is park for a sleep of whatever length. The caller holds t.callMu.
func (t *Task) parkNow() {
	nr := t.call.nr
	switch t.call.kind {
	case callPlain, callFrame, callBatch:
	default:
		return
	}
	t.intr = interrupted{nr: nr, detached: true}
	t.k.mu.Lock()
	t.hostKick()
	t.k.mu.Unlock()
	t.complete(negErrno(abi.EINTR))
}

// negErrno is an error as a system call's result.
func negErrno(e abi.Errno) uint64 { return uint64(-int64(e)) }
