// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"

	"lodger/abi"
	"lodger/kernel"
)

// Tracer prints calls, signals and ends of guest threads as `strace -f` does. A call
// that the host performs after the kernel let it through, or that the guest process
// answers itself (rt_sig*), has the result ?. It implements kernel.Tracer.
//
// Its mutex is a leaf: nothing is called with it held but the writer.
type Tracer struct {
	rows *[maxCalls]*Row

	mu      sync.Mutex
	w       *bufio.Writer
	pending map[*kernel.Task]*tracedCall
}

// tracedCall is a call whose result has not been printed.
type tracedCall struct {
	nr         int
	name       string
	kinds      []Kind
	ret        Kind
	args       Args
	text       string // the arguments that were known at its start
	next       int    // the first argument that is shown with the result
	unfinished bool   // its line has been printed as unfinished
}

// NewTracer makes a tracer that writes to w, each line at once: who looks for the
// place where a guest hangs finds it in the file.
func NewTracer(w io.Writer) *Tracer {
	return &Tracer{w: bufio.NewWriterSize(w, 4096), pending: map[*kernel.Task]*tracedCall{}}
}

// Close tells of lines that could not be written.
func (tr *Tracer) Close() error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.w.Flush()
}

// call performs a call and prints it.
func (tr *Tracer) call(t *kernel.Task, nr int, r *Row, args [6]uint64) (uint64, error) {
	tr.Enter(t, nr, args)
	val, err := r.Fn(t, args)
	if err == kernel.ErrSleeping {
		tr.sleeps(t)
	}
	return val, err
}

// Enter implements kernel.Tracer.
func (tr *Tracer) Enter(t *kernel.Task, nr int, args [6]uint64) {
	c := &tracedCall{nr: nr, name: callName(nr), args: args, kinds: make([]Kind, len(args))}
	if c.name == "?" {
		c.name = fmt.Sprintf("syscall_%#x", nr)
	}
	if nr >= 0 && nr < len(tr.rows) && tr.rows[nr] != nil {
		r := tr.rows[nr]
		c.name, c.kinds, c.ret = r.Name, r.Args, r.Ret
	}
	p := printer{mem: t, kinds: c.kinds, args: args}
	c.next = p.before()
	c.text = p.String()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if old := tr.pending[t]; old != nil && !(old.nr == nr && strings.HasPrefix(c.name, "exit")) {
		tr.drop(t, old)
	}
	tr.pending[t] = c
}

// sleeps prints the first half of a call that waits.
func (tr *Tracer) sleeps(t *kernel.Task) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	c := tr.pending[t]
	if c == nil || c.unfinished {
		return
	}
	c.unfinished = true
	sep := ""
	if c.text != "" {
		sep = ", "
	}
	tr.line(t, c.name+"("+c.text+sep+" <unfinished ...>")
}

// Return implements kernel.Tracer.
func (tr *Tracer) Return(t *kernel.Task, val uint64) {
	tr.mu.Lock()
	c := tr.pending[t]
	delete(tr.pending, t)
	tr.mu.Unlock()
	if c == nil {
		return
	}
	p := printer{mem: t, kinds: c.kinds, args: c.args, val: val, failed: failed(val)}
	p.after(c.next)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.finish(t, c, p.String(), result(c.ret, val))
}

// finish prints the rest of c. The caller holds tr.mu.
func (tr *Tracer) finish(t *kernel.Task, c *tracedCall, rest, result string) {
	head := "<... " + c.name + " resumed>"
	if !c.unfinished {
		head = c.name + "(" + c.text
		if rest != "" && c.text != "" {
			head += ", "
		}
	}
	tr.line(t, head+rest+") = "+result)
}

// drop prints the rest of a call whose result the kernel does not learn. The
// caller holds tr.mu, and Kernel.mu when t ends: its memory is left alone.
func (tr *Tracer) drop(t *kernel.Task, c *tracedCall) {
	p := printer{mem: noMemory{}, kinds: c.kinds, args: c.args, failed: true}
	p.after(c.next)
	tr.finish(t, c, p.String(), "?")
}

// Signal implements kernel.Tracer.
func (tr *Tracer) Signal(t *kernel.Task, info *abi.Siginfo) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if c := tr.pending[t]; c != nil && !c.unfinished {
		// The signal ends the thread, or came before the stub's answer.
		delete(tr.pending, t)
		tr.drop(t, c)
	}
	tr.line(t, "--- "+signalName(info.Signo())+" "+siginfoText(info)+" ---")
}

// Exit implements kernel.Tracer.
func (tr *Tracer) Exit(t *kernel.Task, status int32) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if c := tr.pending[t]; c != nil {
		delete(tr.pending, t)
		if c.name == "exit" {
			status = int32(c.args[0]&0xff) << 8
		}
		tr.drop(t, c)
	}
	if sig := int(status & 0x7f); sig != 0 {
		tr.line(t, "+++ killed by "+signalName(sig)+" +++")
		return
	}
	tr.line(t, fmt.Sprintf("+++ exited with %d +++", status>>8&0xff))
}

// line writes one line. The caller holds tr.mu. A file that cannot be written
// must not stop the guest.
func (tr *Tracer) line(t *kernel.Task, s string) {
	fmt.Fprintf(tr.w, "[pid %5d] %s\n", t.TID(), s)
	_ = tr.w.Flush()
}

// callName is the name of call nr on this processor; "?" where none has that
// number.
func callName(nr int) string {
	if nr >= 0 && nr < len(callNames) && callNames[nr] != "" {
		return callNames[nr]
	}
	return "?"
}
