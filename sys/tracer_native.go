// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/host/notify"
	"lodger/kernel"
)

// showNative sends calls that the guest process or the host answers without the
// kernel through the kernel, so that they are traced: those on memory go on in
// the host, whose result nobody learns. Futexes and rt_sig* stay as they are.
func (tb *Table) showNative() {
	for nr, r := range tb.rows {
		if r == nil {
			continue
		}
		switch r.Name {
		case "getpid", "gettid", "mmap":
			c := *r
			c.Route = notify.RouteNotify
			tb.rows[nr] = &c
		case "munmap", "mprotect", "brk", "madvise":
			c := *r
			c.Route, c.Fn = notify.RouteNotify, shown(r)
			tb.rows[nr] = &c
		}
	}
}

// shown is the handler of a native memory call that came here to be traced. The
// filter's guard of the stub region (where the host cannot seal it) does not
// apply to a call that goes on, so it is repeated here.
func shown(r *Row) Handler {
	return func(t *kernel.Task, a Args) (uint64, error) {
		if r.Name != "brk" && !stubSafe(t, a[0], a[1]) {
			return 0, abi.EPERM
		}
		if r.Name == "madvise" && !notify.HarmlessAdvice(a[2]) {
			return r.Fn(t, a)
		}
		return t.Continue()
	}
}
