// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"runtime/debug"

	"lodger/abi"
)

// catch is deferred around everything that the kernel does for a guest: a panic is
// a bug in the kernel. It is told with its stack, task and work, and stops this
// guest alone; locks that the work held stay locked, which only delays what is
// about to end.
func (k *Kernel) catch(t *Task, work string, nr int) {
	if r := recover(); r != nil {
		k.bug(r, t, work, nr)
	}
}

// catchServing is catch for the receiver: one for all calls, since a bug ends the
// guest anyway.
func (k *Kernel) catchServing() {
	r := recover()
	if r == nil {
		return
	}
	if k.serving != nil {
		k.serving.callMu.Unlock()
	}
	k.bug(r, k.serving, "system call", k.servingNr)
}

// bug tells of panic r and stops the guest.
func (k *Kernel) bug(r any, t *Task, work string, nr int) {
	who := "no task"
	if t != nil {
		who = t.String()
	}
	if nr >= 0 {
		work = fmt.Sprintf("%s %d", work, nr)
	}
	k.Log.Error("kernel bug", "panic", r, "task", who, "work", work, "stack", string(debug.Stack()))
	k.Shutdown(Status{Err: fmt.Errorf("kernel bug in %s (%s): %v", work, who, r), Signal: abi.SIGSYS})
}

// guarded runs f for no task in particular.
func (k *Kernel) guarded(work string, f func()) {
	defer k.catch(nil, work, -1)
	f()
}
