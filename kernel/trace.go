// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/abi"

// Tracer is told what strace(1) shows of a guest. Calls come from handlers, so it
// must neither block for long nor call the kernel but to read the task's memory;
// Signal and Exit come with Kernel.mu held and must not even do that.
type Tracer interface {
	// Enter: t begins call nr which the call table does not see.
	Enter(t *Task, nr int, args [6]uint64)
	// Return: the result of t's present call, an errno as its negative value.
	Return(t *Task, val uint64)
	// Signal: t takes a signal.
	Signal(t *Task, info *abi.Siginfo)
	// Exit: t ends; status is a wait status, its process's where that ends too.
	Exit(t *Task, status int32)
}

func (t *Task) traceReturn(val uint64) {
	if tr := t.k.cfg.Trace; tr != nil {
		tr.Return(t, val)
	}
}

func (t *Task) traceSignal(info *abi.Siginfo) {
	if tr := t.k.cfg.Trace; tr != nil {
		tr.Signal(t, info)
	}
}

func (t *Task) traceExit() {
	if tr := t.k.cfg.Trace; tr != nil {
		tr.Exit(t, t.tg.status)
	}
}
