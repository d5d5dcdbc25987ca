// SPDX-License-Identifier: Apache-2.0

package ktime

import (
	"testing"
	"testing/synctest"
	"time"
)

// Timers fire once, in order, unless they are stopped.
func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(5)
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
		if c.timers != nil {
			t.Error("a timer is left on the list")
		}
		if got := c.Monotonic(); got != 5+int64(5*time.Second) {
			t.Errorf("monotonic %d", got)
		}
	})
}

// A stopped clock fires nothing, neither old timers nor new ones.
func TestStoppedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(0)
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
