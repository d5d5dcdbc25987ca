// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// futex comes here for what the host must not do: operations with priority
// inheritance compare thread ids. The other operations are native, and come here
// only to be traced.
func futex(t *kernel.Task, a Args) (uint64, error) {
	const (
		wait, wake, requeue, cmpRequeue, wakeOp, waitBitset, wakeBitset = 0, 1, 3, 4, 5, 9, 10

		lockPI, unlockPI, trylockPI, lockPI2 = 6, 7, 8, 13

		private, clockRealtime = 128, 256
	)
	op := a.Uint(1)
	switch op &^ (private | clockRealtime) {
	case wait, wake, requeue, cmpRequeue, wakeOp, waitBitset, wakeBitset:
		return t.Continue()
	}
	f := kernel.FutexPI{Addr: a[0], Shared: op&private == 0}
	cmd := op &^ (private | clockRealtime)
	if op&clockRealtime != 0 && cmd != lockPI2 {
		return 0, abi.ENOSYS
	}
	switch cmd {
	case lockPI, lockPI2:
		if err := piDeadline(t, &f, a[3], cmd == lockPI || op&clockRealtime != 0); err != nil {
			return 0, err
		}
		return t.LockPI(f, false)
	case trylockPI:
		return t.LockPI(f, true)
	case unlockPI:
		return t.UnlockPI(f)
	}
	return 0, abi.ENOSYS
}

// piDeadline reads the absolute timeout at addr; FUTEX_LOCK_PI counts by the
// realtime clock.
func piDeadline(t *kernel.Task, f *kernel.FutexPI, addr uint64, realtime bool) error {
	ns, set, err := userTimeout(t, addr)
	if err != nil || !set {
		return err
	}
	f.Deadline = ns
	if realtime {
		c := t.Kernel().Clock
		f.Deadline = c.Monotonic() + ns - c.Realtime()
	}
	f.Deadline = max(f.Deadline, 1)
	return nil
}
