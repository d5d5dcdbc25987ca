// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	boot "lodger/init"
)

// TestLeaks boots guests one after the other in this process and looks for what
// they leave behind: goroutines, descriptors, host processes.
func TestLeaks(t *testing.T) {
	root := openDir(t)
	copyBusybox(t, root)
	guest := func() {
		t.Helper()
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		fd := int(null.Fd())
		m, err := boot.Boot(boot.Config{
			Root: root, Hostname: "leak", Stdio: [3]int{fd, fd, fd},
			Command: []string{"/busybox", "sh", "-c", "/busybox sleep 1000 & echo x | /busybox cat > /file; /busybox sleep 0.01; (exit 2); exit 9"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if st := m.Wait(); st.Code != 9 || st.Err != nil {
			t.Fatalf("guest ended with %+v", st)
		}
	}
	for range 3 { // the runtime and the host's tables grow at first
		guest()
	}
	settle(func() bool { return len(openFiles()) < 20 })
	goroutines, descriptors, children := runtime.NumGoroutine(), openFiles(), childCount()
	for range 20 {
		guest()
	}
	settle(func() bool { return runtime.NumGoroutine() <= goroutines && len(openFiles()) <= len(descriptors) })
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
		var b strings.Builder
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		t.Log(b.String())
	}
	if after := openFiles(); len(after) > len(descriptors) {
		t.Errorf("%d descriptors, %d before: %v", len(after), len(descriptors), after)
	}
	if n := childCount(); n > children {
		t.Errorf("%d children, %d before", n, children)
	}
}

// settle gives what ends by itself a little time, and runs the collector, whose
// cleanups close descriptors.
func settle(done func() bool) {
	for range 50 {
		runtime.GC()
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func openFiles() []string {
	links, _ := filepath.Glob("/proc/self/fd/*")
	var out []string
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil {
			out = append(out, filepath.Base(l)+"="+to)
		}
	}
	return out
}

func childCount() int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	n := 0
	for _, l := range lists {
		b, _ := os.ReadFile(l)
		n += len(strings.Fields(string(b)))
	}
	return n
}
