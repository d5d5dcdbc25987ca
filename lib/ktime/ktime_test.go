// SPDX-License-Identifier: Apache-2.0

package ktime

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Timers fire once, in order, unless they are stopped.
func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(at(5))
		fired := make(chan int, 9)
		for _, i := range []int{3, 1, 2} {
			c.After(int64(i)*int64(time.Second), func() { fired <- i })
		}
		stopped := c.After(int64(time.Second)/2, func() { fired <- 9 })
		if !stopped.Stop() {
			t.Error("Stop of an armed timer says that it fired")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(fired); n != 3 {
			t.Fatalf("%d timers fired", n)
		}
		for want := 1; want <= 3; want++ {
			if got := <-fired; got != want {
				t.Errorf("timer %d fired, want %d", got, want)
			}
		}
		if len(c.timers) != 0 || c.alarmAt != 0 {
			t.Error("a timer is left")
		}
		if got := c.Monotonic(); got != 5+int64(5*time.Second) {
			t.Errorf("monotonic %d", got)
		}
	})
}

// A stopped clock fires nothing, neither old timers nor new ones.
func TestStoppedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(at(0))
		bad := func() { t.Error("a timer of a stopped clock fired") }
		c.After(1e9, bad)
		c.After(2e9, bad)
		c.Stop()
		if late := c.After(0, bad); !late.Stop() {
			t.Error("Stop of a timer of a stopped clock")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
	})
}

// Whatever is armed and stopped in whatever order, each timer that is left fires at
// its time.
func TestManyTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, rnd := New(at(0)), rand.New(rand.NewPCG(1, 2))
		const n = 500
		var timers [n]*Timer
		var firedAt [n]atomic.Int64
		want := make([]int64, n)
		for i := range n {
			d := rnd.Int64N(1e9)
			want[i] = c.Monotonic() + d
			timers[i] = c.After(d, func() { firedAt[i].Store(c.Monotonic()) })
			if k := rnd.IntN(2 * n); k <= i && timers[k].Stop() {
				want[k] = 0
			}
			if i%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i := range n {
			if got := firedAt[i].Load(); got != want[i] {
				t.Errorf("timer %d fired at %d, want %d", i, got, want[i])
			}
		}
	})
}

// at is a host's clock that stands still.
func at(ns int64) func() int64 { return func() int64 { return ns } }

// TestNewInterrupted: a host that takes the processor away between two readings does not
// make the clock lag. The guest's clock_gettime went back behind its vDSO.
func TestNewInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		n := 0
		c := New(func() int64 {
			if n++; n == 1 || n == 4 || n == 9 { // before or after the clock's own start is read
				time.Sleep(3 * time.Millisecond)
				return int64(time.Since(start)) - 3e6
			}
			return int64(time.Since(start))
		})
		if d := c.Monotonic() - int64(time.Since(start)); d != 0 {
			t.Errorf("off by %v", time.Duration(d))
		}
	})
}
