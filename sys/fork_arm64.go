// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// clone's order of arguments is the processor's own: flags, stack, parent tid,
// tls, child tid.
func clone(t *kernel.Task, a Args) (uint64, error) {
	return t.Clone(kernel.CloneArgs{
		Flags: a[0] & 0xffffffff &^ abi.CSIGNAL, ExitSignal: int(a[0] & abi.CSIGNAL), Stack: a[1], ParentTID: a[2], PIDFD: a[2], ChildTID: a[4], TLS: a[3],
	})
}
