// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A panic in whatever the kernel does for a guest is told with its stack and
// ends that guest, not the program.
func TestPanicStopsGuest(t *testing.T) {
	for work, run := range map[string]func(k *Kernel){
		"a timer or host event": func(k *Kernel) { k.Do(func() { panic("boom") }) },
		"the run list":          func(k *Kernel) { k.later(func() { panic("boom") }); k.drain() },
		"system call 42": func(k *Kernel) {
			defer k.catchServing()
			k.serving, k.servingNr = brokenTask(k), 42
			k.serving.callMu.Lock()
			panic("boom")
		},
		"a sleeping call": func(k *Kernel) { k.ready(brokenTask(k)); k.drain() },
	} {
		var log bytes.Buffer
		k := New(Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		run(k)
		st := k.Wait()
		if st.Err == nil || !strings.Contains(st.Err.Error(), work) {
			t.Errorf("%s: status %+v", work, st)
		}
		if !strings.Contains(log.String(), "kernel bug") || !strings.Contains(log.String(), "bug_test.go") {
			t.Errorf("%s: log %q", work, log.String())
		}
	}
}

// brokenTask is a task whose sleep panics.
func brokenTask(k *Kernel) *Task {
	t := &Task{k: k, tid: 7, tg: &ThreadGroup{k: k}}
	name := "broken"
	t.comm.Store(&name)
	t.sleep = &sleeping{Sleep: Sleep{Try: func() (uint64, error) { panic("boom") }}}
	return t
}
