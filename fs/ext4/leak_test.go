// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"lodger/fs/ext4"
)

// TestUnmountedIsCollected: after the unmount nothing holds the file system, its
// cache and its device; no goroutine works for it.
func TestUnmountedIsCollected(t *testing.T) {
	before := runtime.NumGoroutine()
	w := func() weak.Pointer[disk] {
		d := mkfs(t, "8M", "-t", "ext4")
		v, sb := mount(t, d, ext4.Options{})
		env(t, v, sb).Write("/file", "contents")
		closed(t, sb, d)
		return weak.Make(d)
	}()
	for range 100 {
		runtime.GC()
		if w.Value() == nil && runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond) // the collector's own goroutines are behind
	}
	t.Errorf("the device is held: %v; %d goroutines, before %d", w.Value() != nil, runtime.NumGoroutine(), before)
}
