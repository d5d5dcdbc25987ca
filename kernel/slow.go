// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"sync/atomic"

	"lodger/lib/wait"
)

// Slow performs f, which may wait for the host's disk, on a goroutine of its own,
// so that the receiver goes on serving others. The goroutine ends with f, also when
// t dies meanwhile; whatever f uses must stay valid until then. A handler returns
// what Slow returns.
func (t *Task) Slow(f func() (uint64, error)) (uint64, error) {
	if t.ctx.MayWait { // it is on such a goroutine already
		return f()
	}
	var (
		queue wait.Queue
		done  atomic.Bool
		val   uint64
		err   error
	)
	nr := t.call.nr
	go func() {
		defer t.k.catch(t, "slow system call", nr)
		val, err = f()
		t.k.Do(func() {
			done.Store(true)
			queue.Notify(0)
		})
	}()
	return t.Sleep(Sleep{
		On:              []Source{{Queue: &queue}},
		Uninterruptible: true,
		Try: func() (uint64, error) {
			if !done.Load() {
				return 0, Again
			}
			return val, err
		},
	})
}
